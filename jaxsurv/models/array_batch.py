"""Input of models whose outcome is no survival time but an image, a number or a class."""

from typing import NamedTuple, Self

import jax

from jaxsurv.types import Array


class ArrayBatch(NamedTuple):
    """Patients with input arrays and the array to be predicted, all rows in one order.

    Attributes:
        inputs: ``{modality: [n, *shape]}``, standardised, without NaN; shapes may differ.
        presence: ``{modality: [n]}``, 1 where the patient has the modality, else 0.
        outcome: ``[n, *shape]``, standardised; ``[n]`` for a number, or for a class, 0 or 1.
        where: ``[n]`` booleans, the rows that losses see.
        feature_mask: ``{modality: [*shape]}``, 1 for what is used (of an image: inside the region of
            interest), else 0; None = all.
        outcome_mask: ``[*shape]``, 1 for the part of the outcome that is used, else 0; None = all.
        clinical: ``[n, c]``, standardised; None = no clinical block.
    """

    inputs: dict[str, Array]
    presence: dict[str, Array]
    outcome: Array
    where: Array
    feature_mask: dict[str, Array] | None = None
    outcome_mask: Array | None = None
    clinical: Array | None = None

    def restrict(self, where: Array) -> Self:
        """Confine losses to the rows ``where``, among those they already see; the patients stay."""
        return self._replace(where=self.where & where)

    def take(self, rows: Array) -> Self:
        """The minibatch of ``rows``."""
        part = self._replace(feature_mask=None, outcome_mask=None)
        part = jax.tree.map(lambda x: x[rows], part)
        return part._replace(feature_mask=self.feature_mask, outcome_mask=self.outcome_mask)
