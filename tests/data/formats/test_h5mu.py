"""MuData files, written by mudata itself."""

import os
import re
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jaxsurv.data import DataWarning, read_cohort
from jaxsurv.data.__main__ import main
from jaxsurv.data.formats import read_h5mu
from jaxsurv.types import InputError

OBS = pd.DataFrame(
    {
        "os_time": [5.0, 3.0, 8.0],
        "os_event": [True, False, True],
        "months": [1.0, 2.0, np.nan],
        "relapse": ["yes", "no", None],
        "sex": pd.Categorical(["f", "m", "f"]),
        "note": ["a", "b", "c"],
    },
    ["p1", "p2", "p3"],
)


def written(file, tables, obs):
    """A file of tables ``(x, rows, columns)`` by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of writing, which is not ours
        import anndata
        import mudata

        made = {
            name: anndata.AnnData(x, pd.DataFrame(index=rows), pd.DataFrame(index=columns))
            for name, (x, rows, columns) in tables.items()
        }
        data = mudata.MuData(made)
        data.obs = obs.loc[data.obs_names]
        data.write(file)
    return file


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rna = np.array([[1.5, 2.0], [0.1 + 0.2, 4.0]])
    cnv = sparse.csr_matrix(np.array([[-1.0, 0.0], [2.0, 1.0]]))
    tables = {
        "rna": (rna, ["p1", "p2"], ["ENSG00000141510.17", "MYC"]),
        "cnv": (cnv, ["p3", "p1"], ["TP53", "MYC"]),
    }
    return written(tmp_path_factory.mktemp("mudata") / "mine.h5mu", tables, OBS)


def quietly(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_h5mu(path, **options)


def test_modalities_and_outcomes_are_read(path, comes_back):
    cohort = quietly(path)
    assert cohort.name == "mine"
    rna, cnv = cohort.modalities["rna"], cohort.modalities["cnv"]
    assert rna.loc["p2"].to_dict() == {"ENSG00000141510": 0.1 + 0.2, "MYC": 4.0}
    assert cnv.loc["p3"].to_dict() == {"TP53": -1, "MYC": 0}
    assert cohort.kinds["cnv"] == "five_state"
    assert cohort.survival["os_event"].to_dict() == {"p1": 1, "p2": 0, "p3": 1}
    assert cohort.modalities["clinical"]["sex"].to_dict() == {"p1": "f", "p2": "m", "p3": "f"}
    assert list(cohort.modalities["clinical"]) == ["sex"]
    comes_back(cohort)


def test_columns_of_the_outcome_can_be_named(path):
    cohort = quietly(path, endpoints={"rfs": ("months", "relapse")}, clinical=["note"])
    assert cohort.survival.to_dict() == {
        "rfs_time": {"p1": 1, "p2": 2},
        "rfs_event": {"p1": 1, "p2": 0},
    }
    assert list(cohort.modalities["clinical"]) == ["note"]
    with pytest.raises(InputError, match=r"mine\.h5mu: endpoint 'os' needs the column days; there"):
        read_h5mu(path, endpoints={"os": ("days", "os_event")})


def test_a_file_without_an_outcome_by_name_says_how_to_name_it(tmp_path, capsys):
    """In Python and on the command line, whose answer is then taken."""
    obs = OBS[["months", "relapse", "sex"]].loc[["p1", "p2"]]
    file = written(tmp_path / "a.h5mu", {"rna": (np.eye(2), ["p1", "p2"], ["A", "B"])}, obs)
    told = r"There are .*months, relapse, sex.*--endpoint os TIME EVENT on the command line"
    with pytest.raises(InputError, match=rf"a\.h5mu: obs has no pair of columns .*{told}"):
        read_h5mu(file)
    convert = ["convert", str(file), str(tmp_path / "out")]
    assert main(convert) == 2
    assert re.search(told, " ".join(capsys.readouterr().err.split()))
    assert main([*convert, "--endpoint", "os", "months", "relapse"]) == 0
    assert read_cohort(tmp_path / "out").endpoints == ("os",)


def test_the_extra_is_named_where_it_is_absent(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "mudata", None)
    with pytest.raises(InputError, match=r"extra 'omics'; pip install 'jaxsurv\[omics\]'"):
        read_h5mu(path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "x.h5mu").write_text("no HDF5")
    with pytest.raises(InputError, match=r"x\.h5mu: "):
        read_h5mu(tmp_path / "x.h5mu")


def test_patients_without_an_outcome_are_kept_if_asked_for(path):
    relapse = {"endpoints": {"rfs": ("months", "relapse")}}
    plain, kept = quietly(path, **relapse), quietly(path, semi_supervised=True, **relapse)
    assert sorted(plain.survival.index) == ["p1", "p2"]
    assert sorted(kept.survival.index) == ["p1", "p2", "p3"]
    assert kept.survival.loc["p3"].isna().all()
    assert "p3" in kept.modalities["cnv"].index


def test_one_sample_of_a_patient_is_taken_in_all_modalities(tmp_path):
    names = ["TCGA-AA-0001-01", "TCGA-AA-0001-06", "TCGA-AA-0002-01"]
    obs = pd.DataFrame({"os_time": [5.0, 5, 3], "os_event": [1, 1, 0]}, names)
    x = np.array([[1.0, 2], [3, 4.5], [5, 7]])
    tables = {"rna": (x, names, ["A", "B"]), "cnv": (x[1:], names[1:], ["A", "B"])}
    cohort = quietly(written(tmp_path / "a.h5mu", tables, obs))
    assert cohort.modalities["rna"]["A"].to_dict() == {"TCGA-AA-0001": 3, "TCGA-AA-0002": 5}


def test_times_have_one_unit_and_events_no_opposite(tmp_path):
    obs = pd.DataFrame(
        {"os_days": [5.0, 8], "pfs_months": [1.0, 2], "dead": [1, 0], "alive": [0, 1]}, ["a", "b"]
    )
    file = written(tmp_path / "a.h5mu", {"rna": (np.eye(2), ["a", "b"], ["A", "B"])}, obs)
    assert quietly(file, endpoints={"os": ("os_days", "dead")}).time_unit == "days"
    with pytest.raises(InputError, match=r"a\.h5mu: times are in days, months"):
        read_h5mu(file, endpoints={"os": ("os_days", "dead"), "pfs": ("pfs_months", "dead")})
    with pytest.raises(InputError, match=r"a\.h5mu: column 'alive' reads as the opposite"):
        read_h5mu(file, endpoints={"os": ("os_days", "alive")})


def test_other_content_is_refused_by_name(tmp_path):
    import anndata

    anndata.AnnData(np.eye(2)).write_h5ad(tmp_path / "a.h5mu")
    with pytest.raises(InputError, match=r"a\.h5mu: holds no MuData"):
        read_h5mu(tmp_path / "a.h5mu")
    obs = OBS.loc[["p1", "p2"]]
    file = written(tmp_path / "b.h5mu", {"rna": (np.eye(2), ["p1", "p2"], ["A", "B"])}, obs)
    file.write_bytes(file.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"b\.h5mu: cannot be read"):
        read_h5mu(file)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.mkdir()])
def test_what_is_no_file_is_refused(make, tmp_path):
    make(tmp_path / "a.h5mu")
    with pytest.raises(InputError, match=r"a\.h5mu: is a (pipe or a device|folder), not a file"):
        read_h5mu(tmp_path / "a.h5mu")


def test_a_file_that_was_read_and_written_again_is_read(tmp_path):
    """Rows with a name, as those of a cohort's tables: mudata joins them only while it pulls columns."""
    mudata = pytest.importorskip("mudata")
    anndata = pytest.importorskip("anndata")
    rows = pd.Index(["p1", "p2", "p3"], name="patient")
    parts = {
        "rna": pd.DataFrame({"A": [0.5, 1.5, 2.5], "B": [0.1, 0.2, 0.4]}, rows),
        "cnv": pd.DataFrame({"C": [0.3, 1.2]}, rows[:2]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = mudata.MuData({m: anndata.AnnData(t) for m, t in parts.items()})
        data.obs = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [1, 0, 1]}, rows)
        data.write_h5mu(tmp_path / "once.h5mu")
        mudata.read_h5mu(tmp_path / "once.h5mu").write_h5mu(tmp_path / "twice.h5mu")
    once, twice = (quietly(tmp_path / f"{name}.h5mu") for name in ("once", "twice"))
    for cohort in (once, twice):
        assert sorted(cohort.modalities["rna"].index) == ["p1", "p2", "p3"]
        assert cohort.modalities["cnv"].loc["p2", "C"] == 1.2
    assert once.fingerprint() == twice.fingerprint()
