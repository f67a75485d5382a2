"""Axis II from the command line, as a user runs it."""

import pandas as pd
import pytest

from experiments.regularizers import command as regularizers


@pytest.mark.filterwarnings("ignore:no feature of mutation:jaxsurv.data.DataWarning")
@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    assert regularizers.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    printed = capsys.readouterr().out
    for name in ("KL, β = 1", "MMD, λ = 1 + HSIC, λ = 1", "no regulariser", "ridge Cox"):
        assert name in printed
    folder = tmp_path / "r"
    for name in ("methods", "c_against_scale", "kaplan_meier"):
        assert (folder / "figures" / f"{name}.svg").stat().st_size > 1000
    runs = pd.read_csv(folder / "runs.csv")
    assert runs["seed"].notna().sum() == 5 * 2 * 3  # settings, seeds, folds
    table = pd.read_csv(folder / "magnitudes.csv").set_index("setting")
    assert table.loc["no regulariser", "scale"] == 0
    assert (table.drop("no regulariser")["scale"] > 0).all()
    weighted = table.loc["KL, β = 0.1", "kl"]
    at = runs[(runs["setting"] == "KL, β = 0.1") & (runs["best_epoch"] > 0)]
    assert abs(weighted - 0.1 * at["kl"].mean()) < 1e-6
