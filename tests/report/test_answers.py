"""The five answers at the top of a report, against numbers that are known."""

from dataclasses import replace

import numpy as np
import pytest

from jaxsurv.metrics import calibration_curve, net_benefit, recalibration
from jaxsurv.report.answers import answers, model_name
from jaxsurv.report.sentences import sentences
from jaxsurv.study.findings import Comparison
from jaxsurv.study.held_out import Calibration, TimeEffect
from tests.report.test_sentences import findings


def of(found, question, kept=""):
    (text,) = [a.text for a in answers(found, kept) if a.question.startswith(question)]
    return text


@pytest.fixture(scope="module")
def study():
    return findings(0.45)


def judged(study, risk, event, time, horizon=5.0):
    """The study with these held-out probabilities of its headline."""
    q = np.linspace(0.1, 0.5, 5)
    alive = 1 - risk
    line = recalibration(alive, event, time, horizon)
    low, high = line.observed - 0.05, line.observed + 0.05
    calibration = Calibration(
        calibration_curve(alive, event, time, horizon), line, (line.observed, low, high)
    )
    benefit = {
        "high": net_benefit(risk, event, time, horizon, q),
        "clinical Cox": net_benefit(np.roll(risk, 7), event, time, horizon, q),
    }
    held = study.held_out._replace(horizon=horizon, calibration=calibration, benefit=benefit)
    return replace(study, held_out=held)


@pytest.fixture(scope="module")
def patients():
    """Exponential times: the true probability of the event by 5 is the risk."""
    rng = np.random.default_rng(2)
    risk = rng.uniform(0.05, 0.9, 600)
    time = rng.exponential(size=600) * -5 / np.log1p(-risk)
    return risk, (time < 12) * 1, np.minimum(time, 12)


def test_signal_is_shown_if_the_interval_is_above_chance(study):
    told = of(study, "Is there signal")
    assert told.startswith("Yes: held-out C of VAE, high is 0.650 (")
    held = study.held_out
    assert f"one curve for everybody has {held.no_features_ibs:.3f}, difference" in told
    unsure = study.summary.copy()
    unsure["lower"] = 0.49
    assert of(replace(study, summary=unsure), "Is there signal").startswith("Not shown: ")
    unsure["lower"] = np.nan
    assert of(replace(study, summary=unsure), "Is there signal").startswith("One split has no")


@pytest.mark.parametrize(
    ("level", "verdict"),
    [(0.45, "better order"), (0.65, "the data do not tell them apart"), (0.85, "worse order")],
)
def test_baselines_by_c_and_by_brier_score(level, verdict):
    found = findings(level)
    splits = found.splits.copy()
    splits["test_ibs"] = splits["setting"].map({"high": 0.15}).fillna(0.15)
    same = of(replace(found, splits=splits), "Is it better")
    assert same.startswith(f"Minus ridge Cox: C {0.65 - level:+.3f} (")
    assert same.endswith(f"; {verdict}.")
    splits.loc[splits["setting"] == "high", "test_ibs"] -= 0.02
    better = of(replace(found, splits=splits), "Is it better")
    assert "Brier -0.020 (-0.020 to -0.020)" in better
    assert "probabilities" in better.rsplit(";", 1)[1]


def test_the_kept_model_is_named_with_its_place(study):
    assert of(study, "Which model", "VAE, in here/model.zip.") == "VAE, in here/model.zip."
    assert of(study, "Which model").startswith("None")
    stacked = replace(
        study, comparison=Comparison("low", {}, "ridge Cox", {"ridge Cox": ("low", {})})
    )
    assert model_name(stacked) == "VAE, low, stacked with Cox models"
    assert model_name(stacked, "KL weight of VAE on ACC") == "low, stacked with Cox models"


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        (lambda x: x, "No fault seen."),
        (lambda x: x - 1.0, "No: risks too low."),
        (lambda x: x + 1.0, "No: risks too high."),
        (lambda x: 2 * x + 0.4, "risks too extreme."),
        (lambda x: x / 2 - 0.3, "risks too much alike."),
    ],
)
def test_calibration_finds_the_fault(study, patients, wrong, verdict):
    """Log cumulative hazards moved or stretched; the slope and the level are those of `recalibration`."""
    risk, event, time = patients
    moved = -np.expm1(-np.exp(wrong(np.log(-np.log1p(-risk)))))
    found = judged(study, moved, event, time)
    told = of(found, "Is it calibrated")
    assert verdict in told
    line = found.held_out.calibration.line
    assert f"O/E {line.ratio:.2f}" in told
    assert f"calibration slope {line.slope:.2f} (" in told
    assert "By 5 units of time, " in told


def test_use_is_told_at_the_threshold_of_all_patients(study, patients):
    risk, event, time = patients
    found = judged(study, risk, event, time)
    told = of(found, "Whom would it help")
    own, other = found.held_out.benefit.values()
    gain = own.minus(other)
    assert f"risk of {own.thresholds[2]:.0%}" in told
    assert f"{own.net_benefit[2]:+.3f} ({own.lower[2]:+.3f} to {own.upper[2]:+.3f})" in told
    assert (
        f"{gain.difference[2]:+.3f} ({gain.lower[2]:+.3f} to {gain.upper[2]:+.3f}) against" in told
    )
    groups = found.held_out.calibration.curve.groups
    assert f"{groups.observed[-1]:.0%} (" in told


def test_what_cannot_be_judged_is_said(study):
    held = study.held_out._replace(calibration=None, benefit={})
    bare = replace(study, held_out=held)
    assert of(bare, "Is it calibrated").startswith("Cannot be judged at ")
    assert of(bare, "Whom").startswith("Cannot be judged at ")
    own = replace(study, held_out=None)
    assert "curves of their own" in of(own, "Is it calibrated")
    assert "Brier" not in of(own, "Is there signal")


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        (TimeEffect(0.6, 2.0, 1.8), "No change of the clinical model's effect with time is seen (p = 0.6;"),
        (TimeEffect(0.01, 3.0, 1.2), "apart too little early and too much later"),
        (TimeEffect(0.01, 1.2, 3.0), "apart too much early and too little later"),
    ],
)  # fmt: skip
def test_proportional_hazards_of_the_clinical_model(study, effect, told):
    found = replace(study, held_out=study.held_out._replace(time_effect=effect))
    (line,) = [s for s in sentences(found) if "clinical model" in s]
    assert told in line
    assert f"{effect.early:.2f} up to " in line
    without = replace(study, held_out=study.held_out._replace(time_effect=None))
    assert not [s for s in sentences(without) if "clinical model" in s]


def test_brier_scores_that_differ_are_in_the_sentences():
    found = findings(0.45)
    summary = found.summary.copy()
    for name, value in {"mean": -0.02, "lower": -0.03, "upper": -0.01}.items():
        summary[f"ibs_ridge_{name}"] = value
    told = sentences(replace(found, summary=summary))
    assert any("Brier score is lower, better: -0.020 (-0.030 to -0.010)." in s for s in told)
    summary["ibs_ridge_upper"] = 0.01
    assert not any("Brier score is" in s for s in sentences(replace(found, summary=summary)))
