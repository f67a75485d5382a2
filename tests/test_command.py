"""``python -m jaxsurv``: scoring and inspecting saved models from the shell."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from jaxsurv.__main__ import main
from jaxsurv.data import DataWarning, read_cohort
from jaxsurv.estimators import load

V1 = Path(__file__).parent / "artifacts" / "model_v1"
MODEL, COHORT = str(V1 / "model"), str(V1 / "cohort")


def test_score_writes_one_row_per_patient(tmp_path, capsys):
    out = tmp_path / "new" / "risks.csv"
    assert main(["score", MODEL, COHORT, "--out", str(out), "--times", "200"]) == 0
    table = pd.read_csv(out, index_col="patient")
    expected = pd.read_csv(V1 / "expected.csv", index_col="patient").loc[table.index]
    assert list(table.columns) == ["risk", "percentile", "survival_200", "group"]
    np.testing.assert_allclose(table["risk"], expected["risk"], atol=1e-5)
    assert "30 patients," in capsys.readouterr().out
    assert main(["score", MODEL, COHORT, "--out", str(out)]) == 2
    assert "exists; choose another file or pass --overwrite" in capsys.readouterr().err
    assert main(["score", MODEL, COHORT, "--out", str(out), "--overwrite"]) == 0
    assert "survival_200" not in pd.read_csv(out)


def test_new_patients_need_no_outcome_and_may_lack_a_table(tmp_path, capsys):
    for name in ("rna", "clinical"):
        (tmp_path / f"{name}.csv.gz").write_bytes((V1 / "cohort" / f"{name}.csv.gz").read_bytes())
    inside = ["score", MODEL, str(tmp_path), "--out", str(tmp_path / "risks.csv")]
    assert main(inside) == 2
    assert "would be read as a table of the cohort" in capsys.readouterr().err
    out = tmp_path / "risks" / "risks.csv"
    with pytest.warns(
        DataWarning, match="none of the 30 patients has cnv, sbs, igh, which the model"
    ):
        assert main([*inside[:-1], str(out)]) == 0
    assert len(pd.read_csv(out)) == 30


def test_absent_columns_are_missing_where_that_is_asked_for(tmp_path, capsys):
    for file in (V1 / "cohort").glob("*.csv.gz"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    rna = pd.read_csv(tmp_path / "rna.csv.gz", index_col=0)
    gone = list(rna.columns[:10])
    rna.drop(columns=gone).to_csv(tmp_path / "rna.csv.gz")
    command = ["score", MODEL, str(tmp_path), "--out", str(tmp_path / "out" / "risks.csv")]
    assert main(command) == 2
    assert "--absent-columns missing" in capsys.readouterr().err
    rna.drop(columns=gone).assign(OTHER=1.0).to_csv(tmp_path / "rna.csv.gz")
    told = f"10 of 30 features are absent .*{gone[0]}.* 1 that the model does not know: OTHER"
    with pytest.warns(DataWarning, match=told):
        assert main([*command, "--absent-columns", "missing"]) == 0
    rna.assign(**dict.fromkeys(gone, np.nan)).to_csv(tmp_path / "rna.csv.gz")
    empty = tmp_path / "out" / "empty.csv"
    assert main([*command[:-1], str(empty)]) == 0
    pd.testing.assert_frame_equal(pd.read_csv(command[-1]), pd.read_csv(empty))


@pytest.mark.filterwarnings("ignore:the model does not read:jaxsurv.data.DataWarning")
def test_what_cannot_be_scored_is_named(tmp_path, capsys):
    out = str(tmp_path / "new" / "risks.csv")
    assert main(["score", MODEL, str(tmp_path), "--out", out]) == 2
    assert "has no table of rna, cnv, sbs" in capsys.readouterr().err
    (tmp_path / "protein.csv").write_text("patient,AKT\na,1.0\n")
    (tmp_path / "rna.csv").write_text("patient,AKT\na,1.0\n")
    assert main(["score", MODEL, str(tmp_path), "--out", out]) == 2
    assert "modality 'rna' lacks 30 of the 30 features" in capsys.readouterr().err
    assert main(["score", str(tmp_path / "none"), COHORT, "--out", out]) == 2
    assert "does not exist" in capsys.readouterr().err
    assert main(["score", MODEL, COHORT, "--out", out, "--times", "-1"]) == 2
    assert "times must be numbers >= 0" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:constant features:jaxsurv.data.DataWarning")
def test_explain_writes_tables_and_a_figure(tmp_path, capsys):
    out = tmp_path / "why"
    command = ["explain", MODEL, COHORT, "--out", str(out)]
    assert main([*command, "--endpoint", "pfs"]) == 2
    assert "unknown endpoint 'pfs'; there are os" in capsys.readouterr().err
    assert not out.exists()
    assert main([*command, "--endpoint", "os"]) == 0
    assert "30 patients," in capsys.readouterr().out
    features = pd.read_csv(out / "features.csv", index_col=["modality", "feature"])
    modalities = pd.read_csv(out / "modalities.csv", index_col="modality")
    each = pd.read_csv(out / "patients.csv", index_col="patient")
    assert each.shape == (30, len(features))
    assert list(each.columns) == [f"{m}: {f}" for m, f in features.index]
    expected = load(MODEL).explain(read_cohort(COHORT))
    for written, table in ((features, expected.features), (modalities, expected.modalities)):
        pd.testing.assert_frame_equal(written[table.columns], table, rtol=1e-4)
    assert modalities[["c_drop", "c", "c_without", "c_lost"]].notna().all(axis=None)
    assert (out / "figures" / "explanation.png").exists()
    assert main(command) == 2
    assert "already holds another run" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    assert "c_drop" not in pd.read_csv(out / "features.csv")


def test_inspect_prints_the_card(capsys):
    assert main(["inspect", MODEL]) == 0
    text = capsys.readouterr().out
    for part in ("MORiskVAE", "120 patients, 42 events", "days", "rna: 30 features (counts)"):
        assert part in text
    assert main(["inspect", COHORT]) == 2
    assert "manifest.json is missing" in capsys.readouterr().err


def test_help_loads_no_jax():
    code = (
        "import sys; from jaxsurv.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: print('jax' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False")


def test_warnings_look_as_before_when_a_command_is_done(capsys):
    before = warnings.formatwarning
    assert main(["inspect", MODEL]) == 0
    assert warnings.formatwarning is before
