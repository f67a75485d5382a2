"""The simulated gain from the command line. Two programs per condition to compile, hence slow."""

import pandas as pd
import pytest

from experiments.unlabelled import command as unlabelled


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    assert unlabelled.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    summary = pd.read_csv(tmp_path / "r" / "summary.csv")
    assert summary["unlabelled"].tolist() == [1000, 0, 1000]
    assert summary["early_stopping"].tolist() == [False, False, True]
    runs = pd.read_csv(tmp_path / "r" / "runs.csv")
    gain = (runs["Cox-MT"] - runs["network"]).groupby(runs["early_stopping"]).mean()
    assert summary["mean"].iloc[2] == pytest.approx(gain[True])
    assert (tmp_path / "r" / "figures" / "gain.svg").stat().st_size > 1000
    assert "gain (95 %)" in capsys.readouterr().out
