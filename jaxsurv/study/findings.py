"""Results of a study: means, intervals, paired differences, pooled risks."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from jaxsurv.metrics import hazard_ratio
from jaxsurv.recipe import CrossFitted, Prepared, Stack, ensemble, lowest_loss, stack
from jaxsurv.recipe.stacking import NETWORK
from jaxsurv.study.execute import Method, Trained, baseline_rows, ensemble_rows, pooled_risk
from jaxsurv.study.held_out import CLINICAL_COX, PooledProbabilities, held_out
from jaxsurv.study.statistics import Estimate, over_splits, paired, summarise
from jaxsurv.types import InputError

SPLIT = ["repeat", "fold"]
SCALE = "log hazard, centred and divided by its standard deviation on each run's development rows"


@dataclass(frozen=True)
class Comparison:
    """Specification of the comparison in a study.

    Attributes:
        reference: the setting that all others are compared with, beside every baseline.
        choices: name of a row to the settings among which it takes, in each split, the one with the
            lowest early-stopping loss: what a user who has to choose can expect.
        headline: the row that the sentences and the survival curves are about; None = the setting with
            the highest mean test score, as papers choose it.
        stacked: name of a row to the setting or choice whose networks are averaged over the seeds in
            it, and to the Cox models that they are stacked with (:func:`jaxsurv.recipe.stack`).
    """

    reference: str
    choices: Mapping[str, Sequence[str]]
    headline: str | None
    stacked: Mapping[str, tuple[str, Mapping[str, CrossFitted]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Findings:
    """The numbers of a study, before they are drawn and written.

    Attributes:
        data: the cohort with its splits.
        comparison: specification of the comparison.
        trained: the runs by method.
        runs: one tidy row per run of all methods.
        splits: scores ``test_c`` and ``test_ibs`` of each row of ``summary`` by split, seeds averaged:
            columns ``setting``, ``repeat``, ``fold``.
        summary: one row per setting, choice and baseline.
        baselines: names of the baselines.
        weights: one row per stack, member and split: ``setting``, ``member``, ``repeat``, ``fold``,
            ``weight``, and ``likelihood_ratio``, ``found`` of :class:`jaxsurv.recipe.Stack`.
        predictions: one row per tested patient and row of ``summary``: ``patient``, ``time``, ``event``,
            ``setting``, ``risk`` pooled out of fold by :func:`jaxsurv.study.execute.pooled_risk`, and its
            ``scale``.
        held_out: the headline's probabilities at a horizon; None if its networks have curves of their own,
            which are judged by ``test_ibs`` alone.
    """

    data: Prepared
    comparison: Comparison
    trained: Sequence[Trained]
    runs: pd.DataFrame
    splits: pd.DataFrame
    summary: pd.DataFrame
    baselines: Sequence[str]
    predictions: pd.DataFrame
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)
    held_out: PooledProbabilities | None = None

    @property
    def two_way(self) -> bool:
        """True if early stopping watched the test rows, so that scores are optimistic."""
        return self.data.splits.protocol == "two-way"

    def difference(self, setting: str, reference: str, score: str = "test_c") -> Estimate:
        """Mean of the score of ``setting`` minus that of ``reference``, paired by split."""
        table = self.splits.set_index(["setting", *SPLIT])[score]
        return over_splits(table[setting] - table[reference], self.data.test_fraction)

    @property
    def settings(self) -> pd.DataFrame:
        """The rows of ``summary`` that were trained at one setting."""
        return self.summary.loc[self.summary["setting"].isin(self.runs["setting"])]


def choose_per_split(runs: pd.DataFrame) -> np.ndarray:
    """``[runs]`` booleans, see :func:`jaxsurv.recipe.lowest_loss`."""
    split = runs.groupby(SPLIT, sort=False).ngroup()
    return lowest_loss(split, runs["setting"], runs["validation_loss"])


def check_criteria(comparison: Comparison, methods: Sequence[Method]) -> None:
    """Refuse a choice among settings whose early-stopping losses measure different things.

    Raises:
        InputError: naming the choice, the methods and what each one's loss is.
    """
    for name, settings in comparison.choices.items():
        among = [m for m in methods if set(m.settings) & set(settings)]
        criteria = {m.name: m.objective.criterion or "not said" for m in among}
        known = set(criteria.values())
        if len(among) > 1 and (len(known) > 1 or "not said" in known):
            listed = ", ".join(f"{m}: {c}" for m, c in criteria.items())
            raise InputError(
                f"'{name}' would choose by early-stopping losses that do not compare ({listed}); choose "
                "within each model, or by held-out scores; a model says what its loss is in "
                "Objective.criterion"
            )


def with_choices(runs: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """``runs``, and once more under the name of each choice those that it takes; indices repeat."""
    tables = [runs]
    for name, settings in comparison.choices.items():
        among = runs[runs["setting"].isin(settings)]
        tables.append(among[choose_per_split(among)].assign(setting=name))
    return pd.concat(tables)


def find(
    data: Prepared,
    comparison: Comparison,
    trained: Sequence[Trained],
    base: pd.DataFrame,
    baselines: Mapping[str, CrossFitted],
) -> Findings:
    """Summarise the runs of a study beside its baselines, whose scores by split are ``base``."""
    runs = pd.concat([t.rows for t in trained], ignore_index=True)
    risk = np.concatenate([t.arrays.prediction for t in trained])
    split = np.concatenate([t.arrays.split for t in trained])
    networks = with_choices(runs, comparison)
    risks = {
        setting: (split[group.index], risk[group.index])
        for setting, group in networks.groupby("setting", sort=False)
    }
    stacks, weights = [], []
    for name, (row, members) in comparison.stacked.items():
        seed = networks.loc[networks["setting"] == row, "seed"].to_numpy()
        member = ensemble(data, *risks[row], seed)
        fitted = stack(data, {**members, NETWORK: member})
        weights.append(_weights(data, name, fitted))
        stacked = np.asarray(fitted.log_hazard)
        risks[name] = np.arange(len(stacked)), stacked
        stacks.append(baseline_rows(data, name, stacked))
    for name, model in baselines.items():
        fitted = np.asarray(model.log_hazard)
        risks[name] = np.arange(len(fitted)), fitted
    together = pd.concat([networks, *stacks, base], ignore_index=True)
    how = {"score": "test_c", "by": "setting", "split": SPLIT, "test_fraction": data.test_fraction}
    summary = summarise(together, **how)
    ensembles = ensemble_rows(data, networks, risk[networks.index])
    by_setting = networks.groupby("setting")
    fields = dict.fromkeys(f for t in trained for f in t.arrays.hparams._fields)
    columns = {
        **{f: runs.groupby("setting")[f].first() for f in fields if f in runs},
        "method": together.groupby("setting")["method"].first(),
        "ensemble_mean": ensembles.groupby("setting")["test_c"].mean(),
        "validation_loss": by_setting["validation_loss"].mean(),
        "untrained": by_setting["best_epoch"].apply(lambda epochs: np.mean(epochs == 0)),
    }
    for column, values in columns.items():
        summary[column] = summary["setting"].map(values)
    names = list(baselines)
    error = how | {"score": "test_ibs"}
    brier = summarise(together, **error).set_index("setting")[["mean", "lower", "upper"]]
    summary = summary.join(brier.add_prefix("ibs_"), on="setting")
    for short, reference in references(comparison, names).items():
        if reference in set(together["setting"]):
            for prefix, what in ((f"{short}_", how), (f"ibs_{short}_", error)):
                difference = paired(together, reference, **what).set_index("setting")
                summary = summary.join(difference.add_prefix(prefix), on="setting")
    predictions = _pool(data, risks)
    if comparison.headline is None:
        settings = summary[summary["setting"].isin(runs["setting"])].set_index("setting")
        comparison = replace(comparison, headline=settings["mean"].idxmax())
    means = together.groupby(["setting", *SPLIT], sort=False)[["test_c", "test_ibs"]].mean()
    splits = means.reset_index()
    judged = None
    if not _own_curves(comparison, trained):
        order = pd.MultiIndex.from_arrays([data.splits.repeat, data.splits.fold])
        own = splits.loc[splits["setting"] == comparison.headline].set_index(SPLIT)
        ibs = own["test_ibs"].reindex(order).to_numpy()
        clinical = predictions.loc[predictions["setting"] == CLINICAL_COX]
        risk = clinical.set_index("patient")["risk"].reindex(data.cohort.survival.index).to_numpy()
        judged = held_out(data, comparison.headline, risks, ibs, risk if len(clinical) else None)
    return Findings(
        data, comparison, trained, runs, splits, summary, names, predictions,
        pd.concat(weights, ignore_index=True) if weights else pd.DataFrame(), judged,
    )  # fmt: skip


def _own_curves(comparison: Comparison, trained: Sequence[Trained]) -> bool:
    """Whether the headline has curves that are not Breslow's."""
    own = {s for t in trained if t.method.objective.survival is not None for s in t.method.settings}
    headline = str(comparison.headline)
    return bool(own & {headline, *comparison.choices.get(headline, ())})


def _weights(data: Prepared, name: str, fitted: Stack) -> pd.DataFrame:
    """See `Findings.weights`, of one stack."""
    splits = pd.DataFrame({"repeat": data.splits.repeat, "fold": data.splits.fold})
    return pd.concat(
        [
            splits.assign(setting=name, member=m, weight=w, likelihood_ratio=fitted.found)
            for m, w in zip(fitted.members, fitted.weights.T, strict=True)
        ]
    ).loc[:, ["setting", "member", *SPLIT, "weight", "likelihood_ratio"]]


def references(comparison: Comparison, baselines: Sequence[str]) -> dict[str, str]:
    """Prefix of the columns of a paired difference to what is subtracted."""
    return {"reference": comparison.reference} | {name.split()[0]: name for name in baselines}


def _pool(data: Prepared, risks: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    outcome = pd.DataFrame(
        {
            "patient": data.cohort.survival.index,
            "time": data.time,
            "event": data.event.astype(int),
        }
    )
    if data.cohort.strata is not None:
        outcome["stratum"] = data.cohort.strata.to_numpy(object)
    tables = []
    for setting, (split, risk) in risks.items():
        pooled = pooled_risk(data, split, risk)
        rows = outcome.assign(setting=setting, risk=pooled, scale=SCALE)
        tables.append(rows.dropna(subset="risk"))
    return pd.concat(tables, ignore_index=True)


def hazard_ratios(findings: Findings) -> pd.DataFrame:
    """High against low pooled out-of-fold risk within strata, split at its median: a row per summary row.

    Columns ``setting``, ``patients``, ``events``, ``hazard_ratio``, ``threshold``; NaN where the median does
    not split it, as when no run has learned anything, or one group has left before the first event. Limits
    and p of the pooled groups would not hold: the models of the folds share patients (docs/statistics.md).
    """
    rows = []
    for setting, pooled in findings.predictions.groupby("setting", sort=False):
        risk, event, time = (pooled[c].to_numpy(float) for c in ("risk", "event", "time"))
        values = {"hazard_ratio": np.nan, "threshold": np.nan}
        with contextlib.suppress(InputError):
            strata = pooled["stratum"].to_numpy(object) if "stratum" in pooled else None
            ratio = hazard_ratio(risk, event, time, strata=strata)
            values = {name: float(getattr(ratio, name)) for name in values}
        rows.append(
            {"setting": setting, "patients": len(risk), "events": int(event.sum()), **values}
        )
    return pd.DataFrame(rows)
