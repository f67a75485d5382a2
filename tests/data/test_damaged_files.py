"""Tables of all readers, each damaged in all ways: refused by file, line and fix, never read wrongly."""

import gzip
import os
import warnings
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest

from jaxsurv.data import files, read_features, read_images, read_mimic
from jaxsurv.data.formats import read_any, read_geo
from jaxsurv.types import InputError

N = 12
P = [f"TCGA-AA-A{i:03d}" for i in range(N)]
S = [f"{p}-01" for p in P]
RNG = np.random.default_rng(0)
TIMES, EVENTS = RNG.integers(5, 90, N) + 0.5, RNG.integers(0, 2, N)
VALUES = RNG.normal(size=(3, N)).round(2)
GENES = ["TP53", "MYC", "KRAS"]


@dataclass(frozen=True)
class Table:
    header: list
    rows: list
    separator: str = "\t"
    above: str = ""
    below: str = ""

    def text(self):
        lines = [self.separator.join(map(str, row)) for row in (self.header, *self.rows)]
        return self.above + "\n".join(lines) + "\n" + self.below


def samples_of_features(first):
    return Table([first, *S], [[g, *row] for g, row in zip(GENES, VALUES, strict=True)])


def by_patient(separator, *columns, first="patient", names=P):
    columns = dict(columns)
    rows = [[name, *cells] for name, *cells in zip(names, *columns.values(), strict=True)]
    return Table([first, *columns], rows, separator)


RNA = by_patient(",", *zip(GENES, VALUES, strict=True))
STAYS = [[i // 2, 100 + i, f"2150-01-{i + 1:02d} 08:00:00", f"2150-01-{i + 1:02d} 20:00:00", "", 0]
         for i in range(N)]  # fmt: skip
GSM = [f"GSM{i}" for i in range(N)]
SERIES = "!Sample_geo_accession\t" + "\t".join(GSM) + "\n" + "".join(
    "!Sample_characteristics_ch1\t" + "\t".join(f"{name}: {v}" for v in values) + "\n"
    for name, values in (("months", TIMES), ("died", EVENTS))
) + "!series_matrix_table_begin\n"  # fmt: skip

# Format to its reader, which takes the folder, and its tables.
FORMATS = {
    "cohort": (
        read_any,
        {
            "survival.csv": by_patient(",", ("os_time", TIMES), ("os_event", EVENTS)),
            "rna.tsv": replace(RNA, separator="\t"),
        },
    ),
    "features": (partial(read_features, kinds={"rna": "continuous"}), {"rna.csv": RNA}),
    "cbioportal": (
        read_any,
        {
            "data_clinical_patient.txt": replace(
                by_patient("\t", ("AGE", range(50, 50 + N)), ("OS_MONTHS", TIMES),
                           ("OS_STATUS", EVENTS), first="PATIENT_ID"),
                above="#Patient\tAge\n#1\t1\n",
            ),
            "data_clinical_sample.txt": Table(
                ["PATIENT_ID", "SAMPLE_ID"], list(map(list, zip(P, S, strict=True)))
            ),
            "data_mrna_seq_v2_rsem.txt": samples_of_features("Hugo_Symbol"),
            "data_cna.txt": samples_of_features("Hugo_Symbol"),
            "data_mutations.txt": Table(
                ["Hugo_Symbol", "Variant_Classification", "Tumor_Sample_Barcode"],
                [[GENES[i % 3], "Missense_Mutation", s] for i, s in enumerate(S)],
                above="#version 2.4\n",
            ),
        },
    ),
    "xena": (
        read_any,
        {
            "AA_survival.txt": by_patient("\t", ("OS", EVENTS), ("OS.time", TIMES), first="sample",
                                          names=S),
            "AA_clinicalMatrix": by_patient("\t", ("age", range(50, 50 + N)),
                                            ("stage", ["i", "ii"] * (N // 2)), first="sampleID",
                                            names=S),
            "HiSeqV2": samples_of_features("sample"),
        },
    ),
    "myevae": (
        read_any,
        {
            "train_labels.csv": by_patient(",", ("oscdy", TIMES), ("censos", EVENTS),
                                           first="PUBLIC_ID"),
            "train_features.csv": replace(
                RNA, header=["PUBLIC_ID", *(f"Feature_exp_{g}" for g in GENES)]
            ),
        },
    ),
    "geo": (
        lambda folder: read_geo(
            folder / "GSE1_series_matrix.txt",
            endpoints={"os": ("months", "died")},
            annotation=folder / "GPL1.txt",
        ),
        {
            "GSE1_series_matrix.txt": replace(
                samples_of_features("ID_REF"),
                header=["ID_REF", *GSM],
                above=SERIES,
                below="!series_matrix_table_end\n",
            ),
            "GPL1.txt": Table(["ID", "GB", "Gene Symbol"], [[g, 1, g.lower()] for g in GENES]),
        },
    ),
    "mimic": (
        lambda folder: read_mimic(folder, task="readmission", notes=folder / "notes.csv",
                                  min_patients=1, min_share=0),
        {
            "patients.csv": Table(
                ["subject_id", "gender", "anchor_age", "anchor_year", "dod"],
                [[i, "F", 50, 2150, "2151-01-01"] for i in range(N // 2)], ",",
            ),
            "admissions.csv": Table(
                ["subject_id", "hadm_id", "admittime", "dischtime", "deathtime",
                 "hospital_expire_flag", "admission_type", "insurance"],
                [[*stay, "URGENT", "Other"] for stay in STAYS], ",",
            ),
            "diagnoses_icd.csv": Table(
                ["subject_id", "hadm_id", "icd_code", "icd_version"],
                [[s[0], s[1], "I509", 10] for s in STAYS], ",",
            ),
            "labevents.csv": Table(
                ["subject_id", "hadm_id", "itemid", "charttime", "valuenum"],
                [[s[0], s[1], 7, s[2], 1.5] for s in STAYS], ",",
            ),
            "notes.csv": Table(["hadm_id", "e0", "e1"], [[s[1], 0.5, 1.5] for s in STAYS], ","),
        },
    ),
    "images": (
        read_images,
        {"patients.csv": Table(["patient", "site", "age"], [[p, "a", 5] for p in P], ",")},
    ),
}  # fmt: skip
TABLES = [(form, name) for form, (_, tables) in FORMATS.items() for name in tables]


def write(folder, form):
    for name, table in FORMATS[form][1].items():
        (folder / name).write_text(table.text())
    if form == "images":
        np.save(folder / "ct.npy", np.ones((N, 2, 2)))


def quietly(form, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FORMATS[form][0](folder)


def longer(table, extra, *, rows=None):
    return replace(
        table,
        rows=[[*r, extra] if rows is None or i in rows else r for i, r in enumerate(table.rows)],
    )


# Damage to the message that says so: of a table, or of the bytes of the file.
OF_TABLES = {
    "a column twice": (
        lambda t: replace(longer(t, 1), header=[*t.header, t.header[1]]), "duplicate columns .*; keep",
    ),
    "a column twice but for a blank": (
        lambda t: replace(longer(t, 1), header=[*t.header, f"{t.header[1]} "]), "duplicate columns",
    ),
    "a name is blank": (
        lambda t: replace(longer(t, 1), header=[*t.header, " "]), r"column \d+ has no name; name it",
    ),
    "a row is longer": (
        lambda t: longer(t, 9, rows=[2]), r"line \d+ \({third}\) has {more} cells, the header {n}; name",
    ),
    "a row ends with a separator": (
        lambda t: longer(t, "", rows=[2]), r"line \d+ \({third}\) has {more} .* take out the separator",
    ),
    "rows end with a separator": (
        lambda t: longer(t, ""), r"line \d+ \({first}\) has {more} cells, .* take out the separator",
    ),
    "a row is shorter": (
        lambda t: replace(t, rows=[*t.rows[:2], t.rows[2][:-1]]),
        r"line \d+ \({third}\) has {less} cells, the header {n}; give",
    ),
    "the header is shorter": (
        lambda t: replace(t, header=t.header[:-1]), r"has {n} cells, the header {less}; name all",
    ),
    "no row": (lambda t: replace(t, rows=[]), "has a header and no row"),
    "semicolons": (
        lambda t: replace(t, separator=";", rows=[[str(c).replace(".", ",") for c in r] for r in t.rows]),
        "by semicolons, not by (commas|tabs); save it with",
    ),
    "bars": (lambda t: replace(t, separator="|"), "separated by bars, not by"),
    "a NUL": (
        lambda t: replace(t, rows=[[f"{c}\0" for c in t.rows[0]], *t.rows[1:]]),
        r"line \d+ holds a NUL",
    ),
}  # fmt: skip
OF_BYTES = {
    "Latin-1": (lambda b: b.replace(b"\n", b"\n\xe9", 2), "is no UTF-8 text: byte 0xe9 .*; save it as"),
    "UTF-16": (lambda b: b.decode().encode("utf-16"), "is UTF-16 text, .* save it as UTF-8"),
    "UTF-16, big end first": (lambda b: b"\xfe\xff" + b.decode().encode("utf-16-be"), "UTF-16"),
    "UTF-16, no mark": (lambda b: b.decode().encode("utf-16-le"), "NUL .*no UTF-8 text; save it as"),
    "empty": (lambda b: b"", "is empty"),
    "a blank": (lambda b: b"\n \n", "is empty"),
    "an empty archive": (lambda b: gzip.compress(b""), "is empty"),
    "cut off": (lambda b: gzip.compress(b)[:-20], "is cut off before its end; download"),
    "a wrong checksum": (lambda b: gzip.compress(b)[:-8] + b"\1" * 8, "is damaged .*; download"),
    "compressed twice": (lambda b: gzip.compress(gzip.compress(b)), "is compressed twice"),
    "swells": (lambda b: gzip.compress(b.replace(b"\n", b"\n" * 1_000_000, 1)), "swells from .* check where"),
    "an endless line": (lambda b: b.replace(b"\n", b"\n" + b"x" * 2_000_000, 1), "longer than"),
    "a workbook": (lambda b: b"PK\3\4" + b, "is an Excel workbook or a zip archive, .* save"),
    "a pointer": (lambda b: b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git lfs"),
    "a web page": (lambda b: b"<!DOCTYPE html>\n<html></html>\n", "is a web page"),
}  # fmt: skip
INSTEAD = {
    "a folder": (lambda path: path.mkdir(), "is a folder, not a file"),
    "a pipe": (os.mkfifo, "is a pipe or a device, not a file"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "is a pipe or a device, not a file"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_undamaged_files_are_read(form, tmp_path):
    write(tmp_path, form)
    quietly(form, tmp_path)


@pytest.mark.parametrize("damage", OF_TABLES)
@pytest.mark.parametrize(("form", "name"), TABLES)
def test_damaged_tables_are_refused(form, name, damage, tmp_path):
    write(tmp_path, form)
    change, message = OF_TABLES[damage]
    table = FORMATS[form][1][name]
    (tmp_path / name).write_text(change(table).text())
    n = len(table.header)
    counts = {"n": n, "more": n + 1, "less": n - 1}
    message = message.format(first=table.rows[0][0], third=table.rows[2][0], **counts)
    with pytest.raises(InputError, match=rf"{name}: .*{message}"):
        quietly(form, tmp_path)


@pytest.mark.parametrize("damage", OF_BYTES)
@pytest.mark.parametrize(("form", "name"), TABLES)
def test_damaged_bytes_are_refused(form, name, damage, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_LARGE", 1 << 16)
    monkeypatch.setattr(files, "_LINE", 1 << 20)
    write(tmp_path, form)
    change, message = OF_BYTES[damage]
    path = tmp_path / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=rf"{name}: .*{message}"):
        quietly(form, tmp_path)


@pytest.mark.parametrize("other", INSTEAD)
@pytest.mark.parametrize(("form", "name"), TABLES)
def test_what_is_no_file_is_refused(form, name, other, tmp_path):
    if form == "xena" and other == "a folder":
        pytest.skip("folders in such a folder are named in a warning")
    write(tmp_path, form)
    change, message = INSTEAD[other]
    (tmp_path / name).unlink()
    change(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name}.* {message}|{name} is neither"):
        quietly(form, tmp_path)


OTHERS = [("cohort", "cohort.json"), ("cbioportal", "meta_study.txt"),
          ("cbioportal", "case_lists/cases_sequenced.txt")]  # fmt: skip


@pytest.mark.parametrize("other", INSTEAD)
@pytest.mark.parametrize(("form", "name"), OTHERS)
def test_files_beside_the_tables_are_files(form, name, other, tmp_path):
    write(tmp_path, form)
    change, message = INSTEAD[other]
    (tmp_path / name).parent.mkdir(exist_ok=True)
    change(tmp_path / name)
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        quietly(form, tmp_path)


@pytest.mark.parametrize("form", ["cohort", "cbioportal", "xena"])
def test_all_damaged_files_are_named_at_once(form, tmp_path):
    write(tmp_path, form)
    names = [name for name in FORMATS[form][1] if form != "xena" or "survival" not in name]
    for name in names:
        path = tmp_path / name
        path.write_bytes(path.read_bytes() + b"x\n")
    with pytest.raises(InputError) as error:
        quietly(form, tmp_path)
    lines = str(error.value).splitlines()
    assert len(lines) == len(names)
    assert all(
        f"{name}: line " in line for name, line in zip(sorted(names), sorted(lines), strict=True)
    )
