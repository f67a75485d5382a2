"""Cohorts put beside each other: columns by name, values comparable, nothing looked at twice."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, join_cohorts
from jaxsurv.types import InputError


def cohort(name, n, genes, seed=0, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    patients = [f"p{i}" for i in range(n)]
    rna = pd.DataFrame(rng.normal(size=(n, len(genes))) * scale + shift, patients, genes)
    clinical = pd.DataFrame({"age": rng.normal(60, 9, n)}, patients)
    survival = pd.DataFrame(
        {"os_time": rng.exponential(9, n) + 1, "os_event": rng.integers(0, 2, n)}
    )
    return Cohort({"rna": rna, "clinical": clinical}, survival.set_axis(patients), name=name)


TRAIN = cohort("a", 40, ["x", "y", "z"])
OTHER = cohort("b", 30, ["z", "w", "x"], 1, 5.0, 100.0)


def test_columns_are_the_training_cohorts_in_its_order():
    joined = join_cohorts(TRAIN, {"b": OTHER}, "os")
    rna = joined.cohort.modalities["rna"]
    assert list(rna.columns) == ["x", "y", "z"]
    assert rna.loc["b:p3"].isna().tolist() == [False, True, False]
    np.testing.assert_array_equal(rna.iloc[:40], TRAIN.modalities["rna"])
    assert joined.origin.tolist() == ["a"] * 40 + ["b"] * 30
    found = joined.found.set_index(["cohort", "modality"])["found"]
    assert found[("b", "rna")] == 2
    assert found[("b", "clinical")] == 1


@pytest.mark.parametrize("how", ["z-score", "quantile", "none"])
def test_values_are_harmonised_and_clinical_ones_are_not(how):
    joined = join_cohorts(TRAIN, {"b": OTHER}, "os", harmonise=how).cohort
    x, mine = TRAIN.modalities["rna"]["x"], joined.modalities["rna"]["x"].iloc[40:]
    given = OTHER.modalities["rna"]["x"]
    np.testing.assert_array_equal(mine.rank(), given.rank())
    if how == "z-score":
        np.testing.assert_allclose(
            [mine.mean(), mine.std()], [x.mean(), x.std(ddof=0) * 30**0.5 / 29**0.5]
        )
    elif how == "quantile":
        np.testing.assert_allclose(mine.sort_values(), np.quantile(x, (np.arange(30) + 0.5) / 30))
    else:
        np.testing.assert_array_equal(mine, given)
    age = joined.modalities["clinical"]["age"].iloc[40:]
    np.testing.assert_array_equal(age, OTHER.modalities["clinical"]["age"])


def test_outcomes_play_no_part():
    survival = OTHER.survival.assign(os_time=OTHER.survival["os_time"].to_numpy()[::-1])
    changed = replace(OTHER, survival=survival)
    for m in ("rna", "clinical"):
        a, b = (join_cohorts(TRAIN, {"b": c}, "os").cohort.modalities[m] for c in (OTHER, changed))
        pd.testing.assert_frame_equal(a, b)


def test_counts_are_logged_on_both_sides():
    counts = TRAIN.modalities["rna"].abs().round() * 100
    train = replace(TRAIN, modalities={"rna": counts}, kinds={"rna": "counts"})
    joined = join_cohorts(train, {"b": OTHER}, "os", harmonise="none").cohort
    assert joined.kinds["rna"] == "continuous"
    np.testing.assert_allclose(joined.modalities["rna"].iloc[:40], np.log2(counts + 1))


def test_refusals():
    with pytest.raises(
        InputError, match=r"'b' has 0 of the 3 features of 'rna', less than a tenth"
    ):
        join_cohorts(TRAIN, {"b": cohort("b", 30, ["u", "v"])}, "os")
    alone = replace(OTHER, modalities={"cnv": OTHER.modalities["rna"]}, kinds={})
    with pytest.raises(InputError, match="'b' shares no modality with 'a'"):
        join_cohorts(TRAIN, {"b": alone}, "os")
    with pytest.raises(InputError, match="names other than 'a'"):
        join_cohorts(TRAIN, {"a": OTHER}, "os")
