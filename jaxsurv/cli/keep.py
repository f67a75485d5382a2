"""The model that a study praises, fitted to all patients and kept as a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import pandas as pd

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.data.tables import few
from jaxsurv.estimators import Network, NetworkEstimator, SurvivalEstimator, SurvivalStack
from jaxsurv.estimators.fitted_estimator import KINDS
from jaxsurv.models import Model
from jaxsurv.recipe import Prepared
from jaxsurv.recipe.stacking import NETWORK
from jaxsurv.report.answers import model_name
from jaxsurv.report.results import weights_of
from jaxsurv.study.execute import Method, Trained
from jaxsurv.study.findings import SPLIT, Comparison, Findings
from jaxsurv.study.statistics import summarise

FILE = "model.zip"
C, BRIER = "C on test sets", "integrated Brier score on test sets"


class Headline(NamedTuple):
    """Headline model of a study, specified so that it can be fitted again.

    Attributes:
        method: the network's method.
        setting: name of its setting.
        stacked: whether it is stacked with Cox models.
        why: reason for choosing this setting, in words.
    """

    method: Method
    setting: str
    stacked: bool
    why: str


def headline_of(comparison: Comparison, trained: Sequence[Trained]) -> Headline:
    """The method and setting of a study's headline.

    Where a study chooses among settings in each split, the setting is that with the lowest early-stopping
    loss in the mean over all splits and seeds: with all patients in the training set there is no test
    patient left to keep out of the choice.

    Args:
        comparison: rows that are compared; its headline is one of them.
        trained: runs by method.
    """
    row, why = comparison.headline, "the setting that the report is about"
    stacked = row in comparison.stacked
    row = comparison.stacked[row][0] if stacked else row
    if row in comparison.choices:
        runs = pd.concat([t.rows for t in trained])
        among = runs[runs["setting"].isin(comparison.choices[row])]
        # every split counts the same
        losses = among.groupby([*SPLIT, "setting"], sort=False)["validation_loss"].mean()
        row = str(losses.groupby("setting", sort=False).mean().idxmin())
        why = "the lowest early-stopping loss in the mean over all splits and seeds"
    method = next(t.method for t in trained if row in t.method.settings)
    return Headline(method, str(row), stacked, why)


def fit_headline(
    trained: Sequence[Trained], seeds: int, comparison: Comparison
) -> tuple[Headline, SurvivalEstimator]:
    """The headline of a study, and its estimator fitted to all patients."""
    headline = headline_of(comparison, trained)
    data = headline.method.data
    return headline, estimator_of(headline, seeds).fit(data.cohort, data.endpoint)


def estimator_of(headline: Headline, seeds: int) -> NetworkEstimator | SurvivalStack:
    """The estimator that fits the headline, not fitted yet."""
    method, training = headline.method, ("epochs", "burn_in", "patience", "batch_size")
    options = {
        "config": method.static,
        "hparams": method.settings[headline.setting],
        "n_seeds": seeds,
        "recipe": method.data.recipe,
        **{name: getattr(method.training, name) for name in training},
    }
    if headline.stacked:
        return SurvivalStack(network=method.model, grid={}, **options)
    return estimator_class(method.model)(**options)


def estimator_class(model: Model) -> Callable[..., NetworkEstimator]:
    """The estimator that is named after a model, or `Network` of that model."""
    kind = KINDS.get(model.name)
    if kind is not None and getattr(kind, "model", None) == model.name:
        return cast(type[NetworkEstimator], kind)
    return lambda **options: Network(model, **options)


def without_idle_network(
    findings: Findings, model: SurvivalEstimator, data: Prepared
) -> SurvivalEstimator:
    """The model, or if it is a stack whose network had weight 0 in every split of the study, one without."""
    rows = weights_of(findings)
    network = rows["weight"][rows["member"] == NETWORK] if len(rows) else rows
    if not isinstance(model, SurvivalStack) or network.empty or network.any():
        return model
    if model.fitted().network is None:
        return model
    cox = [member for member in model.members if member != NETWORK]
    return SurvivalStack(cox, recipe=data.recipe).fit(data.cohort, data.endpoint)


def write_headline(
    findings: Findings, fitted: tuple[Headline, SurvivalEstimator], folder: ResultsFolder
) -> tuple[str, str]:
    """Write what `fit_headline` gave to ``model.zip``; returns its name and place, and how to use it."""
    (headline, model), name = fitted, findings.comparison.headline
    data = headline.method.data
    model = without_idle_network(findings, model, data)
    scores = _scores(findings, data.test_fraction)
    told = (
        f"'{name}' of {data.cohort.name}, {data.endpoint}, fitted to all patients, with "
        f"'{headline.setting}': {headline.why}."
    )
    if len(data.splits.fold) < 2:  # no interval
        told += f" C on the test set: {scores.pop(C)[0]:.3f}."
        scores.pop(BRIER)
    folder.write(FILE, lambda path: model.save(path, metrics=scores, notes=told))
    cohort = model.fitted().cohort
    path = folder.path / FILE
    two_way = (
        " Its training is stopped by held-out fifths of the patients, which the two-way scores of this "
        "page are not." * findings.two_way
    )
    left_out = headline.stacked and model.fitted().network is None
    how = f"with '{headline.setting}' ({headline.why})"
    if headline.stacked:
        weights = ", ".join(f"{name} {w:.2f}" for name, w in model.weights_.items())
        how = "the network, which adds nothing, left out" if left_out else how
        how += f"; weights of its members: {weights}"
    what = model_name(findings)
    setting = "" if headline.setting in what else f" with {headline.setting}"
    only = ", of which only the Cox models are left, as the network adds nothing" * left_out
    return (
        f"{what}{only or setting}; fitted to all {cohort.patients} patients with {cohort.events} events, in "
        f"{path}.",
        f"Kept in {FILE}: {type(model).__name__}, the model of '{name}' fitted to all {cohort.patients} "
        f"patients with {cohort.events} events, {how}; it reads "
        f"{few(list(model.fitted().preprocessing.schema.features), 20)}.{two_way} To score new patients: "
        f"python -m jaxsurv score {path} NEW_PATIENTS --out risks.csv, or in Python: {python_line(path)}",
    )


def _scores(findings: Findings, test_fraction: float) -> dict[str, tuple[float, float, float]]:
    """Scores of the headline on test sets, each with its 95 % limits, for the model card."""
    mine = findings.splits[findings.splits["setting"] == findings.comparison.headline]
    how = {"by": "setting", "split": SPLIT, "test_fraction": test_fraction}
    scores = {
        name: tuple(summarise(mine, score=score, **how).iloc[0][["mean", "lower", "upper"]])
        for name, score in ((C, "test_c"), (BRIER, "test_ibs"))
    }
    held = findings.held_out
    if held is not None and held.calibration is not None:
        name = f"calibration slope by {held.horizon:g} {findings.data.cohort.time_unit}".rstrip()
        scores[f"{name} on test sets, 1 is right"] = held.calibration.slope
    return scores


def python_line(path: Path) -> str:
    """Python that scores new patients with the model at ``path``, for people to copy."""
    return (
        "from jaxsurv.data import read_features; from jaxsurv.estimators import load; "
        f'model = load("{path}"); model.risk_table(read_features("NEW_PATIENTS", '
        "model.fitted().preprocessing.schema.kinds))"
    )
