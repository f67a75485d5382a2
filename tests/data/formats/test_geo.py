"""A small series matrix with its platform table."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats import read_geo
from jaxsurv.data.formats.probes import are_logs
from jaxsurv.types import InputError

SERIES = """
!Series_title "Myeloma~trial"
!Series_geo_accession "GSE1"
!Series_summary "Expression;~outcomes"

!Sample_title "a" "b" "c"
!Sample_geo_accession "GSM1" "GSM2" "GSM3"
!Sample_characteristics_ch1 "age:~61" "age:~55" "gender:~male"
!Sample_characteristics_ch1 "gender:~male" "gender:~female" "OS~(months):~8"
!Sample_characteristics_ch1 "OS~(months):~20" "OS~(months):~12.5" "death~event:~1"
!Sample_characteristics_ch1 "death~event:~0" "death~event:~1" "relapse:~later"
!series_matrix_table_begin
"ID_REF" "GSM1" "GSM2" "GSM3"
"p1_at" 200 400.0 100
"p2_at" 800 100.0 400
"p3_at" 50 60 70
"p4_at" 5 6 7
"p5_at" 1 2 3
!series_matrix_table_end
"""
PLATFORM = """
#ID~=~probe~set
#Gene~Symbol~=~symbol
ID GB_ACC Gene~Symbol ENTREZ_GENE_ID
p1_at U1 TP53 7157
p2_at U2 TP53 7157
p3_at U3 MYC 4609
p4_at U4 HLA-A~///~HLA-B 3105~///~3106
p5_at U5 --- ---
"""
OS = {"os": ("os (months)", "Death event")}
NAME = "GSE1_series_matrix.txt.gz"


@pytest.fixture
def geo(files):
    """``geo(...) -> (cohort, what was said)``."""

    def read(series=SERIES, platform=PLATFORM, *, endpoints=OS, annotated=True, **options):
        folder = files({NAME: series, "GPL570.txt": platform})
        annotation = folder / "GPL570.txt" if annotated else None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", DataWarning)
            cohort = read_geo(folder / NAME, endpoints=endpoints, annotation=annotation, **options)
        return cohort, "\n".join(str(w.message) for w in caught)

    return read


def test_probes_become_genes_by_the_geometric_mean(geo, comes_back):
    cohort, said = geo()
    assert (cohort.name, cohort.title, cohort.time_unit) == ("GSE1", "Myeloma trial", "months")
    table = cohort.modalities["expression"]
    assert list(table.columns) == ["MYC", "TP53"]
    np.testing.assert_allclose(table["TP53"], [400, 200, 200], rtol=1e-12)
    np.testing.assert_allclose(table["MYC"], [50, 60, 70], rtol=1e-12)
    assert "look like intensities, not logarithms" in said
    assert "3 probes became 2 genes by the geometric mean of intensities" in said
    assert "1 probes without a gene, 1 of several genes" in said
    comes_back(cohort)


def test_characteristics_may_stand_in_any_line(geo):
    cohort, said = geo()
    np.testing.assert_array_equal(cohort.survival["os_time"], [20, 12.5, 8])
    np.testing.assert_array_equal(cohort.survival["os_event"], [0, 1, 1])
    clinical = cohort.modalities["clinical"]
    np.testing.assert_array_equal(clinical["age"], [61, 55, np.nan])
    assert list(clinical["gender"]) == ["male", "female", "male"]
    assert "not taken, since they may tell the outcome: relapse" in said


def test_logarithms_are_averaged_as_they_are(geo):
    logs = SERIES.replace("800 100.0 400", "8 10.5 4").replace("200 400.0 100", "2 7 6")
    logs = logs.replace("50 60 70", "5 6 7")
    cohort, said = geo(logs)
    np.testing.assert_array_equal(cohort.modalities["expression"]["TP53"], [5, 8.75, 5])
    assert cohort.kinds["expression"] == "continuous"
    assert "look like logarithms" in said
    assert "arithmetic mean of logarithms" in said
    declared, said = geo(log_scale=True)
    np.testing.assert_array_equal(declared.modalities["expression"]["TP53"], [500, 250, 250])
    assert "look like" not in said


@pytest.mark.parametrize(
    ("values", "logs"),
    [
        (np.linspace(2, 14, 200), True),
        (np.r_[np.linspace(-10, 14, 199), 101], True),  # the 99 % quantile counts, not the largest
        (np.r_[np.linspace(-10, 14, 197), 101, 101, 101], False),
        (np.linspace(1, 51.5, 200), False),  # spans over 50, three quarters above 0
        (np.linspace(1, 50.5, 200), True),
        (np.r_[np.zeros(60), np.linspace(1, 60, 140)], True),  # the lower quartile is 0
        (np.r_[np.zeros(40), np.linspace(1, 60, 160)], False),
        (np.linspace(-30, 30, 200), True),
    ],
)
def test_logarithms_are_told_by_the_rule_of_geo2r(values, logs):
    frame = pd.DataFrame(np.random.default_rng(0).permutation(values).reshape(20, 10))
    frame.iloc[0, 0] = np.nan if logs else frame.iloc[0, 0]
    with pytest.warns(
        DataWarning, match="look like logarithms" if logs else "look like intensities"
    ):
        assert are_logs(frame) == logs


def test_many_probes_of_a_gene_have_their_mean_and_the_first_gene_of_the_table(geo):
    """A probe that the platform lists twice counts once."""
    platform = PLATFORM.replace("p3_at U3 MYC 4609", "p3_at U3 TP53 7157\np3_at U3 MYC 4609")
    cohort, _ = geo(platform=platform)
    table = cohort.modalities["expression"]
    assert list(table.columns) == ["TP53"]
    expected = [np.exp(np.log(x).mean()) for x in ([200, 800, 50], [400, 100, 60], [100, 400, 70])]
    np.testing.assert_allclose(table["TP53"], expected, rtol=1e-12)


def test_the_unit_is_that_of_the_times(geo):
    for unit, given in {"days": "days", "years": "years", "weeks": "week"}.items():
        series = SERIES.replace("OS~(months)", f"OS~({given})")
        cohort, _ = geo(series, endpoints={"os": (f"os ({given})", "death event")})
        assert cohort.time_unit == unit


def test_without_annotation_probes_are_features(geo):
    cohort, _ = geo(annotated=False)
    assert list(cohort.modalities["expression"].columns) == [f"p{i}_at" for i in range(1, 6)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"endpoints": None},
            r"which characteristics .* There are age, gender, OS \(months\), death event.*--endpoint os T",
        ),
        ({"endpoints": {"os": ("days", "death event")}}, "endpoint 'os' needs the column days"),
        (
            {"series": SERIES.replace('"death~event:~0"', '"age:~62"')},
            "line 10: 'age' is there twice for GSM1, as '61' and '62'; keep one",
        ),
        (
            {
                "series": SERIES.replace("Death", "death").replace('"age:~55"', '"DEATH~event:~1"'),
                "endpoints": {"os": ("os (months)", "Death Event")},
            },
            "the name 'Death Event' may be death event, DEATH event; write one of them",
        ),
        (
            {"series": SERIES.replace('"GSM1" "GSM2" "GSM3"\n!', '"GSM1" "GSM2" "GSM2"\n!')},
            "duplicate samples GSM2",
        ),
        (
            {"series": SERIES.replace('"age:~55" ', "")},
            "line 7 has 2 cells for 3 samples; give it one for each",
        ),
        (
            {"series": SERIES.replace('"ID_REF" "GSM1"', '"ID_REF" "GSM9"')},
            "GSM1, GSM9 is not both in the table and in !Sample_geo_accession",
        ),
        ({"series": SERIES.replace("!series_matrix_table_end", "")}, "is cut off: .*download it"),
        ({"series": "nothing"}, "no line !series_matrix_table_begin"),
        (
            {"series": SERIES.replace("800", "high")},
            "non-numeric value 'high' in column .*, row 'p2_at'",
        ),
        (
            {"series": SERIES.replace("800", "-3")},
            "negative intensity -3 of probe 'p2_at', sample 'GSM1'",
        ),
        (
            {"platform": PLATFORM.replace("Symbol", "Names")},
            r"GPL570\.txt: needs the columns ID and Gene",
        ),
        (
            {"platform": PLATFORM.replace("_at", "_st")},
            r"no probe \(p1_at, p2_at and 3 more\) has a gene",
        ),
    ],
)
def test_refusals(geo, change, message):
    with pytest.raises(InputError, match=message):
        geo(**change)


def test_patients_without_an_outcome_are_kept_if_asked_for(geo):
    lacks = SERIES.replace("OS~(months):~8", "OS~(months):~NA")
    plain, _ = geo(lacks)
    kept, _ = geo(lacks, semi_supervised=True)
    (more,) = set(kept.survival.index) - set(plain.survival.index)
    assert kept.survival.loc[more].isna().all()
    assert more in kept.modalities["expression"].index
    np.testing.assert_array_equal(kept.outcome("os").time, plain.outcome("os").time)
