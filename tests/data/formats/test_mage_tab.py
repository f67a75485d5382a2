"""A small ArrayExpress experiment: IDF, SDRF, matrix, and the platform table."""

import warnings

import numpy as np
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats import detect_format, read_any, read_mage_tab
from jaxsurv.types import InputError

IDF = """
Investigation~Title Myeloma~trial
Comment[ArrayExpressAccession] E-MTAB-1
SDRF~File E-MTAB-1.sdrf.txt
"""
SDRF = """
Source~Name Characteristics[age] Unit[time~unit] Characteristics~[Sex] Term~Source~REF Extract~Name Term~Source~REF Hybridization~Name Derived~Array~Data~Matrix~File Factor~Value[overall~survival] Unit[time~unit] FactorValue~[death] Characteristics[batch]
P1 61 year male EFO e1 EFO h1 processed.txt 20 month 0 a
P2 55 year female EFO e2 EFO h2 processed.txt 12.5 month 1 b
P3 70 year male EFO e3 EFO h3 processed.txt 8 month 1 a
P3 70 year male EFO e4 EFO h4 processed.txt 8 month 1 b
"""  # noqa: E501
MATRIX = """
Hybridization~REF h3 h1 h2 h4
Reporter~REF value value value value
p1_at 100 200 400.0 1
p2_at 400 800 100.0 1
p3_at 70 50 60 1
"""
PLATFORM = """
ID Gene~Symbol
p1_at TP53
p2_at TP53
p3_at MYC
"""
OS = {"os": ("Overall survival", "death")}


@pytest.fixture
def experiment(files):
    """``experiment(...) -> (cohort, what was said)``."""

    def read(idf=IDF, sdrf=SDRF, matrix=MATRIX, *, endpoints=OS, annotated=True, matrix_file=None):
        contents = {"E-MTAB-1.idf.txt": idf, "E-MTAB-1.sdrf.txt": sdrf, "processed.txt": matrix}
        folder = files({**contents, "GPL.txt": PLATFORM})
        annotation = folder / "GPL.txt" if annotated else None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            cohort = read_mage_tab(
                folder, endpoints=endpoints, annotation=annotation, matrix=matrix_file
            )
        return cohort, "\n".join(str(w.message) for w in caught)

    return read


def test_columns_of_the_matrix_are_of_the_patients_that_the_sdrf_says(experiment, comes_back):
    cohort, said = experiment()
    assert (cohort.name, cohort.title, cohort.time_unit) == ("E-MTAB-1", "Myeloma trial", "months")
    table = cohort.modalities["expression"].loc[["P1", "P2", "P3"]]
    np.testing.assert_allclose(table["TP53"], [400, 200, 200], rtol=1e-12)
    np.testing.assert_allclose(table["MYC"], [50, 60, 70], rtol=1e-12)
    assert "look like intensities" in said
    assert "1 patients have several samples" in said
    assert "3 probes became 2 genes by the geometric mean of intensities" in said
    comes_back(cohort)


def test_characteristics_and_factors(experiment):
    cohort, said = experiment()
    survival, clinical = (
        t.loc[["P1", "P2", "P3"]] for t in (cohort.survival, cohort.modalities["clinical"])
    )
    np.testing.assert_array_equal(survival["os_time"], [20, 12.5, 8])
    np.testing.assert_array_equal(survival["os_event"], [0, 1, 1])
    np.testing.assert_array_equal(clinical["age"], [61, 55, 70])
    assert list(clinical["Sex"]) == ["male", "female", "male"]
    assert "batch differ between samples of one patient, and are left out" in said


def test_a_matrix_without_its_own_heading_is_matched_by_any_column_of_names(experiment):
    plain = MATRIX.replace("Hybridization~REF h3 h1 h2 h4", "ID e3 e1 e2 e4").replace(
        "Reporter~REF value value value value\n", ""
    )
    cohort, _ = experiment(matrix=plain)
    assert cohort.fingerprint() == experiment()[0].fingerprint()


def test_the_matrix_may_be_given(experiment, files):
    folder = files({"other.txt": MATRIX.replace("70 50 60", "7 5 6")}, "elsewhere")
    sdrf = SDRF.replace("processed.txt", "lost.txt")
    with pytest.raises(InputError, match=r"lost\.txt"):
        experiment(sdrf=sdrf)
    cohort, _ = experiment(sdrf=sdrf, matrix_file=folder / "other.txt")
    assert cohort.modalities["expression"].loc["P1", "MYC"] == pytest.approx(5)


def test_the_files_tell_what_it_is(files):
    contents = {"E-MTAB-1.idf.txt": IDF, "E-MTAB-1.sdrf.txt": SDRF, "processed.txt": MATRIX}
    folder = files(contents)
    assert (
        detect_format(folder) == detect_format(folder / "E-MTAB-1.idf.txt") == "MAGE-TAB experiment"
    )
    with pytest.warns(DataWarning):
        cohort = read_any(folder, endpoints=OS, log_scale=True)
    assert list(cohort.modalities["expression"].columns) == ["p1_at", "p2_at", "p3_at"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"endpoints": None}, "which characteristics are the outcome.*overall survival.*--endpoint os TIME"),
        ({"endpoints": {"os": ("nothing", "death")}}, "needs the column nothing"),
        ({"idf": IDF.replace("SDRF~File", "File")}, "no sdrf file"),
        ({"idf": IDF.replace("E-MTAB-1.sdrf", "other.sdrf")}, r"other\.sdrf\.txt"),
        ({"sdrf": SDRF.replace("Source~Name", "Name")}, "no rows under one 'Source Name'"),
        ({"sdrf": "~ ~ x"}, "no rows under one 'Source Name'"),
        ({"sdrf": SDRF.replace("P2 55", "~ 55")}, "row 2 has no Source Name"),
        ({"sdrf": SDRF.replace("20 month", "20 year")}, "'overall survival' is in month, year"),
        ({"sdrf": SDRF.replace("e4 EFO h4 processed.txt 8", "e4 EFO h4 processed.txt 9")},
         "'overall survival' of 'P3' is 8, 9"),
        ({"sdrf": SDRF.replace("P2 55", "P2 55 55 55")}, "line 3 has 15 cells under 13"),
        ({"sdrf": SDRF.replace("h2 processed.txt", "h2 other.txt")}, "names other.txt, processed.txt"),
        ({"sdrf": SDRF.replace("EFO h4", "EFO h3")}, "h4 of its samples are in no one column"),
        ({"matrix": MATRIX.replace("h1", "h9")}, "h9 of its samples"),
        ({"matrix": MATRIX.replace("value value value value", "value call value call")},
         "several quantities a sample, call, value"),
        ({"matrix": MATRIX.replace("800", "high")}, "high"),
        ({"matrix": MATRIX.replace("h3 h1", "h1 h1")}, "h1"),
    ],
)  # fmt: skip
def test_refusals(experiment, change, message):
    with pytest.raises(InputError, match=message):
        experiment(**change)


def test_a_sample_of_two_patients_is_refused(experiment):
    sdrf = SDRF.replace("EFO h4", "EFO h2")
    matrix = "\n".join(" ".join(line.split()[:-1]) for line in MATRIX.splitlines())
    with pytest.raises(InputError, match="'h2' is of several patients"):
        experiment(sdrf=sdrf, matrix=matrix)
