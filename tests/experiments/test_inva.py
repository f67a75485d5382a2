"""Image-on-image regression from the command line."""

import json

import pandas as pd
import pytest

from experiments.inva import command as inva


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    out = tmp_path / "r"
    assert inva.main(["--preset", "smoke", "--out", str(out)]) == 0
    runs = pd.read_csv(out / "runs.csv")
    assert runs.groupby("method").size().to_dict() == {
        "InVA": 4, "pixel-wise ridge": 4, "tensor regression": 4,
    }  # fmt: skip
    summary = pd.read_csv(out / "summary.csv")
    assert summary["n"].tolist() == [30] * 3 + [20] * 3  # the base first
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
    page = (out / "report.html").read_text()
    for figure in ("maps", "error", "difference", "coverage", "training"):
        assert (out / "figures" / f"{figure}.svg").stat().st_size > 1000
    assert "pixel-wise ridge has a smaller error than InVA in" in page
    assert "minus InVA" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--methods", "VAE"], "methods ['VAE'] are not known"),
        (["--n", "5"], "needs replicates >= 2 and n >= 10, got 50 and 5"),
        (["--snr", "1", "1"], "snr"),
    ],
)
def test_refusals(options, message, tmp_path, capsys):
    assert inva.main([*options, "--out", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
