"""What image-on-image regression reads."""

from typing import NamedTuple, Self

import jax

from jaxsurv.types import Array


class ImageBatch(NamedTuple):
    """Patients with input images and the image to be predicted, all rows in one order.

    Attributes:
        inputs: ``{image: [n, *shape]}``, standardised, without NaN; shapes may differ.
        presence: ``{image: [n]}``, 1 where the patient has the image, else 0.
        outcome: ``[n, *shape]``, standardised.
        where: ``[n]`` booleans, the rows that losses see.
        feature_mask: ``{image: [*shape]}``, 1 inside the region of interest, else 0; None = all inside.
        outcome_mask: ``[*shape]``, likewise.
    """

    inputs: dict[str, Array]
    presence: dict[str, Array]
    outcome: Array
    where: Array
    feature_mask: dict[str, Array] | None = None
    outcome_mask: Array | None = None

    def restrict(self, where: Array) -> Self:
        """The same patients with losses confined to ``where``, among those they already see."""
        return self._replace(where=self.where & where)

    def take(self, rows: Array) -> Self:
        """The minibatch of ``rows``."""
        part = self._replace(feature_mask=None, outcome_mask=None)
        part = jax.tree.map(lambda x: x[rows], part)
        return part._replace(feature_mask=self.feature_mask, outcome_mask=self.outcome_mask)
