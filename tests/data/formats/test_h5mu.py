"""MuData files, written by mudata itself."""

import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from jaxsurv.data import DataWarning
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


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of writing, which is not ours
        import anndata
        import mudata

        def table(x, rows, columns):
            return anndata.AnnData(x, pd.DataFrame(index=rows), pd.DataFrame(index=columns))

        rna = np.array([[1.5, 2.0], [0.1 + 0.2, 4.0]])
        cnv = sparse.csr_matrix(np.array([[-1.0, 0.0], [2.0, 1.0]]))
        data = mudata.MuData(
            {
                "rna": table(rna, ["p1", "p2"], ["ENSG00000141510.17", "MYC"]),
                "cnv": table(cnv, ["p3", "p1"], ["TP53", "MYC"]),
            }
        )
        data.obs = OBS.loc[data.obs_names]
        file = tmp_path_factory.mktemp("mudata") / "mine.h5mu"
        data.write(file)
    return file


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
