"""A fitted survival model with all that new patients need: preprocessing, members, baseline, thresholds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax

from jaxsurv.arguments.columns import column
from jaxsurv.data.tables import few, warn
from jaxsurv.estimators.inputs import Patients
from jaxsurv.estimators.lower_bounds import CalibrationRows
from jaxsurv.estimators.reading import Readings, read_patients_of, rows_of
from jaxsurv.estimators.training_cohort import TrainingCohort
from jaxsurv.models import Batch, Model
from jaxsurv.models.registry import objective_of
from jaxsurv.preprocess import Preprocessing
from jaxsurv.recipe.curves import Baselines
from jaxsurv.recipe.members import Rows, Terms, log_hazard_function, network_batch
from jaxsurv.survival import StepFunction
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
        incidence: ``(params, batch, times) -> [n, causes, t]`` cumulative incidences, or None.
    """

    init: Callable[[Key, Batch], Params]
    predict: Callable[[Params, Batch], Array]
    latent: Callable[[Params, Batch], Array] | None = None
    survival: Callable[[Params, Batch, Array], Array] | None = None
    incidence: Callable[[Params, Batch, Array], Array] | None = None


def functions_of(network: Model, config: Any) -> Functions:
    """The functions of a model with these static choices."""
    objective = objective_of(network, config)
    own = (objective.survival, objective.incidence)
    functions = Functions(objective.init, objective.predict, None, *own)
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
        incidences: the same of its cumulative incidences ``[n, causes, t]``, or None.
    """

    predict: Callable[[Terms, Rows], Array]
    mean: Callable[[Terms, Array, Rows], Array]
    latent: Callable[[Terms, Rows], Array] | None
    curves: Callable[[Terms, Array, Rows], Array] | None
    incidences: Callable[[Terms, Array, Rows], Array] | None


@kept(16)
def programs_of(network: Model | None, config: Any) -> Programs:
    """The programs of a network with these static choices, or of Cox models alone."""
    functions = None if network is None else functions_of(network, config)
    predict = log_hazard_function(functions and functions.predict)

    def mean(terms: Terms, center: Array, rows: Rows) -> Array:
        risks = lax.map(lambda one: predict(one[0], rows) - one[1], (terms, center))
        return jnp.mean(risks, axis=0)

    if functions is None:
        return Programs(predict, jax.jit(mean), None, None, None)
    latent = functions.latent

    def latents(terms: Terms, rows: Rows) -> Array:
        return latent(terms.network, network_batch(terms, rows))  # type: ignore[misc]

    def curves(own: Callable[..., Array], terms: Terms, times: Array, rows: Rows) -> Array:
        def one(member: Terms) -> Array:
            return own(member.network, network_batch(member, rows), times)

        return jnp.mean(lax.map(one, terms), axis=0)

    each = [own and jax.jit(partial(curves, own)) for own in functions[-2:]]
    return Programs(predict, jax.jit(mean), latent and jax.jit(latents), *each)


@dataclass(frozen=True)
class FittedModel:
    """An ensemble and its preprocessing; new tables in, risks out.

    Attributes:
        network: the network's registry entry; None = Cox models only.
        config: static choices of the network.
        preprocessing: fitted to the training cohort.
        params, center: terms and centres of the members, see `FittedTerms`.
        baselines: cumulative hazards at log hazard 0, from the held-out log hazards.
        cohort: the training patients in numbers.
        held_out: training patients that some member has not trained on, None in a file, with strata or
            with delayed entry.
    """

    network: Model | None
    config: Any
    preprocessing: Preprocessing
    params: Terms
    center: np.ndarray
    baselines: Baselines
    cohort: TrainingCohort
    held_out: CalibrationRows | None = None

    @property
    def baseline(self) -> StepFunction:
        """Cumulative hazard at log hazard 0, of all strata together."""
        return self.baselines.pooled

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
        self.require_latents()
        return in_chunks(partial(self._programs.latent, self._first), self.rows(patients))  # type: ignore[arg-type]

    @property
    def has_latents(self) -> bool:
        """Whether a network with latent variables is in the model."""
        return self._programs.latent is not None

    def require_latents(self) -> None:
        """Refuse a model without latent variables."""
        if not self.has_latents:
            name = "a model without a network" if self.network is None else self.network.name
            raise InputError(f"{name} has no latent variables")

    @property
    def _first(self) -> Terms:
        return jax.tree.map(lambda p: p[0], self.params)

    def survival(self, patients: Patients, times: ArrayLike) -> np.ndarray:
        """``[n, t]``; by Breslow's baseline constant after the last event of the training cohort.

        Of a network of all competing causes it is the probability of no event of any cause.

        Warns:
            DataWarning: patients of no stratum of training, whose baseline is that of all strata together.
        """
        rows = self.rows(patients)
        if self.has_incidence:
            return event_free(self.incidence_of(rows, times))
        return self.survival_of(rows, times, patients.labels)

    @property
    def has_incidence(self) -> bool:
        """Whether the model is a network of all competing causes, and nothing beside it."""
        return self._programs.incidences is not None and not self.params.cox

    def incidence_of(self, rows: Rows, times: ArrayLike) -> np.ndarray:
        """``[n, causes, t]`` cumulative incidences of patients as the members read them.

        Raises:
            InputError: a model of one kind of event, or a stack with Cox models of one cause.
        """
        if not self.has_incidence:
            raise InputError(
                "the model is of one kind of event, so that it has no incidence of causes: take "
                "head='competing' in the config of a network, or jaxsurv.estimators.CauseSpecific"
            )
        times = np.asarray(column("times", times), float)
        return in_chunks(partial(self._programs.incidences, self.params, times), rows)  # type: ignore[arg-type]

    def survival_of(
        self, rows: Rows, times: ArrayLike, strata: np.ndarray | None = None
    ) -> np.ndarray:
        """``[n, t]`` curves of patients as the members read them; strata ``[n]``, labels.

        They are of the events that the model was fitted to: of one of several causes, those of the others
        censor.
        """
        times = np.asarray(column("times", times), float)
        curves = self._programs.curves
        if curves is not None and not self.params.cox:  # the mean of the members' own curves
            return in_chunks(partial(curves, self.params, times), rows)
        baselines, risk = self.baselines, self.log_hazard_of(rows)
        if baselines.own is not None:
            strata = np.full(len(risk), np.nan, object) if strata is None else strata
            if (others := ~baselines.known(strata)).any():
                warn(
                    f"{others.sum()} of {len(others)} patients are of no stratum of training with events "
                    f"({few(baselines.own.labels, 20)}): their curves have the baseline hazard of all "
                    "strata together; give their strata, or take the risks alone"
                )
        return baselines.survival(risk, times, strata)

    def table(self, patients: Patients, times: np.ndarray) -> pd.DataFrame:
        """See :meth:`SurvivalEstimator.risk_table`; survival at T is the column ``survival_T``, incidence
        of a cause is ``incidence_<cause>_T``."""
        rows = self.rows(patients)
        risk = self.log_hazard_of(rows)
        known = np.asarray(self.cohort.percentiles)
        below, upto = (np.searchsorted(known, risk, side=side) for side in ("left", "right"))
        columns = {"risk": risk, "percentile": 100 * (below + upto) / (2 * len(known))}
        curves = np.zeros((len(risk), 0))
        if times.size and self.has_incidence:
            incidence = self.incidence_of(rows, times)
            columns |= incidence_columns(incidence, times, self.cohort.causes)
            curves = event_free(incidence)
        elif times.size:
            curves = self.survival_of(rows, times, patients.labels)
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


def event_free(incidence: np.ndarray) -> np.ndarray:
    """``[n, t]`` probabilities of no event of any cause, from incidences ``[n, causes, t]``."""
    return np.maximum(1 - incidence.sum(axis=1), 0)


def incidence_columns(
    incidence: np.ndarray, times: np.ndarray, causes: Sequence[str]
) -> dict[str, np.ndarray]:
    """Columns ``incidence_<cause>_T`` of a risk table from incidences ``[n, causes, t]``."""
    return {
        f"incidence_{cause}_{t:.12g}": incidence[:, k, j]
        for k, cause in enumerate(causes)
        for j, t in enumerate(times)
    }


def in_chunks(program: Callable[[Any], Any], rows: Any, size: int = CHUNK) -> Any:
    """``program(rows)`` for so many rows per call; two pytrees of arrays ``[n, ...]``."""
    n, done = len(jax.tree.leaves(rows)[0]), []
    for first in range(0, n, size):
        at = np.minimum(np.arange(first, first + size), n - 1)
        part = jax.tree.map(lambda x, at=at: x[at], rows)
        done.append(jax.tree.map(np.asarray, program(part)))
    return jax.tree.map(lambda *parts: np.concatenate(parts)[:n], *done)
