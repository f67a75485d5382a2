"""Cox-MT on cohorts that it was not trained on, from the command line."""

import numpy as np
import pandas as pd
import pytest

from experiments.cox_mt import shift


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    assert shift.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    runs = pd.read_csv(tmp_path / "r" / "runs.csv")
    assert len(runs) == 2 * 2 * 2 * 2  # cohorts, trainings, networks, seeds
    assert set(runs["cohort"]) == {"simulated B", "simulated C"}
    key = ["cohort", "training", "method"]
    summary = pd.read_csv(tmp_path / "r" / "summary.csv").set_index(key)
    means = runs.groupby(key)["c"].mean()
    np.testing.assert_allclose(summary["mean"], means[summary.index], atol=1e-6)
    minus = summary["difference_mean"].xs("Cox-MT", level="method")
    both = means.unstack("method")
    np.testing.assert_allclose(minus, (both["Cox-MT"] - both["network"])[minus.index], atol=1e-6)
    assert (tmp_path / "r" / "figures" / "shift.svg").stat().st_size > 1000
    assert "Cox-MT minus its network" in (tmp_path / "r" / "report.html").read_text()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--train", "A"], "--train and --external go together"),
        (["--external", "A"], "--train and --external go together"),
        (["--seeds", "1"], "seeds must be at least 2"),
        (["--modality", "images"], "all need the modality 'images'"),
    ],
)
def test_bad_options_are_refused(options, message, tmp_path, capsys):
    assert shift.main([*options, "--out", str(tmp_path / "r")]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
