"""Patients without an outcome, harmonised from another platform."""

import numpy as np
import pandas as pd
import pytest

from experiments.cox_mt.command import CoxMTOptions
from experiments.cox_mt.other_platform import add_unlabelled
from experiments.cox_mt.sources import open_sources
from jaxsurv.data import Cohort, write_cohort
from jaxsurv.types import InputError

GENES = ["ACTB", "GAPDH", *(f"g{i}" for i in range(30))]


def table(names, seed=0, *, level=1.0):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(np.linspace(2, 6, len(GENES)), 0.4, (len(names), len(GENES)))
    return pd.DataFrame(level * values, names, GENES)


@pytest.fixture
def cohort():
    names = [f"p{i}" for i in range(40)]
    rng = np.random.default_rng(1)
    outcome = {"os_time": rng.uniform(1, 5, 40), "os_event": rng.integers(0, 2, 40)}
    return Cohort({"rna": table(names)}, pd.DataFrame(outcome, names), {"rna": "counts"})


@pytest.mark.parametrize("harmonise", ["z-score", "housekeeping", "none"])
def test_another_platform(cohort, harmonise):
    """Five times the intensities, columns in another order, one gene that was not measured."""
    other = table([f"u{i}" for i in range(60)], 5, level=5.0)
    both = add_unlabelled(cohort, "rna", other[GENES[:0:-1]], harmonise=harmonise)
    assert both.survival["os_time"].notna().sum() == 40
    rna = np.log2(both.modalities["rna"] + 1)
    ours, theirs = rna.iloc[:40], rna.iloc[40:]
    pd.testing.assert_frame_equal(both.modalities["rna"].iloc[:40], cohort.modalities["rna"])
    assert theirs["ACTB"].isna().all()
    shift = (theirs.mean() - ours.mean()).iloc[1:].abs().max()
    if harmonise == "z-score":
        np.testing.assert_allclose(theirs.std(ddof=0)[1:], ours.std(ddof=0)[1:], rtol=0.05)
        assert shift < 0.05
    else:
        assert (shift < 0.5) == (harmonise == "housekeeping")
        np.testing.assert_allclose(
            theirs.corr().iloc[2, 3], np.log2(other + 1).corr().iloc[2, 3], 0.1
        )


def test_housekeeping_is_one_factor(cohort):
    other = table(["u0", "u1", "u2"], 7, level=0.1)
    both = add_unlabelled(cohort, "rna", other, harmonise="housekeeping", housekeeping=("GAPDH",))
    scaled = both.modalities["rna"].iloc[40:]
    factor = cohort.modalities["rna"]["GAPDH"].mean() / other["GAPDH"].mean()
    np.testing.assert_allclose(scaled, factor * other, rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, t: add_unlabelled(c, "cnv", t), "no modality 'cnv', but rna"),
        (lambda c, t: add_unlabelled(c, "rna", -t), "the negative value .*column 'ACTB'"),
        (lambda c, t: add_unlabelled(c, "rna", t, harmonise="zscore"), "got 'zscore'"),
        (lambda c, t: add_unlabelled(c, "rna", c.modalities["rna"]), "p0, p1.*are patients of the"),
        (lambda c, t: add_unlabelled(c, "rna", t.add_prefix("x")), "has 0 of the 32 features"),
        (
            lambda c, t: add_unlabelled(c, "rna", t, harmonise="housekeeping", housekeeping=("X",)),
            "no housekeeping gene is in both",
        ),
        (
            lambda c, t: add_unlabelled(
                Cohort({"rna": np.log2(c.modalities["rna"])}, c.survival),
                "rna",
                np.log2(t),
                harmonise="housekeeping",
            ),
            "not logarithms; 'rna' is 'continuous'",
        ),
    ],
)
def test_refusals(cohort, change, message):
    with pytest.raises(InputError, match=message):
        change(cohort, table(["u0", "u1"], 3))


def test_a_study_has_the_patients_of_the_platform_without_their_outcomes(tmp_path):
    names = [f"p{i}" for i in range(60)]
    rng = np.random.default_rng(2)
    outcome = pd.DataFrame({"os_time": rng.uniform(1, 5, 60), "os_event": np.arange(60) % 2}, names)
    other = [f"u{i}" for i in range(30)]
    cnv = pd.DataFrame(rng.normal(size=(60, 4)), names, list("abcd"))
    kinds = {"rna": "counts", "cnv": "continuous"}
    own = Cohort({"rna": table(names), "cnv": cnv}, outcome, kinds, name="own")
    write_cohort(own, tmp_path / "own")
    away = outcome.iloc[:30].set_axis(other)
    platform = Cohort({"rna": table(other, 5, level=5.0)}, away, {"rna": "counts"}, name="away")
    write_cohort(platform, tmp_path / "away")
    options = CoxMTOptions(cohort=str(tmp_path / "own"), folds=3, out=tmp_path / "out")
    study = open_sources(options, ["rna", "cnv"], top=50, platform=tmp_path / "away")
    for data, read in ((study.data, {"rna", "cnv"}), (study.first, {"rna"})):
        assert set(data.encoded.columns) == read
        np.testing.assert_array_equal(data.labelled, np.arange(90) < 60)
        np.testing.assert_array_equal(data.fitted.unlabelled, np.tile(np.arange(90) >= 60, (3, 1)))
        assert not (data.splits.test | data.splits.develop)[:, 60:].any()
    assert study.data.cohort.survival.loc[other].isna().all(axis=None)
    rna = np.log2(study.data.cohort.modalities["rna"] + 1)
    assert abs(rna.loc[other].to_numpy().mean() - rna.loc[names].to_numpy().mean()) < 0.05

    options = CoxMTOptions(cohort=str(tmp_path / "own"), folds=3, out=tmp_path / "again")
    with pytest.raises(InputError, match="no modality 'cnv' of kind 'continuous'"):
        open_sources(options, ["cnv"], top=50, platform=tmp_path / "away")
