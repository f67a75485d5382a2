"""The sentences of a report against what they are about: made-up runs of known means."""

from dataclasses import replace

import numpy as np
import pytest

from jaxsurv.recipe import AS_MEASURED, Ensemble, prepare
from jaxsurv.report.results import shown, shown_errors
from jaxsurv.report.sentences import sentences
from jaxsurv.report.sentences import tested as of_test_sets
from jaxsurv.report.tables import interval
from jaxsurv.study.execute import baseline_rows
from jaxsurv.study.findings import Comparison, find
from tests.recipe.cohorts import small_cohort, splits_of
from tests.study.made_up import made_up

MEANS = {"low": 0.55, "best": 0.70, "high": 0.65}


def findings(level, *, epochs=3, headline="high", **options):
    """The ridge model is at ``level``, with a noise that all rows share; settings at their means."""
    cohort = small_cohort()
    data = prepare(cohort, "os", splits_of(cohort, folds=4, **options), AS_MEASURED)
    noise = np.array([-0.02, 0.0, 0.01, 0.01])
    c = noise[:, None, None] + np.array([-0.03, 0.0, 0.03])[:, None] + [*MEANS.values()]
    jitter = np.array([0.01, -0.01, 0.0, 0.0])
    trained = made_up(
        data,
        "VAE",
        dict.fromkeys(MEANS, 1.0),
        np.random.default_rng(0),
        test_c=c,
        best_epoch=epochs,
    )
    ridge = baseline_rows(data, "ridge Cox", np.zeros(data.splits.test.shape))
    ridge["test_c"] = level + noise + jitter
    models = {"ridge Cox": Ensemble(*np.zeros((2, *data.splits.test.shape)))}
    return find(data, Comparison("low", {}, headline), [trained], ridge, models)


@pytest.mark.parametrize(
    ("level", "verdict", "difference"),
    [(0.45, "it is better", 0.2), (0.65, "the data do not tell them apart", 0.0),
     (0.85, "it is worse", -0.2)],
)  # fmt: skip
def test_the_verdict_is_on_the_headline_against_the_baseline(level, verdict, difference):
    found = findings(level)
    told = "\n".join(sentences(found))
    ridge = found.summary.set_index("setting").loc["ridge Cox"]
    line = next(s for s in sentences(found) if s.startswith("The ridge Cox model"))
    assert line.startswith(f"The ridge Cox model on the same splits has {interval(ridge)}")
    assert f"the paired difference is {difference:+.3f} (" in line
    assert line.endswith(f": {verdict}.")
    assert "The mean test C of 'high' is 0.650 (" in told


def test_the_highest_mean_and_its_runs():
    """Of trained settings alone: the baseline is higher, and another setting is the headline."""
    told = sentences(findings(0.9))
    (line,) = [s for s in told if s.startswith("The highest of the 3 means")]
    assert "is 0.700 at best, picked by test scores" in line
    assert "from 0.650 to 0.740" in line  # 0.70 with -0.02 and -0.03, and with 0.01 and 0.03


def test_patients_and_events_are_those_of_the_cohort_and_of_the_test_sets():
    found = findings(0.5)
    events = int(found.data.event.sum())
    assert sentences(found)[0].endswith(f"os: 80 patients, {events} events; 36 training runs.")
    design = found.data.splits
    few = design._replace(test=design.test & (np.arange(80) % 3 == 0))
    some = replace(found, data=replace(found.data, splits=few))
    rows = few.test.any(axis=0)
    assert of_test_sets(some).endswith(
        f"os: {rows.sum()} patients, {int(found.data.event[rows].sum())} events"
    )


@pytest.mark.parametrize("share", [0, 1, 2, 36])
def test_runs_that_learned_nothing_are_told_above_one_in_twenty(share):
    """Of 36 runs one is 2.8 %, two are 5.6 %."""
    epochs = np.where(np.arange(36).reshape(4, 3, 3) < share, 0, 2)
    told = "\n".join(sentences(findings(0.5, epochs=epochs)))
    assert (f"In {share / 36:.0%} of the runs no epoch was better" in told) == (share > 1)


@pytest.mark.parametrize("fraction", [None, 0.2])
def test_two_way_scores_are_said_to_be_optimistic(fraction):
    told = "\n".join(sentences(findings(0.5, validation_fraction=fraction)))
    assert ("Two-way protocol" in told) == (fraction is None)


def test_the_table_shows_the_summary_row_by_row():
    found = findings(0.45)
    summary, table = found.summary.set_index("setting"), shown(found).set_index("setting")
    errors = shown_errors(found).set_index("setting")
    for name, row in summary.iterrows():
        cells, trained = table.loc[name], name != "ridge Cox"
        assert cells["mean test C (95 %)"] == interval(row)
        assert cells["best run"] == (f"{row['best_run']:.3f}" if trained else "")
        assert cells["seed ensemble"] == (f"{row['ensemble_mean']:.3f}" if trained else "")
        assert cells["IBS"] == f"{row['ibs_mean']:.3f}"
        assert errors.loc[name, "IBS (95 %)"] == interval(row, "ibs_")
        for reference, prefix in (("low", "reference_"), ("ridge Cox", "ridge_")):
            difference = "" if name == reference else interval(row, prefix, sign=True)
            p = "" if name == reference else f" p {row[f'{prefix}p_value']:.2g}"
            assert cells[f"minus {reference}"] == difference + p
