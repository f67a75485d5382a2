"""External validation from the command line, on the simulated cohort cut in three."""

import pandas as pd
import pytest

from experiments.external_validation import command as external_validation


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    assert external_validation.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    printed = capsys.readouterr().out
    folder = tmp_path / "r"
    table = pd.read_csv(folder / "external.csv")
    assert set(table["cohort"]) == {"external A", "external B"}
    assert table["model"].iloc[-1] == "MO-RiskVAE, stacked"
    assert "MO-RiskVAE, stacked" in printed
    assert (table["c"] > 0.5).mean() > 0.8  # the simulated truth is there to be found
    assert (pd.read_csv(folder / "features_found.csv").eval("features == found")).all()
    for name in ("external_c", "kaplan_meier"):
        assert (folder / "figures" / f"{name}.svg").stat().st_size > 1000
    assert "Features found" in (folder / "report.html").read_text()
    chunks = {p.name: p.stat().st_mtime_ns for p in (folder / "chunks").iterdir()}
    (folder / "report.html").unlink()
    resume = ["--preset", "smoke", "--out", str(folder), "--resume"]
    assert external_validation.main(resume) == 0
    pd.testing.assert_frame_equal(pd.read_csv(folder / "external.csv"), table)
    assert {p.name: p.stat().st_mtime_ns for p in (folder / "chunks").iterdir()} == chunks
    assert (folder / "report.html").exists()


def test_one_side_alone_is_refused(tmp_path, capsys):
    arguments = ["--train", str(tmp_path), "--out", str(tmp_path / "r")]
    assert external_validation.main(arguments) == 2
    assert "--external" in capsys.readouterr().err
