"""A fitted survival model with all that new patients need: preprocessing, members, baseline, thresholds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax

from jaxsurv.arguments.columns import column
from jaxsurv.estimators.inputs import Patients
from jaxsurv.estimators.reading import Readings, read_patients_of, rows_of
from jaxsurv.metrics import concordance_index
from jaxsurv.models import Batch, Model
from jaxsurv.models.registry import objective_of
from jaxsurv.preprocess import Preprocessing
from jaxsurv.recipe.members import Rows, Terms, log_hazard_function, network_batch
from jaxsurv.survival import StepFunction, breslow_baseline, survival_function
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.training.programs import kept
from jaxsurv.types import Array, ArrayLike, InputError, Key, Params

CHUNK = 1024  # rows per call: one compilation, and a patient's risk is the same in any company


class Functions(NamedTuple):
    """A network in evaluation mode, as functions of its parameters and a batch.

    Attributes:
        init: ``(key, batch) -> params``, initial parameters, read for their structure.
        predict: ``(params, batch) -> [n]`` log hazards.
        latent: ``(params, batch) -> [n, z]`` latent coordinates, or None.
        survival: ``(params, batch, times) -> [n, t]`` survival curves, or None: curves are Breslow's.
    """

    init: Callable[[Key, Batch], Params]
    predict: Callable[[Params, Batch], Array]
    latent: Callable[[Params, Batch], Array] | None = None
    survival: Callable[[Params, Batch, Array], Array] | None = None


def functions_of(network: Model, config: Any) -> Functions:
    """The functions of a model with these static choices."""
    objective = objective_of(network, config)
    functions = Functions(objective.init, objective.predict, None, objective.survival)
    if network.latent is None:
        return functions
    collect = network.latent(config)

    def latent(params: Params, batch: Batch) -> Array:
        return jnp.concatenate(list(collect(params, batch).values()), axis=-1)

    return functions._replace(latent=latent)


class Programs(NamedTuple):
    """Compiled functions of a kept model.

    Attributes:
        predict: ``(terms, rows) -> [n]``, log hazards of one member, not compiled.
        mean: ``(terms, center, rows) -> [n]``, mean over the members.
        latent: ``(terms, rows) -> [n, z]``, latent coordinates of one member, or None.
        curves: ``(terms, times, rows) -> [n, t]``, mean over the members of the network's own, or None.
    """

    predict: Callable[[Terms, Rows], Array]
    mean: Callable[[Terms, Array, Rows], Array]
    latent: Callable[[Terms, Rows], Array] | None
    curves: Callable[[Terms, Array, Rows], Array] | None


@kept(16)
def programs_of(network: Model | None, config: Any) -> Programs:
    """The programs of a network with these static choices, or of Cox models alone."""
    functions = None if network is None else functions_of(network, config)
    predict = log_hazard_function(functions and functions.predict)

    def mean(terms: Terms, center: Array, rows: Rows) -> Array:
        risks = lax.map(lambda one: predict(one[0], rows) - one[1], (terms, center))
        return jnp.mean(risks, axis=0)

    if functions is None:
        return Programs(predict, jax.jit(mean), None, None)
    latent, survival = functions.latent, functions.survival

    def latents(terms: Terms, rows: Rows) -> Array:
        return latent(terms.network, network_batch(terms, rows))  # type: ignore[misc]

    def curves(terms: Terms, times: Array, rows: Rows) -> Array:
        def one(member: Terms) -> Array:
            return survival(member.network, network_batch(member, rows), times)  # type: ignore[misc]

        return jnp.mean(lax.map(one, terms), axis=0)

    return Programs(
        predict, jax.jit(mean), latent and jax.jit(latents), survival and jax.jit(curves)
    )


class TrainingCohort(NamedTuple):
    """Summary of the training cohort in a model file; no patient can be identified from it.

    Attributes:
        patients, events, unlabelled: numbers of patients.
        median_time, longest_time: follow-up, whether it ended in an event or not.
        time_unit: empty if unknown.
        percentiles: ``[101]``, percentiles 0 to 100 of the held-out log hazards.
        threshold: median held-out log hazard, above which a patient is of high risk.
        c: Harrell's C of the held-out log hazards, with its 95 % interval, which is that of the patients
            alone and too narrow for a guess at new ones. With five seeds a row's log hazard is that of one
            network, which the row has stopped: C is too high for that (0.57 where nothing can be learned),
            and too low because new patients get the mean of all networks (0.62 for 0.67 with 300
            simulated patients). That of `Coxnet` is from the folds that chose its penalty. Delayed entry
            does not count.
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


class FittedTerms(NamedTuple):
    """A model as training left it, an ensemble of members.

    Attributes:
        terms: parameters; the leaves have a leading axis of members.
        center: ``[members]``, mean log hazard on the rows that each trained on.
        held_out: ``[n]``, log hazards by models that did not train on the row; NaN where all did.
    """

    terms: Terms
    center: np.ndarray
    held_out: np.ndarray


@dataclass(frozen=True)
class FittedModel:
    """An ensemble and its preprocessing; new tables in, risks out.

    Attributes:
        network: the network's registry entry; None = Cox models only.
        config: static choices of the network.
        preprocessing: fitted to the training cohort.
        params, center: terms and centres of the members, see `FittedTerms`.
        baseline: cumulative hazard at log hazard 0, from the held-out log hazards.
        cohort: the training patients in numbers.
    """

    network: Model | None
    config: Any
    preprocessing: Preprocessing
    params: Terms
    center: np.ndarray
    baseline: StepFunction
    cohort: TrainingCohort

    @property
    def reads(self) -> Readings:
        """The modalities that networks and Cox models read."""
        return Readings.of(self.params)

    def rows(self, patients: Patients) -> Rows:
        """Patients as the members read them."""
        encoded = read_patients_of(self.preprocessing, patients, self.reads)
        return rows_of(self.preprocessing, encoded, self.reads)

    def log_hazard(self, patients: Patients) -> np.ndarray:
        """``[n]``: the mean over the members, each centred on the rows it trained on."""
        return self.log_hazard_of(self.rows(patients))

    def log_hazard_of(self, rows: Rows) -> np.ndarray:
        """``[n]`` log hazards of patients as the members read them."""
        return in_chunks(partial(self._programs.mean, self.params, self.center), rows)

    def latent(self, patients: Patients) -> np.ndarray:
        """``[n, z]``, latent coordinates of the first member: each member's latent axes differ.

        Raises:
            InputError: the model has no latent variables.
        """
        if self._programs.latent is None:
            name = "a model without a network" if self.network is None else self.network.name
            raise InputError(f"{name} has no latent variables")
        return in_chunks(partial(self._programs.latent, self._first), self.rows(patients))

    @property
    def _first(self) -> Terms:
        return jax.tree.map(lambda p: p[0], self.params)

    def survival(self, patients: Patients, times: ArrayLike) -> np.ndarray:
        """``[n, t]``; by Breslow's baseline constant after the last event of the training cohort."""
        return self.survival_of(self.rows(patients), times)

    def survival_of(self, rows: Rows, times: ArrayLike) -> np.ndarray:
        """``[n, t]`` curves of patients as the members read them."""
        times = np.asarray(column("times", times), float)
        curves = self._programs.curves
        if curves is not None and not self.params.cox:  # the mean of the members' own curves
            return in_chunks(partial(curves, self.params, times), rows)
        return np.asarray(survival_function(self.baseline, self.log_hazard_of(rows), times))

    def table(self, patients: Patients, times: np.ndarray) -> pd.DataFrame:
        """See :meth:`SurvivalEstimator.risk_table`; survival at T is the column ``survival_T``."""
        rows = self.rows(patients)
        risk = self.log_hazard_of(rows)
        known = np.asarray(self.cohort.percentiles)
        below, upto = (np.searchsorted(known, risk, side=side) for side in ("left", "right"))
        columns = {"risk": risk, "percentile": 100 * (below + upto) / (2 * len(known))}
        curves = self.survival_of(rows, times) if times.size else np.zeros((len(risk), 0))
        columns |= {f"survival_{t:.12g}": curves[:, j] for j, t in enumerate(times)}
        columns["group"] = np.where(risk > self.cohort.threshold, "high", "low")
        return pd.DataFrame(columns, index=patients.names.rename("patient"))

    @property
    def predict(self) -> Callable[[Terms, Rows], Array]:
        """One member's log hazards ``[n]``, not centred; the same function, so that programs are kept."""
        return self._programs.predict

    @property
    def _programs(self) -> Programs:
        return programs_of(self.network, self.config)


def in_chunks(program: Callable[[Any], Any], rows: Any, size: int = CHUNK) -> Any:
    """``program(rows)`` for so many rows per call; two pytrees of arrays ``[n, ...]``."""
    n, done = len(jax.tree.leaves(rows)[0]), []
    for first in range(0, n, size):
        at = np.minimum(np.arange(first, first + size), n - 1)
        part = jax.tree.map(lambda x, at=at: x[at], rows)
        done.append(jax.tree.map(np.asarray, program(part)))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:n], *done)


def describe_training(
    trained: FittedTerms,
    event: np.ndarray,
    time: np.ndarray,
    entry: np.ndarray | None,
    *,
    time_unit: str,
) -> tuple[StepFunction, TrainingCohort]:
    """Baseline hazard and summary, from rows that are held out from some member.

    Fitted log hazards of the rows themselves are too far apart; with them survival curves of new
    patients would be too sure.

    Args:
        trained: model of n rows.
        event, time: ``[n]``, NaN where there is no outcome.
        entry: ``[n]`` delayed entry, or None.
        time_unit: unit of the times.
    """
    labelled, risk = ~np.isnan(time), trained.held_out
    rows = labelled & ~np.isnan(risk)
    if not np.isfinite(risk[rows]).all() or not np.isfinite(trained.center).all():
        raise InputError(
            "the training diverged: a log hazard is not finite; lower the learning rate"
        )
    risk, e, t = risk[rows].astype(np.float32), event[rows], time[rows]
    entered = None if entry is None else entry[rows]
    # log hazards are centred, so that a file need not hold log values as well
    baseline = breslow_baseline(risk, e, t, entry=entered)._replace(log_values=None)
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
