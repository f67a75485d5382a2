"""Input of every survival model."""

from typing import NamedTuple, Self

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival import RiskSets, prepare_risk_sets, restrict, subset
from jaxsurv.types import Array, ArrayLike, Survival

CLINICAL = "clinical"  # the modality of a cohort that enters as `Batch.clinical`


class Batch(NamedTuple):
    """Patients as arrays, all rows of one cohort in one order.

    Attributes:
        inputs: ``{modality: [n, d_m]}``, standardised, without NaN.
        presence: ``{modality: [n]}``, 1 where the patient has the modality, else 0; 0 for everybody where no
            feature of it is in use.
        clinical: ``[n, c]``, standardised.
        offset: ``[n]``, a part of the log hazard that is known beforehand (0 if none).
        outcome: events and times, with entry, weights and strata where there are any.
        where: ``[n]`` booleans, the rows that losses see.
        risk_sets: risk sets of the rows in ``where`` that are labelled.
        source: ``[n, s]`` one-hot, the cohort, centre or platform that a patient comes from (the cohort's
            strata); or None.
        feature_mask: ``{modality: [d_m]}``, 0 for features that are not used: their inputs must be 0, and
            they are not to be reconstructed; None = all are used.
        labelled: ``[n]`` booleans, False for patients with features and no outcome, who are in no risk
            set (``prepare_risk_sets(..., where=labelled)``) and whose event and time are any valid
            numbers, such as 0; None = all.
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
    labelled: Array | None = None

    @property
    def with_outcome(self) -> Array:
        """``[n]`` booleans, the rows that losses see and whose outcome is known."""
        return self.where if self.labelled is None else self.where & self.labelled

    def restrict(self, where: Array) -> Self:
        """Confine losses to the rows ``where``, among those they already see; the patients stay."""
        where = self.where & where
        return self._replace(where=where, risk_sets=restrict(self.risk_sets, where))

    def take(self, rows: Array) -> Self:
        """The minibatch of ``rows``, with the risk sets among themselves."""
        rest = self._replace(risk_sets=None, feature_mask=None)  # type: ignore[arg-type]
        part = jax.tree.map(lambda x: x[rows], rest)
        event, time, entry, weights, strata, _ = part.outcome
        columns = {"entry": entry, "weights": weights, "strata": strata}
        risk_sets = prepare_risk_sets(event, time, where=part.with_outcome, **columns)
        return part._replace(risk_sets=risk_sets, feature_mask=self.feature_mask)

    def take_in_order(self, positions: Array, others: Array, where: Array) -> Self:
        """A minibatch made without a sort: rows in the order of time, then rows without an outcome.

        Args:
            positions: ``[k]``, nondecreasing, in the order of ``risk_sets``.
            others: ``[m]`` rows that are in no risk set.
            where: ``[k + m]`` booleans, False for rows that only fill up the batch.
        """
        order, end = self.risk_sets.order, self.where.size - 1
        rows = jnp.concatenate([positions if order is None else order[positions], others])
        places = jnp.concatenate([positions, jnp.full_like(others, end)])
        rest = self._replace(risk_sets=None, feature_mask=None)  # type: ignore[arg-type]
        part = jax.tree.map(lambda x: x[rows], rest)
        part = part._replace(where=part.where & where, feature_mask=self.feature_mask)
        return part._replace(risk_sets=subset(self.risk_sets, places, part.with_outcome))


def table_batch(x: ArrayLike, event: ArrayLike, time: ArrayLike) -> Batch:
    """Patients with one complete table, as the modality ``x``: for minibatches drawn on the host.

    The rows' risk sets among themselves are sorted there as well, where sorting is fast.

    Args:
        x: ``[n, p]``, standardised.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, >= 0, any unit.
    """
    number = jnp.result_type(float)
    table, ones = np.asarray(x, number), np.ones(len(x), number)
    batch = Batch(
        inputs={"x": table},
        presence={"x": ones},
        clinical=table[:, :0],
        offset=0 * ones,
        outcome=Survival(np.asarray(event, number), np.asarray(time, number)),
        where=ones > 0,
        risk_sets=prepare_risk_sets(event, time),
    )
    return jax.device_put(batch)


def features(batch: Batch) -> Array:
    """``[n, p]``: all modalities of ``batch`` side by side, absent ones as zeros, then the clinical block."""
    inputs = [batch.presence[m][:, None] * batch.inputs[m] for m in sorted(batch.inputs)]
    return jnp.concatenate([*inputs, batch.clinical], axis=-1)
