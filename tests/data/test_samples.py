"""One sample of a patient in all modalities, whatever the format."""

import warnings

import pandas as pd
import pytest

from jaxsurv.data import DataWarning, read_cohort
from jaxsurv.data.formats import read_cbioportal, read_xena
from jaxsurv.data.samples import of_one_sample
from jaxsurv.types import InputError

P = [f"TCGA-AA-000{i}" for i in range(4)]
# Samples of each modality: patient 1 has rna of the metastasis, the other modalities of the primary
# tumour; of patient 2 only one sample is in both.
SAMPLES = {
    "rna": [f"{P[0]}-01", f"{P[1]}-06", f"{P[2]}-01", f"{P[2]}-06", f"{P[3]}-01"],
    "cnv": [f"{P[0]}-01", f"{P[1]}-01", f"{P[2]}-06", f"{P[3]}-01"],
    "protein": [f"{P[0]}-01", f"{P[1]}-01", f"{P[2]}-06", f"{P[3]}-01"],
}
TAKEN = {"rna": [f"{P[0]}-01", f"{P[2]}-06", f"{P[3]}-01"], "cnv": SAMPLES["cnv"]}
VALUE = {
    s: float(i) + 0.5 for i, s in enumerate(sorted({s for of in SAMPLES.values() for s in of}))
}


def indexes(samples):
    return {m: pd.Index(of) for m, of in samples.items()}


def test_the_sample_in_most_modalities_is_taken_and_losses_are_said():
    with pytest.warns(DataWarning) as caught:
        taken = of_one_sample(indexes(SAMPLES))
    assert {m: list(of) for m, of in taken.items()} == TAKEN | {"protein": SAMPLES["protein"]}
    assert str(caught[0].message) == (
        "2 patients have different samples in different modalities; the one in most modalities is taken: "
        f"{P[1]} ({P[1]}-01), {P[2]} ({P[2]}-06); left out, since it is of another sample: rna of {P[1]} "
        f"({P[1]}-06)"
    )


@pytest.mark.parametrize(
    "samples",
    [
        {"rna": ["a", "b"], "cnv": ["b"]},  # patients
        {"rna": P, "cnv": [f"{p}-01" for p in P]},  # patients, and samples
        {"rna": [f"{P[0]}-01A-11R", f"{P[1]}-06"], "cnv": [f"{P[0]}-01B", f"{P[1]}-06"]},
        {"rna": [f"{P[0]}-01", f"{P[0]}-06"], "cnv": [f"{P[0]}-01"]},  # the first is in both
        {"rna": [f"{P[0]}-11"], "cnv": [f"{P[0]}-01"]},  # normal tissue
    ],
)
def test_without_a_conflict_nothing_is_taken_or_said(samples):
    assert {m: list(of) for m, of in of_one_sample(indexes(samples)).items()} == samples


def test_a_modality_of_other_samples_alone_is_refused():
    samples = {"rna": [f"{p}-06" for p in P], "cnv": [f"{p}-01" for p in P]}
    with pytest.raises(
        InputError, match=r"rna is of other samples .* such as TCGA-AA-0000-06, .* leave"
    ):
        of_one_sample(indexes(samples))


def by_sample(modality, separator="\t", transpose=False):
    rows = [["gene", "A", "B"], *([s, VALUE[s], -VALUE[s]] for s in SAMPLES[modality])]
    rows = rows if transpose else list(zip(*rows, strict=True))
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def cohort_files():
    outcome = "patient,os_time,os_event\n" + "".join(
        f"{p},{i + 1},{i % 2}\n" for i, p in enumerate(P)
    )
    tables = {f"{m}.csv": by_sample(m, ",", True) for m in SAMPLES}
    return read_cohort, {"survival.csv": outcome} | tables


def xena_files():
    outcome = "sample\tOS\tOS.time\n" + "".join(
        f"{p}-01\t{i % 2}\t{i + 1}\n" for i, p in enumerate(P)
    )
    names = {"rna": "HiSeqV2", "cnv": "Gistic2", "protein": "RPPA"}
    return read_xena, {"survival.txt": outcome} | {names[m]: by_sample(m) for m in SAMPLES}


def cbioportal_files():
    """Names of samples that say nothing, and a table that maps them."""
    patients = "PATIENT_ID\tOS_MONTHS\tOS_STATUS\n"
    patients += "".join(f"{p}\t{i + 1}\t{i % 2}\n" for i, p in enumerate(P))
    name = {s: f"S{i}" for i, s in enumerate(VALUE)}
    samples = "PATIENT_ID\tSAMPLE_ID\n" + "".join(f"{s[:-3]}\t{x}\n" for s, x in name.items())
    maf = "Hugo_Symbol\tVariant_Classification\tTumor_Sample_Barcode\n"
    maf += "".join(f"TP53\tSplice_Site\t{name[s]}\n" for s in SAMPLES["protein"][1:])
    maf += f"MYC\tSplice_Site\t{name[P[0] + '-01']}\n"
    tables = {"data_mrna_seq_rpkm.txt": by_sample("rna"), "data_cna.txt": by_sample("cnv")}
    for s, x in name.items():
        tables = {
            file: text.replace(s, x).replace("gene", "Hugo_Symbol") for file, text in tables.items()
        }
    clinical = {"data_clinical_patient.txt": patients, "data_clinical_sample.txt": samples}
    return read_cbioportal, clinical | tables | {"data_mutations.txt": maf}


@pytest.mark.parametrize("form", [cohort_files, xena_files, cbioportal_files])
def test_every_reader_takes_one_sample_of_a_patient(form, tmp_path):
    reader, contents = form()
    for name, text in contents.items():
        (tmp_path / name).write_text(text)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        cohort = reader(tmp_path)
    assert any("2 patients have different samples" in str(w.message) for w in caught)
    for modality, samples in TAKEN.items():
        found = cohort.modalities[modality]["A"].to_dict()
        assert found == {s[:-3]: VALUE[s] for s in samples}, modality
