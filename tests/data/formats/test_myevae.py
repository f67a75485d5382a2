"""MyeVAE's input folder: prefixes, labels, shifted times."""

import io
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats import read_myevae
from jaxsurv.types import InputError

FEATURES = """PUBLIC_ID,Feature_exp_ENSG00000141510.17,Feature_exp_ENSG00000136997,\
Feature_CNA_ENSG00000141510,\
Feature_CNA_Amp_1q21.3,Feature_CNA_Del_17p13.1,Feature_fish_t(4;14),Feature_SBS1,Feature_SBS5,\
Feature_SeqWGS_WHSC1_CALL,Feature_clin_D_PT_age,Feature_clin_D_PT_iss_1,Other
MMRF_1,1.5,-2,-1,1,0,1,0.1,0.9,1,0.5,1,9
MMRF_2,,,0,0,-1,0,0.2,0.8,0,-0.5,0,9
MMRF_3,0.25,1,,,,0,,,0,1.5,0,9
"""
LABELS = (
    "PUBLIC_ID,oscdy,censos,pfscdy,censpfs\nMMRF_1,100,1,50,1\nMMRF_2,-8,0,20,0\nMMRF_3,7,0,,\n"
)
FEATURES_FILE = "train_features_os_processed.csv"
INPUTS = {FEATURES_FILE: FEATURES, "train_labels.csv": LABELS}


def quietly(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_myevae(folder)


def test_prefixes_are_modalities(files, comes_back):
    cohort = quietly(files(INPUTS))
    assert {m: list(t.columns) for m, t in cohort.modalities.items()} == {
        "rna": ["ENSG00000141510", "ENSG00000136997"],
        "cnv": ["ENSG00000141510"],
        "gistic": ["Amp_1q21.3", "Del_17p13.1"],
        "fish": ["t(4;14)"],
        "sbs": ["SBS1", "SBS5"],
        "igh": ["WHSC1_CALL"],
        "clinical": ["D_PT_age", "D_PT_iss_1"],
    }
    assert list(cohort.modalities["rna"].index) == ["MMRF_1", "MMRF_3"]
    assert list(cohort.modalities["gistic"].index) == ["MMRF_1", "MMRF_2"]
    assert (cohort.endpoints, cohort.time_unit) == (("os", "pfs"), "days")
    np.testing.assert_array_equal(cohort.outcome("pfs").time, [50, 20])
    comes_back(cohort)


def test_negative_times_are_shifted_and_it_is_said(files):
    with pytest.warns(DataWarning) as caught:
        cohort = read_myevae(files(INPUTS))
    np.testing.assert_array_equal(cohort.survival["os_time"], [108, 0, 15])
    np.testing.assert_array_equal(cohort.survival["pfs_time"], [50, 20, np.nan])
    text = "\n".join(str(w.message) for w in caught)
    assert "1 negative times of os; all its times are shifted by 8 days" in text
    assert "cross-validated scores are optimistic" in text
    assert "1 columns without a known prefix left out (Other)" in text


def test_raw_features_come_first(files):
    raw = FEATURES.replace("0.25", "0.75")
    cohort = quietly(files(INPUTS | {"train_features.csv": raw}))
    assert cohort.modalities["rna"].iat[1, 0] == 0.75


def test_names_keep_their_zeros_though_their_column_has_no_name(files):
    short = FEATURES.replace("PUBLIC_ID", "").replace("MMRF_", "000")
    inputs = {FEATURES_FILE: short, "train_labels.csv": LABELS.replace("MMRF_", "000")}
    assert list(quietly(files(inputs)).modalities["rna"].index) == ["0001", "0003"]


def test_parquet_under_that_name_is_read_or_refused(files, monkeypatch):
    folder = files(INPUTS)
    (folder / "train_features_os_processed.csv").write_bytes(b"PAR1...")
    expected = pd.DataFrame({"Feature_exp_A": [1.5, 2, 3]}, ["MMRF_1", "MMRF_2", "MMRF_3"])
    monkeypatch.setattr(pd, "read_parquet", lambda path: expected)
    assert list(quietly(folder).modalities["rna"]["A"]) == [1.5, 2, 3]

    def absent(path):
        raise ImportError("pyarrow")

    monkeypatch.setattr(pd, "read_parquet", absent)
    with pytest.raises(InputError, match=r"processed\.csv: is a Parquet file; .*jaxsurv\[omics\]"):
        quietly(folder)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("indexed", [True, False])
def test_parquet_files_are_read_as_text_is(files, monkeypatch, suffix, indexed, tmp_path):
    texts = {FEATURES_FILE: FEATURES, "train_labels.csv": LABELS}
    tables = {Path(f).stem: pd.read_csv(io.StringIO(text)) for f, text in texts.items()}
    right = quietly(files(INPUTS))
    folder = tmp_path / "parquet"
    folder.mkdir()
    for stem in tables:
        (folder / f"{stem}{suffix}").write_bytes(b"PAR1...")

    def stored(path):
        return tables[path.stem].set_index("PUBLIC_ID") if indexed else tables[path.stem]

    monkeypatch.setattr(pd, "read_parquet", stored)
    cohort = quietly(folder)
    assert cohort.renamed("x").fingerprint() == right.fingerprint()
    twice = {k: pd.concat([t, t[:1]], ignore_index=True) for k, t in tables.items()}
    tables = twice
    with pytest.raises(InputError, match=f"train_labels{suffix}: duplicate patients MMRF_1"):
        quietly(folder)


def test_a_real_parquet_file(files, tmp_path):
    pytest.importorskip("pyarrow")
    right = quietly(files(INPUTS))
    for file, text in ((FEATURES_FILE, FEATURES), ("train_labels.csv", LABELS)):
        table = pd.read_csv(io.StringIO(text))
        table.to_parquet((tmp_path / file).with_suffix(".parquet"))
        (tmp_path / file).unlink(missing_ok=True)
    assert quietly(tmp_path).fingerprint() == right.fingerprint()
    (tmp_path / "train_labels.parquet").write_bytes(b"PAR1 cut off")
    with pytest.raises(InputError, match=r"train_labels\.parquet: cannot be read"):
        quietly(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train_labels.csv", "PUBLIC_ID,oscdy\nMMRF_1,1\n", "needs the columns oscdy and censos"),
        ("train_labels.csv", LABELS.replace("100,1", "100,2"), "event code 2 in column 'censos'"),
        (
            "train_features_os_processed.csv",
            "PUBLIC_ID,x\nMMRF_1,1\n",
            "no column that begins with",
        ),
        (
            "train_features_os_processed.csv",
            FEATURES.replace("0.25", "low"),
            r"non-numeric value 'low' in column 'Feature_exp_ENSG00000141510\.17', row 'MMRF_3'",
        ),
    ],
)
def test_refusals(files, name, text, message):
    folder = files(INPUTS | {name: text})
    with pytest.raises(InputError, match=message):
        quietly(folder)
    (folder / "train_features_os_processed.csv").unlink()
    (folder / "train_labels.csv").write_text(LABELS)
    with pytest.raises(InputError, match=r"has none of train_features\.csv"):
        quietly(folder)


def test_patients_without_an_outcome_are_kept_if_asked_for(files):
    labels = "".join(line for line in LABELS.splitlines(True) if not line.startswith("MMRF_2"))
    folder = files(INPUTS | {"train_labels.csv": labels})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        plain, kept = read_myevae(folder), read_myevae(folder, semi_supervised=True)
    assert "MMRF_2" not in plain.survival.index
    assert kept.survival.loc["MMRF_2"].isna().all()
    assert "MMRF_2" in kept.modalities["gistic"].index
    np.testing.assert_array_equal(kept.outcome("os").time, plain.outcome("os").time)


@pytest.mark.parametrize("first", ["", "index", "Unnamed: 0"])
@pytest.mark.parametrize("start", [0, 1])
def test_a_counter_before_the_names_is_refused(files, first, start):
    """The rows of the features are in another order: a join by the counter mixes up the patients."""

    def counted(text):
        head, *rows = text.strip().split("\n")
        lines = [f"{first},{head}", *(f"{i},{row}" for i, row in enumerate(rows, start))]
        return "\n".join(lines) + "\n"

    head, *rows = FEATURES.strip().split("\n")
    inputs = {
        FEATURES_FILE: counted("\n".join([head, *rows[::-1]])),
        "train_labels.csv": counted(LABELS),
    }
    with pytest.raises(InputError, match="counts the rows, and 'PUBLIC_ID' looks like the names"):
        quietly(files(inputs))
