"""Explanation of a fitted model's risks: per feature, per modality, per patient."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from jaxsurv.arguments.labels import dense
from jaxsurv.data.tables import warn
from jaxsurv.estimators.attribution import feature_columns, integrated_gradients, per_feature
from jaxsurv.estimators.fitted import FittedModel
from jaxsurv.estimators.importance import Outcomes, permutation_drops, withheld
from jaxsurv.estimators.inputs import Patients
from jaxsurv.estimators.reading import read_patients_of, rows_of
from jaxsurv.estimators.training_cohort import TrainingCohort
from jaxsurv.preprocess import Schema
from jaxsurv.recipe import Rows
from jaxsurv.types import ArrayLike, InputError


class Explanation(NamedTuple):
    """Attributions and importances behind the risks of some patients.

    A quantity ``q`` over the members of the ensemble has the columns ``q``, ``q_lower`` and ``q_upper``:
    mean and 95 % t interval. The interval says how much the answer depends on the seed, not on the
    patients, and is empty for a single member. Columns about C are there if an outcome was given.

    Attributes:
        features: one row per (modality, feature). ``attribution``: mean over the patients of the
            attribution's size, in log hazard. ``direction``: its slope, log hazard per standardised unit
            of the feature (one standard deviation, but 0.2 for codes and states that vary less), above 0
            where more is worse, for a linear model the coefficient; empty for features that the model does
            not read and for those of three or more categories. ``c_drop``: drop of Harrell's C when the
            feature is permuted among the patients who have its modality.
        modalities: one row per modality. ``attribution``: attribution of its features together, summed
            within a patient. ``c_drop``: drop of Harrell's C when the whole table is permuted across
            patients, and who has it. ``c`` and ``c_without``: Harrell's C of the ensemble, with all
            modalities and as if nobody had this one; ``c_lost``, ``c_lost_lower``, ``c_lost_upper``:
            difference of the two, with its 95 % interval over a bootstrap of the patients.
        patients: ``[n, features]``, each patient's attributions, mean over the members; their sum is
            how far the log hazard is from that of a patient who has the same modalities, all at the
            training mean.
    """

    features: pd.DataFrame
    modalities: pd.DataFrame
    patients: pd.DataFrame


def explain(
    model: FittedModel,
    patients: Patients,
    outcome: tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None] | None,
    *,
    steps: int,
    repeats: int,
    seed: int,
) -> Explanation:
    """See :meth:`SurvivalEstimator.explain`.

    Args:
        model: fitted model of any network.
        patients: patients to be explained.
        outcome: events, times, strata (or None) and entry (None) of the patients, each ``[n]``, or None.
        steps: number of steps of the path from the training mean to the patient.
        repeats: permutations of each feature and table.
        seed: seed of permutations and bootstrap.

    Warns:
        DataWarning: a modality that none of the patients has; its rows are empty; an outcome with the number,
            events and follow-up of the training patients.
    """
    preprocessing, reads = model.preprocessing, model.reads
    schema, encoded = preprocessing.schema, read_patients_of(preprocessing, patients, reads)
    rows = rows_of(preprocessing, encoded, reads)
    before = preprocessing.inputs(encoded, project=False)
    features, modalities, mean = _attributions(model, rows, before.inputs, steps)
    if outcome is not None:
        event, time, strata, entry = outcome
        if entry is not None:
            raise InputError(
                "an explanation by C takes one row per patient, without an entry: give those at risk at a "
                "time, by jaxsurv.data.landmark_cohort(cohort, endpoint, time), or leave y out"
            )
        _warn_of_training(model.cohort, event, time)
        ranks = np.unique(time, return_inverse=True)[1]  # whose order float32 keeps
        data = Outcomes(rows, event, ranks, None if strata is None else dense(strata))
        lost = withheld(model, data, seed=seed)
        drops = permutation_drops(
            model, data, before.inputs, encoded.presence, repeats=repeats, seed=seed
        )
        features = features.assign(**_over_members("c_drop", drops[0]))
        modalities = modalities.assign(**_over_members("c_drop", drops[1])).join(lost)
    absent = [m for m, there in encoded.presence.items() if not there.any()]
    for table in (features, modalities):  # what the model makes of it cannot be seen
        table.loc[absent] = np.nan
    each = pd.DataFrame(mean, patients.names.rename("patient"), _names(schema))
    return Explanation(features, modalities, each)


def _warn_of_training(cohort: TrainingCohort, event: np.ndarray, time: np.ndarray) -> None:
    """Warn if these seem to be the training patients, of whom a model file has a summary only."""
    seen = (len(time), event.sum(), np.median(time), time.max())
    known = (cohort.patients, cohort.events, cohort.median_time, cohort.longest_time)
    if np.allclose(seen, known):
        warn(
            f"these {len(time)} patients have the events and the follow-up of those who trained the model: "
            "on them C is too good, and a feature that was learned by heart looks important; give others"
        )


def _names(schema: Schema) -> pd.MultiIndex:
    pairs = [(m, f) for m, features in schema.features.items() for f in features]
    return pd.MultiIndex.from_tuples(pairs, names=["modality", "feature"])


def _attributions(
    model: FittedModel, rows: Rows, unprojected: dict[str, np.ndarray], steps: int
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Tables of features and of modalities, and ``[n, features]``, the mean over the members."""
    schema, z = model.preprocessing.schema, []
    for m, x in unprojected.items():
        x = np.asarray(rows.z.get(m, x))
        columns = feature_columns(schema, m)
        several = np.any(columns[:, 1:] < x.shape[1], axis=1)
        z.append(np.where(several, np.nan, per_feature(columns, x)))
    values = np.concatenate(z, axis=1)
    starts = np.cumsum([0, *(len(f) for f in schema.features.values())])[:-1]
    size, slope, together, mean = [], [], [], np.zeros(values.shape, np.float32)
    for a in integrated_gradients(model, rows, unprojected, steps=steps):
        size.append(np.abs(a).mean(axis=0))
        with np.errstate(invalid="ignore"):  # 0 / 0 for features without variation in training
            slope.append((a * values).sum(axis=0) / (values**2).sum(axis=0))
        together.append(np.abs(np.add.reduceat(a, starts, axis=1)).mean(axis=0))
        mean += a / len(model.center)
    features = _over_members("attribution", size) | _over_members("direction", slope)
    modalities = _over_members("attribution", together)
    index = pd.Index(list(schema.features), name="modality")
    return pd.DataFrame(features, _names(schema)), pd.DataFrame(modalities, index), mean


def _over_members(name: str, values: ArrayLike | list[np.ndarray]) -> dict[str, np.ndarray]:
    """Mean and 95 % t interval of ``[members, k]``, as columns."""
    values = np.asarray(values, float)
    mean, half = values.mean(axis=0), np.full(values.shape[1], np.nan)
    if (members := len(values)) > 1:
        error = values.std(axis=0, ddof=1) / np.sqrt(members)
        half = stats.t.ppf(0.975, members - 1) * error
    return {name: mean, f"{name}_lower": mean - half, f"{name}_upper": mean + half}
