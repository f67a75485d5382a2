"""Findings of a study: its numbers by hand from the runs, and what it refuses to compare."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from jaxsurv.metrics import concordance_index, hazard_ratio
from jaxsurv.models import Model
from jaxsurv.recipe import AS_MEASURED, Ensemble, clinical_cox, ensemble, prepare, stack
from jaxsurv.study.execute import Method, baseline_rows
from jaxsurv.study.findings import (
    Comparison,
    check_criteria,
    choose_per_split,
    find,
    hazard_ratios,
)
from jaxsurv.types import InputError, Objective
from tests.recipe.cohorts import small_cohort, splits_of
from tests.study.made_up import made_up


def method(name, criterion, *settings):
    """A method that is never trained."""
    objective = Objective(*[lambda *_: None] * 4, criterion=criterion)
    model = Model(name, lambda config: objective, None)
    return Method(name, model, dict.fromkeys(settings), None)


COX = method("VAE", "cox", "beta 0", "beta 1")
OTHER = method("Cox-nnet", "cox", "small", "large")
WEIBULL = method("Weibull", "Weibull likelihood", "shape")
UNSAID = method("mine", "", "one", "two")


def choosing(*settings, **more):
    return Comparison("beta 0", {"chosen": settings, **more}, "chosen")


@pytest.mark.parametrize(
    ("settings", "listed"),
    [
        (("beta 0", "shape"), r"VAE: cox, Weibull: Weibull likelihood"),
        (("beta 1", "one"), r"VAE: cox, mine: not said"),
        (("shape", "two"), r"Weibull: Weibull likelihood, mine: not said"),
        (
            ("beta 0", "small", "shape"),
            r"VAE: cox, Cox-nnet: cox, Weibull: Weibull likelihood",
        ),
    ],
)
def test_a_choice_among_unlike_losses_is_refused(settings, listed):
    with pytest.raises(InputError) as error:
        check_criteria(choosing(*settings), [COX, OTHER, WEIBULL, UNSAID])
    assert f"'chosen' would choose by early-stopping losses that do not compare ({listed})" in str(
        error.value
    )
    assert "choose within each model, or by held-out scores" in str(error.value)
    assert "Objective.criterion" in str(error.value)


def test_two_that_do_not_say_do_not_compare_either():
    again = method("yours", "", "three")
    with pytest.raises(InputError, match=r"do not compare \(mine: not said, yours: not said\)"):
        check_criteria(choosing("one", "three"), [UNSAID, again])


def test_the_refused_choice_is_named_among_others():
    comparison = choosing("beta 0", "beta 1", bad=("small", "shape"))
    with pytest.raises(InputError, match="'bad' would choose by early-stopping losses"):
        check_criteria(comparison, [COX, OTHER, WEIBULL])


@pytest.mark.parametrize(
    "settings",
    [("beta 0", "beta 1"), ("beta 0", "small", "large"), ("one", "two"), ("shape",)],
    ids=["one method", "equal criteria", "one that does not say", "one setting"],
)
def test_equal_losses_are_chosen_by(settings):
    check_criteria(choosing(*settings), [COX, OTHER, WEIBULL, UNSAID])


def test_without_a_choice_all_may_be_shown_together():
    check_criteria(Comparison("beta 0", {}, "beta 0"), [COX, OTHER, WEIBULL, UNSAID])


FOLDS, REPEATS, SEEDS = 4, 2, 3
SETTINGS = {"low": 0.1, "middle": 0.5, "high": 2.0}
RIDGE = np.random.default_rng(9).normal(size=(FOLDS * REPEATS, 80))  # log hazards of a baseline
BASELINES = {"ridge Cox": Ensemble(RIDGE, RIDGE)}


@pytest.fixture(scope="module", params=[0.2, None], ids=["three-way", "two-way"])
def study(request):
    """Findings of runs at random, two methods and one baseline beside them, and its inputs."""
    cohort, rng = small_cohort(), np.random.default_rng(0)
    options = {"folds": FOLDS, "repeats": REPEATS, "validation_fraction": request.param}
    data = prepare(cohort, "os", splits_of(cohort, **options), AS_MEASURED)
    trained = [
        made_up(data, "VAE", SETTINGS, rng, seeds=SEEDS),
        made_up(data, "other", {"other": 9.0}, rng, seeds=SEEDS),
    ]
    ridge = baseline_rows(data, "ridge Cox", RIDGE)
    comparison = Comparison("low", {"chosen": tuple(SETTINGS)}, None)
    return data, trained, ridge, find(data, comparison, trained, ridge, BASELINES)


def by_split(rows, score):
    return rows.groupby(["repeat", "fold"])[score].mean()


def choices(rows):
    """The runs of the setting whose mean loss over the seeds is least, split by split."""
    kept = []
    for _, split in rows.groupby(["repeat", "fold"]):
        loss = split.groupby("setting")["validation_loss"].mean()
        kept.append(split[split["setting"] == loss.idxmin()])
    return pd.concat(kept)


def named_rows(study):
    """What each row of the summary is about."""
    _, trained, ridge, found = study
    runs = found.runs
    vae = runs[runs["method"] == "VAE"]
    rows = {name: runs[runs["setting"] == name] for name in [*SETTINGS, "other"]}
    assert len(runs) == sum(len(t.rows) for t in trained)
    return {
        **rows,
        "chosen": choices(vae),
        "ridge Cox": ridge.astype({"test_c": float, "test_ibs": float}),
    }


def test_the_choice_of_a_split_is_by_the_mean_over_its_seeds(study):
    vae = study[3].runs[study[3].runs["method"] == "VAE"]
    chosen = choices(vae)
    best_run = vae.loc[vae.groupby(["repeat", "fold"])["validation_loss"].idxmin()]
    assert (chosen.groupby(["repeat", "fold"])["setting"].first().to_numpy()
            != best_run["setting"].to_numpy()).any()  # fmt: skip
    assert chosen["setting"].nunique() > 1
    np.testing.assert_array_equal(
        np.flatnonzero(choose_per_split(vae.reset_index(drop=True))), np.sort(chosen.index)
    )


@pytest.mark.parametrize("score", ["test_c", "test_ibs"])
def test_every_interval_allows_for_test_rows_over_training_rows(study, score):
    """Means, differences and their limits against the formula, with the ratio counted in the masks."""
    data, _, _, found = study
    train = ~data.splits.test  # three-way: early-stopping rows of one seed train the others
    ratio = data.splits.test.sum() / train.sum()
    np.testing.assert_allclose(ratio, 1 / (FOLDS - 1))
    ibs = "ibs_" * (score == "test_ibs")
    rows, summary = named_rows(study), found.summary.set_index("setting")
    assert set(summary.index) == set(rows)

    def limits(scores):
        """Of two deals: the variance within them, and 3/2 of that between their means."""
        deals = scores.to_numpy().reshape(REPEATS, FOLDS)
        within = deals.var(axis=1, ddof=1).mean() / FOLDS
        between = 1.5 * deals.mean(axis=1).var(ddof=1)
        parts = within**2 / (REPEATS * (FOLDS - 1)) + between**2
        total = within + between
        half = stats.t.ppf(0.975, total**2 / parts) * np.sqrt(total) if total else 0.0
        return scores.mean(), scores.mean() - half, scores.mean() + half

    for name, own in rows.items():
        scores, row = by_split(own, score), summary.loc[name]
        assert len(scores) == FOLDS * REPEATS
        parts = row[[f"{ibs}{part}" for part in ("mean", "lower", "upper")]].astype(float)
        np.testing.assert_allclose(parts, np.clip(limits(scores), 0, 1), rtol=1e-9)
        for prefix, other in (("reference", "low"), ("ridge", "ridge Cox")):
            difference = scores - by_split(rows[other], score)
            parts = row[[f"{ibs}{prefix}_{p}" for p in ("mean", "lower", "upper")]].astype(float)
            np.testing.assert_allclose(parts, limits(difference), rtol=1e-9, atol=1e-12)
            told = found.difference(name, other, score)
            np.testing.assert_allclose(told[:3], limits(difference), rtol=1e-9, atol=1e-12)


def test_what_else_the_summary_says_of_a_row(study):
    _, _, _, found = study
    rows, summary = named_rows(study), found.summary.set_index("setting")
    for name, own in rows.items():
        row = summary.loc[name]
        assert (row["runs"], row["method"]) == (len(own), own["method"].iloc[0])
        assert (row["best_run"], row["worst_run"]) == (own["test_c"].max(), own["test_c"].min())
        if name != "ridge Cox":
            assert row["validation_loss"] == pytest.approx(own["validation_loss"].mean())
            assert row["untrained"] == pytest.approx((own["best_epoch"] == 0).mean())
    assert summary.loc[list(SETTINGS), "beta"].to_dict() == SETTINGS
    means = summary.loc[[*SETTINGS, "other"], "mean"]
    assert found.comparison.headline == means.idxmax()
    assert set(found.settings["setting"]) == {*SETTINGS, "other"}
    assert found.baselines == ["ridge Cox"]
    assert found.two_way == (found.data.splits.protocol == "two-way")


def test_seeds_are_averaged_before_an_ensemble_is_scored(study):
    data, trained, _, found = study
    risk = np.concatenate([t.arrays.prediction for t in trained])
    summary = found.summary.set_index("setting")
    for name, own in named_rows(study).items():
        if name == "ridge Cox":
            continue
        c = []
        for s, (repeat, fold) in enumerate(zip(data.splits.repeat, data.splits.fold, strict=True)):
            runs = own[(own["repeat"] == repeat) & (own["fold"] == fold)].index
            test = data.splits.test[s]
            mean = risk[runs].mean(axis=0)[test]
            c.append(concordance_index(mean, data.event[test], data.time[test]).index)
        assert summary.loc[name, "ensemble_mean"] == pytest.approx(np.mean(c), abs=1e-6)


def test_a_pooled_risk_is_of_the_runs_that_tested_the_patient(study):
    """Patient by patient; runs that trained on the patient know the outcome."""
    data, trained, _, found = study
    risk = np.concatenate([*(t.arrays.prediction for t in trained), RIDGE])
    split = np.concatenate([*(t.arrays.split for t in trained), np.arange(len(RIDGE))])
    runs_of = {name: own.index.to_numpy() for name, own in named_rows(study).items()}
    runs_of["ridge Cox"] = np.arange(len(risk) - len(RIDGE), len(risk))
    for name, runs in runs_of.items():
        expected = []
        for i in range(len(data.event)):
            z = []
            for r in runs[data.splits.test[split[runs], i]]:
                known = risk[r][data.splits.develop[split[r]]]
                z.append((risk[r, i] - known.mean()) / known.std())
            assert len(z) == len(runs) / FOLDS
            expected.append(np.mean(z))
        table = found.predictions[found.predictions["setting"] == name]
        assert table["patient"].tolist() == list(data.cohort.survival.index)
        np.testing.assert_allclose(table["risk"], expected, rtol=1e-6, atol=1e-9)
        np.testing.assert_array_equal(table["event"], data.event)
        np.testing.assert_allclose(table["time"], data.time)


def test_hazard_ratios_are_of_the_pooled_risks(study):
    _, _, _, found = study
    table = hazard_ratios(found).set_index("setting")
    for name, pooled in found.predictions.groupby("setting"):
        high = pooled["risk"] > pooled["risk"].median()
        ratio = hazard_ratio(*(pooled[c].to_numpy(float) for c in ("risk", "event", "time")))
        assert table.loc[name, "hazard_ratio"] == pytest.approx(float(ratio.hazard_ratio))
        assert table.loc[name, "threshold"] == pytest.approx(pooled["risk"].median(), rel=1e-5)
        assert table.loc[name, ["patients", "events"]].tolist() == [80, pooled["event"].sum()]
        assert 0 < high.sum() < 80


def test_a_stack_of_a_study_averages_its_own_networks_over_the_seeds(study):
    data, trained, ridge, _ = study
    if data.splits.protocol == "two-way":
        return  # no row is held out
    members = {"clinical": clinical_cox(data)}
    comparison = Comparison("low", {"chosen": tuple(SETTINGS)}, "top", {"top": ("high", members)})
    found = find(data, comparison, trained, ridge, BASELINES)
    arrays, runs = trained[0].arrays, trained[0].rows["setting"] == "high"
    own = ensemble(data, arrays.split[runs], arrays.prediction[runs], arrays.seed[runs])
    expected = baseline_rows(data, "top", np.asarray(stack(data, {**members, "n": own}).log_hazard))
    top = found.splits[found.splits["setting"] == "top"]
    np.testing.assert_allclose(top["test_c"], expected["test_c"])
    np.testing.assert_allclose(top["test_ibs"], expected["test_ibs"])
