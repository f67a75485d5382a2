"""HCL from the command line: simulated modalities, and a cohort."""

import json

import pandas as pd
import pytest

from experiments.hcl import command as hcl
from experiments.hcl_survival import command as hcl_survival


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    out = tmp_path / "r"
    options = ["--n", "100", "400", "--few-labels", "60", "--out", str(out)]
    assert hcl.main(["--preset", "smoke", *options]) == 0
    runs = pd.read_csv(out / "runs.csv")
    assert runs.groupby(["n", "method"]).size().unique().tolist() == [2]
    ours = runs[runs["method"] == "HCL"]
    assert (ours.groupby("n")["block"].mean().diff().dropna() < 0).all()
    labels = pd.read_csv(out / "labels.csv")
    assert labels.groupby("method").size().to_dict() == dict.fromkeys(
        ["HCL", "HCL, bias-corrected", "HCL, loadings of all patients", "HCL-SVD", "JIVE",
         "HCL, group penalty", "HCL, group penalty, 1 SE", "SVD", "ridge on all features"], 2,
    )  # fmt: skip
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
    for figure in ("recovery", "loadings", "importance"):
        assert (out / "figures" / f"{figure}.svg").stat().st_size > 1000
    page = (out / "report.html").read_text()
    assert "JIVE has a larger error than HCL in" in page
    assert "Slope of log error on log n, HCL:" in page
    assert "minus HCL, n = 400" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--n", "1000", "--equal", "400"], "n must exceed the 1400 features, got 1000"),
        (["--unequal", "5", "6"], "unequal must be 3 sizes"),
        (["--replicates", "1"], "replicates must be at least 2"),
        (["--noise", "1", "1"], "noise"),
    ],
)
def test_refusals(options, message, tmp_path, capsys):
    assert hcl.main([*options, "--out", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_on_a_cohort(tmp_path, capsys):
    """Seven programs to compile, hence slow."""
    out = tmp_path / "r"
    assert hcl_survival.main(["--preset", "smoke", "--out", str(out)]) == 0
    summary = pd.read_csv(out / "summary.csv")
    names = set(summary.iloc[:, 0])
    assert {"HCL: chosen per fold", "HCL without contrast", "linear HCL, Cox", "ridge Cox"} <= names
    matters = pd.read_csv(out / "importance.csv")
    assert matters["structure"].iloc[-1] == "clinical"
    assert (matters["lower"] <= matters["upper"]).all()
    assert (out / "figures" / "importance.svg").stat().st_size > 1000
    assert "minus the same network without contrast" in (out / "report.html").read_text()
