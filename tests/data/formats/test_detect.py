"""Which reader a path gets."""

import pytest

from jaxsurv.data.formats import detect_format, read_any
from jaxsurv.types import InputError


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ({"survival.csv": "patient,os_time,os_event\n"}, "jaxsurv folder"),
        ({"survival.tsv.gz": "patient os_time os_event"}, "jaxsurv folder"),
        ({"survival.tsv": "sample OS OS.time\na 1 2"}, "UCSC Xena folder"),
        ({"TCGA-ACC.survival.tsv.gz": "sample OS _PATIENT OS.time"}, "UCSC Xena folder"),
        ({"data_clinical_patient.txt": "PATIENT_ID"}, "cBioPortal study"),
        ({"train_labels.csv": "x,oscdy\n"}, "MyeVAE inputs"),
        ({"train_labels.parquet": "PAR1"}, "MyeVAE inputs"),
    ],
)
def test_folders(files, contents, expected):
    assert detect_format(files(contents)) == expected


def test_files_and_what_is_none(files, tmp_path):
    folder = files({"a.h5mu": "", "GSE1-GPL570_series_matrix.txt.gz": "", "notes.txt": "a b"})
    assert detect_format(folder / "a.h5mu") == "MuData file"
    assert detect_format(folder / "GSE1-GPL570_series_matrix.txt.gz") == "GEO series matrix"
    with pytest.raises(InputError, match="neither a MuData file"):
        detect_format(folder / "notes.txt")
    with pytest.raises(InputError, match=r"has none of survival\.csv .* there are .*a\.h5mu"):
        detect_format(folder)
    with pytest.raises(InputError, match="does not exist"):
        detect_format(tmp_path / "nowhere")


def test_options_of_other_formats_are_refused(files):
    folder = files({"survival.csv": "patient,os_time,os_event\na,1,1\n", "rna.csv": "p,x\na,1\n"})
    with pytest.raises(InputError, match="is a jaxsurv folder, which does not take annotation"):
        read_any(folder, annotation="GPL570.txt", clinical=None)
    assert read_any(folder, clinical=None).endpoints == ("os",)
