"""What every survival model reads."""

from typing import NamedTuple, Self

import jax

from jaxsurv.survival import RiskSets, prepare_risk_sets, restrict
from jaxsurv.types import Array


class Batch(NamedTuple):
    """Patients as arrays, all rows of one cohort in one order.

    Attributes:
        inputs: ``{modality: [n, d_m]}``, standardised, without NaN.
        presence: ``{modality: [n]}``, 1 where the patient has the modality, else 0.
        clinical: ``[n, c]``, standardised.
        offset: ``[n]``, a part of the log hazard that is known beforehand (0 if none).
        event: ``[n]``, 1 = observed.
        time: ``[n]``.
        where: ``[n]`` booleans, the rows that losses see.
        risk_sets: of those rows.
    """

    inputs: dict[str, Array]
    presence: dict[str, Array]
    clinical: Array
    offset: Array
    event: Array
    time: Array
    where: Array
    risk_sets: RiskSets

    def restrict(self, where: Array) -> Self:
        """The same patients with losses confined to ``where``; no sorting."""
        return self._replace(where=where, risk_sets=restrict(self.risk_sets, where))

    def take(self, rows: Array) -> Self:
        """The minibatch of ``rows``, with the risk sets among themselves."""
        rest = self._replace(risk_sets=None)  # type: ignore[arg-type]
        part = jax.tree.map(lambda x: x[rows], rest)
        return part._replace(risk_sets=prepare_risk_sets(part.event, part.time, where=part.where))
