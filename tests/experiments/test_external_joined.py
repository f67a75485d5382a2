"""Cohorts put beside each other: columns by name, values comparable, nothing looked at twice."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.cox_mt.other_platform import add_unlabelled
from experiments.external_validation.joined import join_cohorts
from jaxsurv.data import Cohort, DataWarning
from jaxsurv.types import InputError


def cohort(name, n, genes, seed=0, scale=1.0, shift=0.0):
    rng = np.random.default_rng(seed)
    patients = [f"{name}{i}" for i in range(n)]
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
    assert rna.loc["b:b3"].isna().tolist() == [False, True, False]
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
    entered = replace(OTHER, survival=OTHER.survival.assign(os_entry=0.5))
    with pytest.raises(InputError, match=r"'os' has delayed entry in b \(os_entry\)"):
        join_cohorts(TRAIN, {"b": entered}, "os")
    with pytest.raises(InputError, match="names other than 'a'"):
        join_cohorts(TRAIN, {"a": OTHER}, "os")


def with_column(given, m, name, values):
    """The cohort with one more column, whose values are repeated as often as needed."""
    table = given.modalities[m]
    column = pd.Series(np.resize(np.array(values, dtype=object), len(table)), table.index)
    column = column if any(isinstance(v, str) for v in values) else column.astype(float)
    modalities = {**given.modalities, m: table.assign(**{name: column})}
    return replace(given, modalities=modalities, kinds={m: "mixed"})


@pytest.mark.parametrize(
    ("known", "given", "message"),
    [
        (
            ["f", "m"],
            ["f", "Male"],
            "the value 'Male' in column 'x', patient 'b1'.* are f, m; recode",
        ),
        ([1.5, 2.5], ["2", "low"], "the value '2' in column 'x', patient 'b0'.* are numbers"),
        ([0.0, 1.0], [1.0, np.nan, 2.0], r"the value 2\.0 in column 'x', patient 'b2'.* are 0, 1;"),
        (["i", "ii"], [1.0, 2.0], "the value '1' in column 'x', patient 'b0'.* are i, ii"),
    ],
)
def test_values_without_a_counterpart_in_training_are_refused(known, given, message):
    train = with_column(TRAIN, "clinical", "x", known)
    with pytest.raises(InputError, match=f"cohort 'b', modality 'clinical': {message}"):
        join_cohorts(train, {"b": with_column(OTHER, "clinical", "x", given)}, "os")
    joined = join_cohorts(train, {"b": with_column(OTHER, "clinical", "x", known[::-1])}, "os")
    assert set(joined.cohort.modalities["clinical"]["x"][40:]) == set(known)


def test_numbers_that_name_categories_are_the_same_categories():
    train = with_column(TRAIN, "clinical", "stage", ["1", "2"])
    joined = join_cohorts(train, {"b": with_column(OTHER, "clinical", "stage", [2.0, 1.0])}, "os")
    assert list(joined.cohort.modalities["clinical"]["stage"].iloc[40:42]) == ["2", "1"]


def test_a_transcript_that_training_hardly_has_may_be_common_elsewhere():
    modalities = {"rna": TRAIN.modalities["rna"].assign(x=[0.0, 1.0] * 20)}
    train = replace(TRAIN, modalities=modalities, kinds={})
    rna = join_cohorts(train, {"b": OTHER}, "os").cohort.modalities["rna"]
    np.testing.assert_allclose(rna["x"].iloc[40:].mean(), 0.5)


def test_times_in_different_units_are_refused():
    months = replace(OTHER, time_unit="months")
    with pytest.warns(DataWarning, match="times of b have no unit and are taken for months"):
        joined = join_cohorts(replace(TRAIN, time_unit="months"), {"b": OTHER}, "os")
    assert joined.cohort.time_unit == "months"
    with pytest.raises(InputError, match="days in 'a', months in 'b'; convert them to one unit"):
        join_cohorts(replace(TRAIN, time_unit="days"), {"b": months}, "os")


def test_patients_on_both_sides_are_warned_of():
    def barcodes(given, tail):
        names = {p: f"TCGA-OR-{i:04d}{tail}" for i, p in enumerate(given.survival.index)}
        modalities = {m: t.rename(names) for m, t in given.modalities.items()}
        return replace(given, modalities=modalities, survival=given.survival.rename(names))

    train, other = barcodes(TRAIN, ""), barcodes(OTHER, "-01A")
    with pytest.warns(
        DataWarning, match=r"30 patients of 'b' .* of 'a' \(TCGA-OR-0000-01A, .* 25 more"
    ):
        join_cohorts(train, {"b": other}, "os")


@pytest.mark.filterwarnings("ignore:constant features")
@pytest.mark.parametrize("how", ["z-score", "quantile"])
def test_what_has_no_distribution_is_not_stretched(how):
    """Constant features, 0/1 columns, and cells that are missing."""

    def changed(given, **columns):
        modalities = {**given.modalities, "rna": given.modalities["rna"].assign(**columns)}
        return replace(given, modalities=modalities, kinds={})

    train = changed(TRAIN, mutated=[0.0, 0, 0, 1] * 10, deleted=[0.0, 1] * 20)
    mutated, z = np.resize([0.0, 1], 30), OTHER.modalities["rna"]["z"].copy()
    z.iloc[5] = np.nan
    other = changed(OTHER, x=0.1, mutated=mutated, deleted=0.0, z=z)
    rna = join_cohorts(train, {"b": other}, "os", harmonise=how).cohort.modalities["rna"]
    x, reference = rna["x"].iloc[40:], TRAIN.modalities["rna"]["x"]
    expected = reference.mean() if how == "z-score" else reference.median()
    np.testing.assert_allclose(x, expected, rtol=1e-12)
    np.testing.assert_array_equal(rna["mutated"].iloc[40:], mutated)
    np.testing.assert_array_equal(rna["deleted"].iloc[40:], 0)
    np.testing.assert_array_equal(rna["z"].iloc[40:].isna(), z.isna())
    np.testing.assert_array_equal(rna["z"].iloc[40:].rank(), z.rank())


@pytest.mark.filterwarnings("ignore:constant features")
def test_a_constant_feature_of_unlabelled_patients_is_the_mean_too():
    table = OTHER.modalities["rna"].assign(x=0.1)
    rna = add_unlabelled(TRAIN, "rna", table).modalities["rna"]
    np.testing.assert_allclose(rna["x"].iloc[40:], TRAIN.modalities["rna"]["x"].mean(), rtol=1e-12)
