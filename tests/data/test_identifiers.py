"""Names: one form each; of several rows the stated one; barcodes matched whatever their length."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsurv.data import DataWarning, read_cohort
from jaxsurv.data.identifiers import (
    gene_name,
    match_samples,
    one_row_per_gene,
    patient_part,
    patients_of,
    sample_type,
)
from jaxsurv.types import InputError

PATIENT = st.from_regex(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}", fullmatch=True)
TAIL = st.from_regex(r"(-\d{2}[A-C]?(-\d{2}[DR](-[A-Z0-9]{4}-\d{2})?)?)?", fullmatch=True)


@given(PATIENT, TAIL, st.booleans(), st.booleans())
def test_a_barcode_is_its_patient_however_it_is_written(patient, tail, dots, small):
    name = patient + tail
    name = name.replace("-", ".") if dots else name
    name = name.lower() if small else name
    assert patient_part(name) == patient
    assert patient_part(patient_part(name)) == patient
    assert sample_type(name) == (int(tail[1:3]) if tail else None)


@given(st.text(max_size=12))
def test_other_names_only_lose_blanks(name):
    assert patient_part(name) == name.strip() or name.upper().startswith("TCGA")
    assert gene_name(gene_name(name)) == gene_name(name)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ENSG00000141510.17", "ENSG00000141510"),
        ("ENSG00000002586.18_PAR_Y", "ENSG00000002586"),
        ("ENSMUSG00000059552.14", "ENSMUSG00000059552"),
        ("ENSG00000141510", "ENSG00000141510"),
        ("HLA-DRB1", "HLA-DRB1"),
        ("AC012345.1", "AC012345.1"),  # a clone, not a version
        (7157, "7157"),
    ],
)
def test_versions_go_and_other_dots_stay(given, expected):
    assert gene_name(given) == expected


def test_of_rows_with_one_name_the_largest_stays():
    rows = ["ENSG00000141510.1", "MYC", "ENSG00000141510.2", "?", "MYC"]
    matrix = pd.DataFrame({"a": [1.0, 5, 2, 9, 5], "b": [1.0, -5, np.nan, 9, 5]}, rows)
    with pytest.warns(DataWarning, match=r"rna: 1 rows without .* 2 genes in several rows"):
        one = one_row_per_gene(matrix, "rna")
    assert list(one.index) == ["MYC", "ENSG00000141510"]
    assert list(one["a"]) == [5, 2]
    assert one.loc["MYC", "b"] == -5  # equal: the first
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pd.testing.assert_frame_equal(one_row_per_gene(one, "rna"), one)


def test_one_tumour_sample_per_patient():
    samples = pd.Index(
        [
            "TCGA-OR-A5J1-06A",
            "TCGA-OR-A5J1-01B",
            "TCGA-OR-A5J1-01A",
            "TCGA-OR-A5J2-11A",
            "TCGA-OR-A5J3-06A",
            "TCGA-OR-A5J3-02A",
            "mine",
        ]
    )
    with pytest.warns(DataWarning, match=r"1 samples of normal tissue .*; 2 patients have several"):
        chosen = patients_of(samples, "rna")
    assert chosen.to_dict() == {
        "TCGA-OR-A5J1": "TCGA-OR-A5J1-01A",
        "TCGA-OR-A5J3": "TCGA-OR-A5J3-02A",
        "mine": "mine",
    }
    with pytest.warns(DataWarning, match="1 patients have several"):
        chosen = patients_of(pd.Index(["s2", "s1", "s3"]), "", patients={"s2": "p", "s1": "p"})
    assert chosen.to_dict() == {"p": "s1", "s3": "s3"}


def test_samples_are_matched_on_the_longest_part_that_both_have():
    listed = pd.Index(["TCGA-OR-A5J1-01", "TCGA-OR-A5J1-06", "TCGA-OR-A5J2", "mine"])
    names = ["TCGA-OR-A5J1-06A-11D", "TCGA-OR-A5J2-01A", "tcga.or.a5j1.01", "mine"]
    found = match_samples(pd.Index(names), listed)
    assert list(found.values()) == [listed[1], listed[2], listed[0], "mine"]
    assert match_samples(pd.Index(["TCGA-OR-A5J3"]), pd.Index(["TCGA-OR-A5J3-02B"])) == {
        "TCGA-OR-A5J3": "TCGA-OR-A5J3-02B"
    }
    for lost in (
        "TCGA-OR-A5J1-02",
        "TCGA-OR-A5J1",
        "other",
    ):  # another sample; either of two; nobody
        with pytest.raises(InputError, match=f"1 samples are not among those listed: {lost} "):
            match_samples(pd.Index([lost, "mine"]), listed)


def write(folder, survival, rna, kinds=None):
    survival.to_csv(folder / "survival.csv")
    rna.to_csv(folder / "rna.csv")
    (folder / "cohort.json").write_text(json.dumps({"kinds": kinds or {}}))


@pytest.fixture
def outcome():
    patients = ["TCGA-OR-A5J1", "TCGA-OR-A5J2", "TCGA-OR-A5J3"]
    return pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [1, 0, 1]}, patients)


@pytest.mark.filterwarnings("ignore:.* have no modality at all:jaxsurv.data.DataWarning")
def test_files_with_barcodes_of_different_length_are_matched(tmp_path, outcome):
    samples = ["TCGA.OR.A5J1.01A", "TCGA.OR.A5J3.01A", "TCGA.OR.A5J9.01A"]
    rna = pd.DataFrame({"TP53": [0.5, 1.5, 9.0], "MYC": [1.5, 2.5, 9.0]}, samples)
    write(tmp_path, outcome, rna)
    with pytest.warns(DataWarning, match="2 of 3 in 'rna' have an outcome"):
        cohort = read_cohort(tmp_path)
    assert cohort.modalities["rna"]["TP53"].to_dict() == {"TCGA-OR-A5J1": 0.5, "TCGA-OR-A5J3": 1.5}
    assert cohort.unmatched == {"rna": 1}
    # The other way round: outcomes by sample, the modality by patient.
    write(
        tmp_path, outcome.set_axis([f"{p}-01" for p in outcome.index]), rna.set_axis(outcome.index)
    )
    with pytest.warns(DataWarning, match="3 of 3 in 'rna'"):
        assert read_cohort(tmp_path).complete.all()


@pytest.mark.parametrize(
    ("sample", "said"),
    [("06A", "1 patients have several samples"), ("11A", "1 samples of normal tissue dropped")],
)
def test_a_folder_of_samples_has_each_patient_once(tmp_path, outcome, sample, said):
    samples = [f"{p}-01A" for p in outcome.index]
    survival = pd.concat(
        [outcome.set_axis(samples), outcome.iloc[:1].set_axis([samples[0][:-3] + sample])]
    )
    rna = pd.DataFrame({"TP53": [1.5, 2.5, 3.5, 9.5], "MYC": [2.5, 0.5, 1.5, 9.5]}, survival.index)
    write(tmp_path, survival, rna)
    with pytest.warns(DataWarning) as caught:
        cohort = read_cohort(tmp_path)
    text = "\n".join(str(w.message) for w in caught)
    for part in (f"survival table: {said}", f"modality 'rna': {said}", "3 of 3 in 'rna' have an"):
        assert part in text
    assert list(cohort.survival.index) == list(outcome.index)
    assert list(cohort.modalities["rna"]["TP53"]) == [1.5, 2.5, 3.5]


def test_samples_of_different_patients_stay_samples(tmp_path, outcome):
    outcome = outcome.set_axis([f"{p}-01A" for p in outcome.index])
    write(tmp_path, outcome, pd.DataFrame({"TP53": [1.5, 2.5, 3.5]}, outcome.index))
    assert list(read_cohort(tmp_path).survival.index) == list(outcome.index)


def test_patients_as_columns_are_refused_with_the_fix(tmp_path, outcome):
    rna = pd.DataFrame(np.eye(3), ["TP53", "MYC", "TP53"], outcome.index + "-01A")
    write(tmp_path, outcome, rna)
    with pytest.raises(
        InputError, match=r"rna\.csv: .* 3 of its 3 columns are patients .*transpose"
    ):
        read_cohort(tmp_path)


@pytest.mark.parametrize(
    ("kind", "low", "high", "message"),
    [
        ("counts", -1.0, 12.0, "negative value .* declare log-scale data as 'continuous'"),
        (
            None,
            0.0,
            5e4,
            "values up to .* declare the modality as 'counts'.* or as 'continuous'.*: kinds={",
        ),
        ("continuous", 0, 50_000, "look like counts .* declare the modality as 'counts', which"),
    ],
)
def test_values_on_another_scale_than_declared_are_refused(
    tmp_path, outcome, kind, low, high, message
):
    rng = np.random.default_rng(0)
    values = (
        rng.integers(low, high, (3, 60))
        if isinstance(high, int)
        else rng.uniform(low, high, (3, 60))
    )
    rna = pd.DataFrame(values, outcome.index, [f"g{j}" for j in range(60)])
    write(tmp_path, outcome, rna, {"rna": kind} if kind else {})
    with pytest.raises(InputError, match=message):
        read_cohort(tmp_path)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("continuous", lambda r: r.uniform(0, 5e4, (3, 60))),  # as declared
        (None, lambda r: r.normal(size=(3, 60)) * np.geomspace(1, 1e4, 60)),  # z-scores
        (None, lambda r: r.uniform(0, 100, (3, 60))),  # percentages
        (None, lambda r: r.uniform(0, 500, (3, 12))),  # laboratory values
        ("counts", lambda r: r.uniform(0, 5e4, (3, 60))),
    ],
)
def test_legitimate_scales_are_read(tmp_path, outcome, kind, values):
    table = pd.DataFrame(values(np.random.default_rng(0)), outcome.index).add_prefix("g")
    write(tmp_path, outcome, table, {"rna": kind} if kind else {})
    assert read_cohort(tmp_path).kinds["rna"] == (kind or "continuous")
