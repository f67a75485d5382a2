"""A small folder of files as the Xena hubs give them."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats import read_xena
from jaxsurv.types import InputError

SURVIVAL = """
sample _PATIENT OS OS.time DSS DSS.time PFI PFI.time Redaction
TCGA-OR-A5J1-01 TCGA-OR-A5J1 1 1355 1 1355 1 754 NA
TCGA-OR-A5J1-11 TCGA-OR-A5J1 1 1355 1 1355 1 754 NA
TCGA-OR-A5J2-01 TCGA-OR-A5J2 0 1677 NA NA 0 1677 NA
TCGA-OR-A5J3-06 TCGA-OR-A5J3 0 2091 0 2091 1 53 NA
"""
RNA = """
Ensembl_ID TCGA-OR-A5J1-11 TCGA-OR-A5J1-01 TCGA-OR-A5J3-06 TCGA-OR-A5J9-01
ENSG00000141510.16 0 10.25 2.5 1
ENSG00000136997.15 0 3 4 1
ENSG00000136997.19_PAR_Y 0 0 0 0
"""
CNV = """
Gene~Symbol TCGA-OR-A5J1-01 TCGA-OR-A5J2-01
TP53 -1 0
MYC 2 1
"""
CLINICAL = """
sampleID gender age_at_initial_pathologic_diagnosis pathologic_T days_to_death
TCGA-OR-A5J1-01 MALE 58 T3 1355
TCGA-OR-A5J2-01 FEMALE 44 T2 NA
TCGA-OR-A5J3-06 FEMALE 23 [Discrepancy] NA
"""
HUB = {
    "survival_ACC_survival.txt": SURVIVAL,
    "TCGA-ACC.htseq_fpkm.tsv.gz": RNA,
    "TCGA.ACC.sampleMap_Gistic2_CopyNumber_Gistic2_all_thresholded.by_genes": CNV,
    "TCGA.ACC.sampleMap_ACC_clinicalMatrix": CLINICAL,
    "gencode.v22.annotation.gene.probeMap": "id gene\nENSG00000141510.16 TP53",
}


def quietly(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_xena(folder, **options)


def test_a_hub_folder_is_read(files, comes_back):
    cohort = quietly(files(HUB))
    assert cohort.endpoints == ("os", "dss", "pfi")
    assert cohort.time_unit == "days"
    assert list(cohort.survival.index) == [f"TCGA-OR-A5J{i}" for i in (1, 2, 3)]
    np.testing.assert_array_equal(cohort.survival["dss_time"], [1355, np.nan, 2091])
    np.testing.assert_array_equal(cohort.outcome("pfi").event, [1, 0, 1])
    rna = cohort.modalities["rna"]
    assert list(rna.columns) == ["ENSG00000141510", "ENSG00000136997"]
    np.testing.assert_array_equal(
        rna["ENSG00000141510"], [10.25, 2.5]
    )  # the tumour, not the normal
    np.testing.assert_array_equal(rna["ENSG00000136997"], [3, 4])
    assert cohort.unmatched["rna"] == 1
    assert cohort.kinds == {"clinical": "mixed", "rna": "continuous", "cnv": "five_state"}
    clinical = cohort.modalities["clinical"]
    assert "days_to_death" not in clinical
    assert list(clinical["pathologic_T"].isna()) == [False, False, True]
    comes_back(cohort)


@pytest.mark.parametrize("semi_supervised", [False, True])
@pytest.mark.parametrize("column", ["Redaction", "redaction "])
def test_redacted_patients_are_left_out_of_all_tables(files, column, semi_supervised):
    marked = SURVIVAL.replace("Redaction", column.strip()).replace("1677 NA\n", "1677 Redacted\n")
    folder = files(HUB | {"survival_ACC_survival.txt": marked})
    with pytest.warns(DataWarning) as caught:
        cohort = read_xena(folder, semi_supervised=semi_supervised)
    assert "1 redacted patients are left out: TCGA-OR-A5J2" in "".join(
        str(w.message) for w in caught
    )
    assert "TCGA-OR-A5J2" not in cohort.survival.index
    assert all("TCGA-OR-A5J2" not in table.index for table in cohort.modalities.values())


def test_folders_in_the_folder_are_named(files):
    folder = files(HUB | {"more/HiSeqV2": RNA})
    with pytest.warns(DataWarning) as caught:
        read_xena(folder)
    assert "the files in its folders are not read: more; move them up" in str(caught[0].message)


def test_patients_come_from_barcodes_without_a_patient_column(files):
    lines = [line.split() for line in SURVIVAL.strip().split("\n")]
    without = "\n".join(" ".join(cells[:1] + cells[2:]) for cells in lines)
    folder = files(HUB | {"survival_ACC_survival.txt": without})
    assert quietly(folder).fingerprint() == quietly(files(HUB, "whole")).fingerprint()


def test_clinical_values_are_those_of_the_sample_that_was_taken(files):
    lines = CLINICAL.strip().split("\n")
    normal = "TCGA-OR-A5J2-11 MALE 99 T1 9"
    name = "TCGA.ACC.sampleMap_ACC_clinicalMatrix"
    cohort = quietly(files(HUB | {name: "\n".join([lines[0], normal, *lines[1:]])}))
    pd.testing.assert_frame_equal(
        cohort.modalities["clinical"], quietly(files(HUB, "whole")).modalities["clinical"]
    )


def test_the_patient_column_owns_samples_of_any_name(files):
    """In every table, and its values come with the sample that was taken."""
    names = {"TCGA-OR-A5J1-01": "b", "TCGA-OR-A5J1-11": "z", "TCGA-OR-A5J2-01": "a",
             "TCGA-OR-A5J3-06": "c", "TCGA-OR-A5J9-01": "x"}  # fmt: skip
    other = dict(HUB)
    for sample, name in names.items():
        for file in other:
            other[file] = other[file].replace(sample, name)
    other["survival_ACC_survival.txt"] = other["survival_ACC_survival.txt"].replace(
        "z TCGA-OR-A5J1 1 1355", "z TCGA-OR-A5J1 0 7"
    )
    one, two = quietly(files(HUB, "one")), quietly(files(other, "two"))
    for m, own in one.modalities.items():
        pd.testing.assert_frame_equal(two.modalities[m].sort_index(), own.sort_index())
    pd.testing.assert_frame_equal(one.survival, two.survival.sort_index())


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "other.survival.tsv",
            SURVIVAL,
            "needs one survival table .* found other.survival.tsv, surv",
        ),
        ("survival_ACC_survival.txt", "sample x\na 1", "needs one survival table .* found none"),
        (
            "mutations.tsv",
            "sample chr start\nTCGA-OR-A5J1-01 17 75",
            "mutations.tsv: is a list of mutations or segments, .* columns chr, start; take it out",
        ),
        ("genes.tsv", "id x y\nTP53 chr17 75", "no column is a sample"),
        (
            "x_phenotype",
            CLINICAL,
            "there are 2 clinical files, TCGA.ACC.sampleMap_ACC_clinicalMatrix, x_phenotype; keep one",
        ),
        (
            "TCGA.ACC.sampleMap_ACC_clinicalMatrix",
            CLINICAL.replace("A5J2", "A5J1"),
            "duplicate samples TCGA-OR-A5J1-01; keep one row each",
        ),
    ],
)
def test_refusals(files, name, text, message):
    folder = files(HUB | {name: text})
    with pytest.raises(InputError, match=message):
        quietly(folder)


def test_patients_without_an_outcome_are_kept_if_asked_for(files, comes_back):
    folder = files(HUB)
    plain, kept = quietly(folder), quietly(folder, semi_supervised=True)
    assert set(kept.survival.index) - set(plain.survival.index) == {"TCGA-OR-A5J9"}
    assert kept.survival.loc["TCGA-OR-A5J9"].isna().all()
    assert kept.modalities["rna"].loc["TCGA-OR-A5J9"].notna().all()
    np.testing.assert_array_equal(kept.outcome("os").time, plain.outcome("os").time)


@pytest.mark.parametrize("cell", ["no", "No", "0", "0.0", "false", "None"])
def test_a_cell_that_says_no_is_no_mark_of_redaction(files, cell):
    marked = SURVIVAL.replace("1677 NA\n", f"1677 {cell}\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        cohort = read_xena(files(HUB | {"survival_ACC_survival.txt": marked}), semi_supervised=True)
    assert "TCGA-OR-A5J2" in cohort.survival.index
