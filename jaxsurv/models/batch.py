"""What every survival model reads."""

from typing import NamedTuple, Self

import jax
import jax.numpy as jnp

from jaxsurv.survival import RiskSets, prepare_risk_sets, restrict
from jaxsurv.types import Array, Survival


class Batch(NamedTuple):
    """Patients as arrays, all rows of one cohort in one order.

    Attributes:
        inputs: ``{modality: [n, d_m]}``, standardised, without NaN.
        presence: ``{modality: [n]}``, 1 where the patient has the modality, else 0.
        clinical: ``[n, c]``, standardised.
        offset: ``[n]``, a part of the log hazard that is known beforehand (0 if none).
        outcome: events and times, with entry, weights and strata where there are any.
        where: ``[n]`` booleans, the rows that losses see.
        risk_sets: of those rows.
        source: ``[n, s]`` one-hot, the cohort, centre or platform that a patient comes from; or None.
        feature_mask: ``{modality: [d_m]}``, 0 for features that are not used: their inputs must be 0, and
            they are not to be reconstructed; None = all are used.
    """

    inputs: dict[str, Array]
    presence: dict[str, Array]
    clinical: Array
    offset: Array
    outcome: Survival
    where: Array
    risk_sets: RiskSets
    source: Array | None = None
    feature_mask: dict[str, Array] | None = None

    def restrict(self, where: Array) -> Self:
        """The same patients with losses confined to ``where``, among those they already see."""
        where = self.where & where
        return self._replace(where=where, risk_sets=restrict(self.risk_sets, where))

    def take(self, rows: Array) -> Self:
        """The minibatch of ``rows``, with the risk sets among themselves."""
        rest = self._replace(risk_sets=None, feature_mask=None)  # type: ignore[arg-type]
        part = jax.tree.map(lambda x: x[rows], rest)
        outcome = part.outcome
        risk_sets = prepare_risk_sets(
            outcome.event,
            outcome.time,
            entry=outcome.entry,
            weights=outcome.weight,
            strata=outcome.stratum,
            where=part.where,
        )
        return part._replace(risk_sets=risk_sets, feature_mask=self.feature_mask)


def features(batch: Batch) -> Array:
    """``[n, p]``: all modalities beside each other, absent ones as zeros, then the clinical block."""
    inputs = [batch.presence[m][:, None] * batch.inputs[m] for m in sorted(batch.inputs)]
    return jnp.concatenate([*inputs, batch.clinical], axis=-1)
