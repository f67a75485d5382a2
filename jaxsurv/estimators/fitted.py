"""A trained survival model with all that new patients need: preprocessing, weights, baseline, thresholds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax

from jaxsurv.estimators.inputs import Patients
from jaxsurv.estimators.prepared import as_batch, standardised
from jaxsurv.metrics import concordance_index
from jaxsurv.models import Batch
from jaxsurv.preprocess import Preprocessing
from jaxsurv.survival import StepFunction, breslow_baseline, survival_function
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.types import Array, ArrayLike, InputError, Key, Params

CHUNK = 1024  # rows per call: one compilation, and a patient's risk is the same in any company


class Functions(NamedTuple):
    """What a model does with parameters and a batch, in evaluation.

    Attributes:
        init: ``(key, batch) -> params``, for their structure.
        predict: ``(params, batch) -> [n]`` log hazards.
        latent: ``(params, batch) -> [n, z]``, or None.
    """

    init: Callable[[Key, Batch], Params]
    predict: Callable[[Params, Batch], Array]
    latent: Callable[[Params, Batch], Array] | None = None


class Network(Protocol):
    """An estimator's class, by which files and copies name its functions."""

    @staticmethod
    def functions(config: Any) -> Functions: ...


class TrainingCohort(NamedTuple):
    """What a model file says of the patients it was trained on; no patient can be told from it.

    Attributes:
        patients, events, unlabelled: numbers of them.
        median_time, longest_time: of follow-up, whether it ended in an event or not.
        time_unit: empty if unknown.
        percentiles: ``[101]``, of the held-out log hazards, from 0 to 100.
        threshold: their median, above which a patient is of high risk.
        c: Harrell's C of the held-out log hazards, with its 95 % interval, which is that of the patients
            alone and too narrow for a guess at new ones. With five seeds a row's log hazard is that of one
            network, which the row has stopped: C is too high for that (0.57 where nothing can be learned),
            and too low because new patients get the mean of all networks (0.62 for 0.67 with 300
            simulated patients). Those of `Coxnet` are of the folds that chose its penalty.
    """

    patients: int
    events: int
    unlabelled: int
    median_time: float
    longest_time: float
    time_unit: str
    percentiles: tuple[float, ...]
    threshold: float
    c: tuple[float, float, float] | None


class Trained(NamedTuple):
    """Members of an ensemble as training left them.

    Attributes:
        params: pytree, its leaves with a leading axis of members.
        center: ``[members]``, mean log hazard on the rows that each trained on.
        held_out: ``[n]``, log hazards by members that did not train on the row; NaN where all did.
    """

    params: Params
    center: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True)
class FittedModel:
    """An ensemble and its preprocessing; new tables in, risks out.

    Attributes:
        network: the estimator's class.
        config: its static choices.
        preprocessing: fitted to the training cohort.
        params, center: see `Trained`.
        baseline: cumulative hazard at log hazard 0, from the held-out log hazards.
        cohort: the training patients in numbers.
    """

    network: type[Network]
    config: Any
    preprocessing: Preprocessing
    params: Params
    center: np.ndarray
    baseline: StepFunction
    cohort: TrainingCohort

    def log_hazard(self, patients: Patients) -> np.ndarray:
        """``[n]``: the mean over the members, each centred on the rows it trained on."""
        return self.log_hazard_of(self._read(patients))

    def log_hazard_of(self, batch: Batch) -> np.ndarray:
        """The same of patients as the network reads them."""
        return in_chunks(partial(self._programs[0], self.params, self.center), batch)

    def latent(self, patients: Patients) -> np.ndarray:
        """``[n, z]`` of the first member: the axes of another's are others.

        Raises:
            InputError: the model has no latent variables.
        """
        if self._programs[1] is None:
            raise InputError(f"{self.network.__name__} has no latent variables")
        first = jax.tree.map(lambda p: p[0], self.params)
        return in_chunks(partial(self._programs[1], first), self._read(patients))

    def survival(self, log_hazard: ArrayLike, times: ArrayLike) -> np.ndarray:
        """``[n, t]``; constant after the last event of the training cohort."""
        return np.asarray(survival_function(self.baseline, log_hazard, np.asarray(times, float)))

    def cumulative_hazard(self, log_hazard: ArrayLike, times: ArrayLike) -> np.ndarray:
        """``[n, t]``."""
        at = np.asarray(self.baseline(np.asarray(times, float)))
        return np.exp(np.asarray(log_hazard))[:, None] * at[None]

    def table(self, patients: Patients, times: np.ndarray) -> pd.DataFrame:
        """See :meth:`SurvivalEstimator.risk_table`; survival at T is the column ``survival_T``."""
        risk = self.log_hazard(patients)
        known = np.asarray(self.cohort.percentiles)
        below, upto = (np.searchsorted(known, risk, side=side) for side in ("left", "right"))
        columns = {"risk": risk, "percentile": 100 * (below + upto) / (2 * len(known))}
        curves = self.survival(risk, times) if times.size else np.zeros((len(risk), 0))
        columns |= {f"survival_{t:.12g}": curves[:, j] for j, t in enumerate(times)}
        columns["group"] = np.where(risk > self.cohort.threshold, "high", "low")
        return pd.DataFrame(columns, index=patients.names.rename("patient"))

    @cached_property
    def predict(self) -> Callable[[Params, Batch], Array]:
        """One member's log hazards ``[n]``, not centred; the same function, so that programs are kept."""
        return self.network.functions(self.config).predict

    @cached_property
    def _programs(self) -> tuple[Any, Any]:
        predict, latent = self.predict, self.network.functions(self.config).latent

        def mean(params: Params, center: Array, batch: Batch) -> Array:
            risks = lax.map(lambda one: predict(one[0], batch) - one[1], (params, center))
            return jnp.mean(risks, axis=0)

        return jax.jit(mean), latent and jax.jit(latent)

    def _read(self, patients: Patients) -> Batch:
        made = standardised(self.preprocessing, patients.tables, patients.names)
        return as_batch(made.inputs, made.presence)

    def __getstate__(self) -> dict[str, Any]:
        # which cannot be copied
        return {k: v for k, v in self.__dict__.items() if k not in ("predict", "_programs")}


def in_chunks(program: Callable[[Any], Any], rows: Any, size: int = CHUNK) -> Any:
    """``program(rows)`` for so many rows per call; two pytrees of arrays ``[n, ...]``."""
    n, done = len(jax.tree.leaves(rows)[0]), []
    for first in range(0, n, size):
        at = np.minimum(np.arange(first, first + size), n - 1)
        part = jax.tree.map(lambda x, at=at: x[at], rows)
        done.append(jax.tree.map(np.asarray, program(part)))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:n], *done)


def describe_training(
    trained: Trained, event: np.ndarray, time: np.ndarray, *, time_unit: str
) -> tuple[StepFunction, TrainingCohort]:
    """Baseline hazard and summary, from rows that are held out from some member.

    Fitted log hazards of the rows themselves are too far apart; with them survival curves of new
    patients would be too sure.

    Args:
        trained: of n rows.
        event, time: ``[n]``, NaN where there is no outcome.
        time_unit: of the times.
    """
    labelled, risk = ~np.isnan(time), trained.held_out
    rows = labelled & ~np.isnan(risk)
    if not np.isfinite(risk[rows]).all() or not np.isfinite(trained.center).all():
        raise InputError(
            "the training diverged: a log hazard is not finite; lower the learning rate"
        )
    risk, e, t = risk[rows].astype(np.float32), event[rows], time[rows]
    baseline = jax.tree.map(np.float32, breslow_baseline(risk, e, t))
    return baseline, TrainingCohort(
        patients=int(labelled.sum()),
        events=int(event[labelled].sum()),
        unlabelled=int((~labelled).sum()),
        median_time=float(np.median(time[labelled])),
        longest_time=float(time[labelled].max()),
        time_unit=time_unit,
        percentiles=tuple(float(q) for q in np.percentile(risk, np.arange(101))),
        threshold=float(np.median(risk)),
        c=_concordance(risk, e, t),
    )


def _concordance(
    risk: np.ndarray, event: np.ndarray, time: np.ndarray
) -> tuple[float, float, float] | None:
    """C with its interval; None where no patient is known to live longer than one with an event."""
    first = time[event > 0].min(initial=np.inf)
    if not np.any((time > first) | ((time == first) & (event == 0))):
        return None
    c = concordance_index(risk, event, time)
    half = Z95 * float(c.standard_error)
    return float(c.index), float(c.index) - half, float(c.index) + half
