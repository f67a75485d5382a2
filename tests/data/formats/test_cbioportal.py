"""A small study in the layout of the portal's data hub."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats import read_cbioportal
from jaxsurv.types import InputError

PATIENTS = """
#Patient~ID Sex Age Overall~Status Overall~(Months) Free~Status Free~(Months) Vital~Status
#Identifier Sex Age~at~diagnosis Status Months Status Months Vital~status
#STRING STRING NUMBER STRING NUMBER STRING NUMBER STRING
#1 1 1 1 1 1 1 1
PATIENT_ID SEX AGE OS_STATUS OS_MONTHS DFS_STATUS DFS_MONTHS VITAL_STATUS
TCGA-OR-A5J1 Male 58 1:DECEASED 44.51 1:Recurred/Progressed 24.77 Dead
TCGA-OR-A5J2 Female [Not~Available] 0:LIVING 55.09 0:DiseaseFree 55.09 Alive
TCGA-OR-A5J3 Female 23 0:LIVING 69.0 NA 12.0 Alive
TCGA-OR-A5J4 Female 30 1:DECEASED [Not~Available] 1:Recurred/Progressed 3.0 Dead
TCGA-OR-A5J5 Female 60 NA NA NA NA Alive
"""
SAMPLES = """
#Patient Sample Type
#Patient Sample Type
#STRING STRING STRING
#1 1 1
PATIENT_ID SAMPLE_ID SAMPLE_TYPE
TCGA-OR-A5J1 TCGA-OR-A5J1-01 Primary
TCGA-OR-A5J1 TCGA-OR-A5J1-02 Recurrence
TCGA-OR-A5J2 S-2 Primary
TCGA-OR-A5J3 S-3 Primary
TCGA-OR-A5J4 S-4 Primary
"""
RSEM = """
Hugo_Symbol Entrez_Gene_Id TCGA-OR-A5J1-02 TCGA-OR-A5J1-01 S-2 S-3
TP53 7157 9 0.30000000000000004 2 3
MYC 4609 9 4 NA -6.5
TP53 7158 9 0.1 0.2 0.3
"""
CNA = """
Hugo_Symbol Entrez_Gene_Id TCGA-OR-A5J1-01 S-2 S-4
TP53 7157 -2 0 1
MYC 4609 2 NA 0
"""
MAF = """
#version 2.4
Hugo_Symbol Entrez_Gene_Id Variant_Classification Tumor_Sample_Barcode Mutation_Status HGVSp_Short
TP53 7157 Missense_Mutation TCGA-OR-A5J1-01 Somatic p."R175H
TP53 7157 Nonsense_Mutation TCGA-OR-A5J1-01 Somatic p.X
MYC 4609 Silent TCGA-OR-A5J1-01 Somatic p.=
MYC 4609 In_Frame_Del TCGA-OR-A5J1-02 Somatic p.del
MYC 4609 Splice_Site S-2 Somatic p.s
TP53 7157 Missense_Mutation S-2 Germline p.g
TERT 7015 5'Flank S-3 Somatic NA
"""
META = "cancer_study_identifier: acc_x\nname: Adrenocortical (X)\n"
STUDY = {
    "data_clinical_patient.txt": PATIENTS,
    "data_clinical_sample.txt": SAMPLES,
    "data_mrna_seq_v2_rsem.txt": RSEM,
    "data_mrna_seq_v2_rsem_zscores_ref_all_samples.txt": "Hugo_Symbol S-2\nTP53 1",
    "data_CNA.txt": CNA,
    "data_mutations.txt": MAF,
}
SEQUENCED = {
    "case_lists/cases_sequenced.txt": "case_list_ids: TCGA-OR-A5J1-01 TCGA-OR-A5J1-02 S-2 S-3 S-4"
}


def quietly(folder, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_cbioportal(folder, **options)


def test_patients_without_an_outcome_are_kept_if_asked(files):
    folder = files(STUDY | SEQUENCED)
    kept = quietly(folder, semi_supervised=True)
    assert list(kept.survival.index) == [f"TCGA-OR-A5J{i}" for i in (1, 2, 3, 4, 5)]
    assert kept.survival.loc["TCGA-OR-A5J5"].isna().all()
    assert kept.modalities["clinical"].loc["TCGA-OR-A5J5", "AGE"] == 60
    assert "TCGA-OR-A5J5" not in quietly(folder).modalities["clinical"].index


def test_a_study_is_read(files, comes_back):
    folder = files(STUDY | SEQUENCED)
    (folder / "meta_study.txt").write_text(META)
    cohort = quietly(folder)
    assert (cohort.name, cohort.title, cohort.time_unit) == (
        "acc_x",
        "Adrenocortical (X)",
        "months",
    )
    assert cohort.endpoints == ("os", "dfs")
    assert list(cohort.survival.index) == [f"TCGA-OR-A5J{i}" for i in (1, 2, 3, 4)]
    np.testing.assert_array_equal(cohort.survival["os_event"], [1, 0, 0, np.nan])
    np.testing.assert_array_equal(cohort.survival["os_time"], [44.51, 55.09, 69, np.nan])
    np.testing.assert_array_equal(cohort.survival["dfs_event"], [1, 0, np.nan, 1])
    np.testing.assert_array_equal(cohort.survival["dfs_time"], [24.77, 55.09, np.nan, 3])
    rna = cohort.modalities["rna"]
    assert list(rna.index) == [f"TCGA-OR-A5J{i}" for i in (1, 2, 3)]
    assert rna.loc["TCGA-OR-A5J1"].to_dict() == {"TP53": 0.1 + 0.2, "MYC": 4}
    np.testing.assert_array_equal(rna["MYC"], [4, np.nan, -6.5])
    assert cohort.kinds["cnv"] == "five_state"
    np.testing.assert_array_equal(cohort.modalities["cnv"]["MYC"], [2, np.nan, 0])
    mutation = cohort.modalities["mutation"]
    assert list(mutation.columns) == ["MYC", "TP53"]
    np.testing.assert_array_equal(mutation["TP53"], [1, 0, 0, 0])  # S-4 was sequenced
    np.testing.assert_array_equal(mutation["MYC"], [0, 1, 0, 0])  # silent; another sample
    clinical = cohort.modalities["clinical"]
    assert list(clinical.columns) == ["SEX", "AGE"]
    np.testing.assert_array_equal(clinical["AGE"], [58, np.nan, 23, 30])
    comes_back(cohort)


# the classes of the MAF specification, and whether they change a protein
CHANGED = [
    "Frame_Shift_Del", "Frame_Shift_Ins", "In_Frame_Del", "In_Frame_Ins", "Missense_Mutation",
    "Nonsense_Mutation", "Nonstop_Mutation", "Splice_Site", "Translation_Start_Site",
]  # fmt: skip
SILENT = ["Silent", "Splice_Region", "Intron", "3'UTR", "5'UTR", "3'Flank", "5'Flank", "IGR", "RNA"]
CLASSES = dict.fromkeys(CHANGED, True) | dict.fromkeys(SILENT, False)


def test_each_class_of_mutation_counts_or_does_not(files):
    rows = [f"G{i} {i} {c} S-2 Somatic p.x" for i, c in enumerate(CLASSES)]
    maf = "\n".join([*MAF.strip("\n").split("\n")[:2], *rows, "TP53 7157 Silent S-3 Somatic p.="])
    cohort = quietly(files(STUDY | SEQUENCED | {"data_mutations.txt": maf}))
    found = cohort.modalities["mutation"]
    assert list(found.columns) == [f"G{i}" for i, yes in enumerate(CLASSES.values()) if yes]
    assert (found.loc["TCGA-OR-A5J2"] == 1).all()
    assert not found.drop("TCGA-OR-A5J2").any(axis=None)


@pytest.mark.parametrize("status", ["Germline", "LOH", "None", "Wildtype", "germline", "wildtype"])
def test_what_the_tumour_did_not_acquire_does_not_count(files, status):
    maf = MAF.replace("Splice_Site S-2 Somatic", f"Splice_Site S-2 {status}")
    cohort = quietly(files(STUDY | SEQUENCED | {"data_mutations.txt": maf}))
    assert "MYC" not in cohort.modalities["mutation"]
    unknown = MAF.replace("Splice_Site S-2 Somatic", "Splice_Site S-2 Unknown")
    cohort = quietly(files(STUDY | SEQUENCED | {"data_mutations.txt": unknown}, "unknown"))
    assert cohort.modalities["mutation"].loc["TCGA-OR-A5J2", "MYC"] == 1


def test_copy_numbers_that_are_no_states_are_continuous(files):
    cohort = quietly(files(STUDY | {"data_CNA.txt": CNA.replace("-2 0 1", "-1.5 0 1")}))
    assert cohort.kinds["cnv"] == "continuous"
    np.testing.assert_array_equal(cohort.modalities["cnv"]["TP53"], [-1.5, 0, 1])


def test_what_was_decided_is_said(files):
    with pytest.warns(DataWarning) as caught:
        read_cbioportal(files(STUDY))
    text = "\n".join(str(w.message) for w in caught)
    for said in (
        "1 patients with only a time or only an event have no label for os",
        "1 patients without any outcome are left out",
        "not taken, since they may tell the outcome: VITAL_STATUS",
        "data_mrna_seq_v2_rsem.txt: 1 patients have several samples",
        "1 genes in several rows (TP53)",
        "those without any mutation have no mutation data",
    ):
        assert said in text
    assert "zscores" not in text
    assert list(quietly(files(STUDY)).modalities["mutation"].index) == [
        f"TCGA-OR-A5J{i}" for i in (1, 2, 3)
    ]


def test_clinical_columns_can_be_named(files):
    folder = files(STUDY)
    cohort = quietly(folder, clinical=["AGE", "VITAL_STATUS"])
    assert list(cohort.modalities["clinical"].columns) == ["AGE", "VITAL_STATUS"]
    with pytest.raises(InputError, match="no column STAGE for the clinical table, but SEX"):
        quietly(folder, clinical=["STAGE"])


def test_a_chosen_category_none_is_no_missing_value(files):
    text = PATIENTS.replace("Vital_status", "Therapy").replace(" Dead", " None")
    clinical = quietly(
        files(STUDY | {"data_clinical_patient.txt": text}), clinical=["VITAL_STATUS"]
    )
    assert list(clinical.modalities["clinical"]["VITAL_STATUS"]) == [
        "None",
        "Alive",
        "Alive",
        "None",
    ]


def test_mutations_are_found_whatever_the_length_of_barcodes_and_case_of_classes(files):
    expected = quietly(files(STUDY | SEQUENCED)).modalities["mutation"]
    longer = MAF.replace("A5J1-01", "A5J1-01A-11D-A29I-10").replace("Nonsense_M", "nonsense_m")
    longer = longer.replace("Missense_Mutation TCGA", "Silent TCGA")
    for maf, listed in (
        (longer, SEQUENCED),
        (MAF, {f: t.replace("A5J1-01", "A5J1-01A-11D") for f, t in SEQUENCED.items()}),
    ):
        found = quietly(files(STUDY | {"data_mutations.txt": maf} | listed)).modalities["mutation"]
        np.testing.assert_array_equal(found, expected)


def test_mutations_of_samples_that_are_not_listed_are_refused(files):
    listed = {f: t.replace(" S-2 ", " ") for f, t in SEQUENCED.items()}
    with pytest.raises(
        InputError, match=r"cases_sequenced\.txt: 1 samples are not .*: S-2 \(listed"
    ):
        quietly(files(STUDY | listed))


@pytest.mark.parametrize("name", ["data_clinical_sample.txt", "data_CNA.txt", "data_mutations.txt"])
def test_blanks_around_names_of_samples_do_not_count(files, name):
    expected = quietly(files(STUDY, "plain"))
    text = STUDY[name].replace("S-2", "S-2~")
    assert quietly(files(STUDY | {name: text})).fingerprint() == expected.fingerprint()


def test_counts_are_seen_by_their_scale(files):
    genes = "\n".join(f"G{j} {j} {j}.5 {200 * j} 7" for j in range(60))
    rsem = f"Hugo_Symbol Entrez_Gene_Id TCGA-OR-A5J1-01 S-2 S-3\n{genes}"
    cohort = quietly(files(STUDY | {"data_mrna_seq_v2_rsem.txt": rsem}))
    assert cohort.kinds["rna"] == "counts"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "data_mrna_seq_v2_rsem.txt",
            RSEM.replace("0.1", "high"),
            r"rsem\.txt: the non-numeric value 'high' in column 'TCGA-OR-A5J1-01', row 'TP53'",
        ),
        ("data_CNA.txt", CNA.replace("S-4", "S-2"), r"data_CNA\.txt: duplicate columns S-2"),
        ("data_CNA.txt", "Hugo_Symbol\nTP53", r"data_CNA\.txt: holds no numbers"),
        (
            "data_mutations.txt",
            MAF.replace("Missense_Mutation", "Silent")
            .replace("Nonsense_Mutation", "RNA")
            .replace("In_Frame_Del", "Silent")
            .replace("Splice_Site", "Intron"),
            r"none of its 7 mutations counts: of class 5'Flank, Intron, RNA and 1 more, where Frame_",
        ),
        (
            "data_clinical_sample.txt",
            SAMPLES.replace("PATIENT_ID SAMPLE", "PERSON SAMPLE"),
            r"sample\.txt: has no column PATIENT_ID, but PERSON, SAMPLE_ID",
        ),
        (
            "data_clinical_patient.txt",
            PATIENTS.replace("0:LIVING 69.0", "0:DECEASED 69.0"),
            r"the code against its word '0:DECEASED' in column 'OS_STATUS', PATIENT_ID 'TCGA-OR-A5J3'",
        ),
        (
            "data_mutations.txt",
            "Gene Sample\nTP53 S-2",
            r"mutations\.txt: has no column Hugo_Symbol",
        ),
        (
            "data_clinical_patient.txt",
            PATIENTS.replace("0:LIVING 69.0", "LOST 69.0"),
            r"unknown event code 'LOST' in column 'OS_STATUS', PATIENT_ID 'TCGA-OR-A5J3'; write 1",
        ),
        (
            "data_clinical_patient.txt",
            PATIENTS.replace("69.0", "69,0"),
            r"the non-numeric time '69,0' in column 'OS_MONTHS', PATIENT_ID 'TCGA-OR-A5J3'",
        ),
        (
            "data_clinical_patient.txt",
            PATIENTS.replace("OS_MONTHS", "OS_DAYS").replace("DFS_MONTHS", "DFS_DAYS"),
            "no pair of columns such as OS_MONTHS and OS_STATUS, but SEX, AGE",
        ),
        (
            "data_clinical_patient.txt",
            PATIENTS.replace("TCGA-OR-A5J2", "TCGA-OR-A5J1"),
            "duplicate PATIENT_ID TCGA-OR-A5J1; keep one row each",
        ),
    ],
)
def test_errors_name_the_file_and_the_cell(files, name, text, message):
    folder = files(STUDY | {name: text})
    with pytest.raises(InputError, match=message):
        quietly(folder)


@pytest.mark.parametrize("cell", ["Nonsense_Mutation", "In_Frame_Del", "Germline", "TP53", "MYC"])
def test_blanks_around_cells_of_mutations_do_not_count(files, cell):
    expected = quietly(files(STUDY | SEQUENCED, "plain")).modalities["mutation"]
    maf = {"data_mutations.txt": MAF.replace(cell, f"{cell}~~")}
    found = quietly(files(STUDY | SEQUENCED | maf)).modalities["mutation"]
    pd.testing.assert_frame_equal(found, expected)


def test_a_case_list_may_go_on_in_the_next_lines(files):
    expected = quietly(files(STUDY | SEQUENCED, "plain")).modalities["mutation"]
    folder = files(STUDY)
    (folder / "case_lists").mkdir()
    (folder / "case_lists" / "cases_sequenced.txt").write_text(
        "stable_id: x\n"
        "case_list_ids: TCGA-OR-A5J1-01\tTCGA-OR-A5J1-02\n  S-2\nS-3 S-4\ncase_list_name: S-9\n"
    )
    pd.testing.assert_frame_equal(quietly(folder).modalities["mutation"], expected)


@pytest.mark.parametrize(
    ("sample", "told"), [("S-77", True), ("S-4", False), ("TCGA-OR-A5J9-01", False)]
)
def test_samples_that_no_table_gives_a_patient_are_told(files, sample, told):
    cna = {"data_CNA.txt": CNA.replace("S-4", sample)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_cbioportal(files(STUDY | SEQUENCED | cna))
    found = any(f"1 samples of no known patient: {sample}" in str(w.message) for w in caught)
    assert found == told
