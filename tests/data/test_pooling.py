"""Pooled cohorts: what is put together, what is told, what is refused."""

import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, concat_cohorts, read_cohorts, write_cohort
from jaxsurv.preprocess import harmonise_strata
from jaxsurv.types import InputError

GENES = [f"g{j}" for j in range(6)]


def cohort(name, n=30, seed=0, unit="days", genes=GENES, endpoint="os", **changes):
    rng = np.random.default_rng([seed, ord(name)])
    patients = [f"{name.lower()}{i}" for i in range(n)]
    rna = pd.DataFrame(rng.normal(8, 1, (n, len(genes))), patients, genes)
    clinical = pd.DataFrame(
        {"age": rng.normal(60, 9, n), "sex": rng.choice(["f", "m"], n)}, patients
    )
    outcome = pd.DataFrame(
        {f"{endpoint}_time": rng.exponential(900, n), f"{endpoint}_event": rng.integers(0, 2, n)},
        patients,
    )
    made = Cohort({"rna": rna, "clinical": clinical}, outcome, name=name, time_unit=unit)
    return replace(made, **changes)


def changed(made, modality, table):
    return replace(made, modalities={**made.modalities, modality: table})


def quietly(*cohorts, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return concat_cohorts(cohorts, **settings)


def test_values_patients_and_outcomes_are_those_of_the_cohorts():
    a, b = cohort("A"), cohort("B", n=20, unit="day", licence="CC0")
    pooled = quietly(a, b)
    assert pooled.labels == ["A", "B"]
    assert (pooled.name, pooled.time_unit, pooled.licence) == ("A+B", "days", "CC0")
    assert pooled.kinds == {"rna": "continuous", "clinical": "mixed"}
    for part in (a, b):
        mine = pooled.take((pooled.strata == part.name).to_numpy())
        pd.testing.assert_frame_equal(mine.survival, part.survival)
        for m, table in part.modalities.items():
            pd.testing.assert_frame_equal(mine.modalities[m], table)


def test_what_a_cohort_lacks_is_absent_there():
    a, b = cohort("A"), cohort("B", genes=["g9", *GENES[:4]])
    b = replace(b, modalities={"rna": b.modalities["rna"]}, kinds={"rna": "continuous"})
    inner = quietly(a, b)
    assert list(inner.modalities["rna"].columns) == GENES[:4]
    assert not inner.presence.loc[b.survival.index, "clinical"].any()
    outer = quietly(a, b, features="outer").modalities["rna"]
    assert sorted(outer.columns) == sorted([*GENES, "g9"])
    assert outer.loc[b.survival.index, ["g4", "g5"]].isna().all(axis=None)
    assert outer.loc[a.survival.index, "g9"].isna().all()
    with pytest.raises(InputError, match="features must be one of"):
        quietly(a, b, features="union")


def test_an_endpoint_that_a_cohort_lacks_has_no_label_there():
    a, b = cohort("A"), cohort("B")
    both = a.survival.rename(columns=lambda c: c.replace("os", "pfi")).join(a.survival)
    with pytest.warns(DataWarning, match="a cohort lacks.*'pfi' in B"):
        pooled = concat_cohorts([replace(a, survival=both), b])
    assert pooled.survival.loc[b.survival.index, "pfi_time"].isna().all()
    assert pooled.for_endpoint("pfi").labels == ["A"]


def test_strata_of_a_cohort_are_kept_apart():
    b = cohort("B")
    b = replace(b, strata=pd.Series(["x", "y"] * 15, b.survival.index))
    assert quietly(cohort("A"), b).labels == ["A", "B/x", "B/y"]


def test_tables_of_numbers_and_mixed_ones_are_mixed():
    b = cohort("B")
    numbers = b.modalities["clinical"][["age"]].assign(weight=np.arange(30.0))
    b = replace(b, modalities={"clinical": numbers}, kinds={})
    assert b.kinds["clinical"] == "continuous"
    assert quietly(cohort("A"), b).kinds["clinical"] == "mixed"


def test_patients_in_two_cohorts_are_refused():
    a, b = cohort("A"), cohort("B")
    names = {"b0": "a7", "b1": "A-9"}  # spelled in another way
    b = Cohort(
        {m: t.rename(index=names) for m, t in b.modalities.items()},
        b.survival.rename(names),
        name="B",
        time_unit="days",
    )
    with pytest.raises(InputError, match=r"2 patients are in 'A' and in 'B': a7, a9 / A-9.*B:"):
        concat_cohorts([a, b])


def _counts(made):
    table = np.round(2 ** made.modalities["rna"])
    kinds = {**made.kinds, "rna": "counts"}
    return replace(made, modalities={**made.modalities, "rna": table}, kinds=kinds)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda b: replace(b, time_unit="months"),
            "times are in days in 'A', months in 'B'; convert",
        ),
        (lambda b: b.renamed("A"), "different names, got A, A"),
        (_counts, "'rna' is continuous in 'A', counts in 'B'; declare one kind"),
        (
            lambda b: changed(b, "rna", b.modalities["rna"].add_prefix("x")),
            "no feature is in all cohorts that have it .*name features in one way",
        ),
        (
            lambda b: changed(
                b, "clinical", b.modalities["clinical"].assign(age=["old", "young"] * 15)
            ),
            "'age' is text in B and numbers in the others; code a column in one way",
        ),
        (
            lambda b: replace(b, survival=b.survival.rename(columns=lambda c: f"x_{c}")),
            "no endpoint is in two cohorts: os in 'A'; x_os in 'B'",
        ),
    ],
)
def test_cohorts_that_do_not_go_together_are_refused(make, told):
    with pytest.raises(InputError, match=told):
        concat_cohorts([cohort("A"), make(cohort("B"))])


def test_all_problems_are_told_at_once():
    b = replace(_counts(cohort("B")), time_unit="months")
    with pytest.raises(InputError, match=r"(?s)months.*counts"):
        concat_cohorts([cohort("A"), b])
    with pytest.raises(InputError, match="two or more"):
        concat_cohorts([b])


def _unit(b):
    return replace(b, survival=b.survival / [60.0, 1], time_unit="")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (_unit, r"two units: 'os': median time .* in 'B' and .* in 'A'"),
        (_unit, "times of B have no unit and are taken for days"),
        (
            lambda b: changed(
                b, "rna", b.modalities["rna"].assign(g3=2 ** b.modalities["rna"]["g3"])
            ),
            r"'rna' on different scales.*1 of 6, such as 'g3' with median .* in 'A' and .* in 'B'",
        ),
        (
            lambda b: changed(b, "rna", 2 ** b.modalities["rna"] + 0.5),
            r"'rna' on different scales.*6 of 6, such as 'g0'",
        ),
        (
            lambda b: changed(b, "rna", b.modalities["rna"] - 8),
            r"'rna' on different scales.*6 of 6",
        ),
        (
            lambda b: changed(
                b,
                "clinical",
                b.modalities["clinical"].assign(age=np.log(b.modalities["clinical"]["age"])),
            ),
            r"'clinical' on different scales.*1 of 1, such as 'age'",
        ),
        (
            lambda b: replace(
                b,
                modalities={"RNA": b.modalities["rna"], "clinical": b.modalities["clinical"]},
                kinds={},
            ),
            "modalities whose names look alike stay apart: 'rna' and 'RNA'",
        ),
        (
            lambda b: changed(
                b,
                "rna",
                b.modalities["rna"].rename(columns=dict(zip(GENES[2:], "uvwx", strict=True))),
            ),
            "2 features are in all of A, B, fewer than half of the 6",
        ),
    ],
)
def test_what_deserves_a_look_is_told(make, told):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        concat_cohorts([cohort("A"), make(cohort("B"))])
    messages = [str(w.message) for w in found if w.category is DataWarning]
    assert any(re.search(told, message) for message in messages), messages


def test_other_means_of_one_platform_are_not_told():
    """Standardised values and shifts of a platform have no other scale."""
    a, b = cohort("A"), cohort("B")
    shifted = changed(b, "rna", b.modalities["rna"] + 3)
    quietly(a, shifted)
    quietly(
        changed(a, "rna", a.modalities["rna"] - 8.5), changed(b, "rna", b.modalities["rna"] - 7.5)
    )


def test_folders_are_read_and_pooled(tmp_path):
    a, b = cohort("A"), cohort("B")
    for c in (a, b):
        write_cohort(c, tmp_path / c.name)
    read = read_cohorts([tmp_path / "A", tmp_path / "B"])
    assert read.fingerprint() == quietly(a, b).fingerprint()


@pytest.mark.parametrize("how", ["z-score", "quantile"])
def test_strata_are_harmonised_each_by_itself(how):
    a, b = cohort("A"), cohort("B")
    b = changed(b, "rna", 3 * b.modalities["rna"] + 1)
    pooled = concat_cohorts([a, b])
    made = harmonise_strata(pooled, how)
    rna, strata = made.modalities["rna"], made.strata
    means = rna.groupby(strata).mean()
    np.testing.assert_allclose(
        means.loc["A"], means.loc["B"], rtol=0.1 if how == "quantile" else 1e-9
    )
    pd.testing.assert_frame_equal(made.modalities["clinical"], pooled.modalities["clinical"])
    # the same whatever the platform of one cohort
    again = harmonise_strata(concat_cohorts([a, cohort("B")]), how).modalities["rna"]
    one, other = ((t.loc[b.survival.index] - t.mean()) / t.std(ddof=0) for t in (rna, again))
    if how == "z-score":
        np.testing.assert_allclose(one.rank(), other.rank())
    with pytest.raises(InputError, match="no strata"):
        harmonise_strata(a)
