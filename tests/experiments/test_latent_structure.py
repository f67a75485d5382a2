"""Axis III from the command line, as a user runs it."""

import numpy as np
import pandas as pd
import pytest

from experiments.latent_structure import command as latent_structure

SETTINGS = ["Gaussian", "hybrid, K = 3, τ = 0.5", "hybrid, K = 3, τ = 1"]
CHOSEN = ["hybrid: K and τ chosen per fold", "latent, K and τ chosen per fold"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no feature of mutation:jaxsurv.data.DataWarning")
def test_smoke(tmp_path, capsys):
    assert latent_structure.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    printed = capsys.readouterr().out
    for name in ("Gaussian", "hybrid, K = 3, τ = 0.5", "ridge Cox"):
        assert name in printed
    folder = tmp_path / "r"
    for name in ("methods", "kaplan_meier", "latent_map", "alignment", "subtypes"):
        assert (folder / "figures" / f"{name}.svg").stat().st_size > 1000
        assert (folder / "figures" / f"{name}.png").exists()

    runs = pd.read_csv(folder / "runs.csv")
    assert runs["seed"].notna().sum() == 3 * 2 * 3  # settings, seeds, folds
    assert "mmd_weight" not in runs
    assert runs.loc[runs["setting"] == "Gaussian", "temperature_end"].isna().all()
    ends = runs.groupby("setting")["temperature_end"].first()
    assert ends[SETTINGS[1:]].tolist() == [0.5, 1.0]

    table = pd.read_csv(folder / "alignment.csv")
    for _, rows in table.groupby("measure"):
        assert rows["setting"].tolist() == SETTINGS + CHOSEN
        assert rows["mean"].between(0, 1).all()
        first = rows.iloc[0]
        assert first["reference_mean"] == 0
        np.testing.assert_allclose(rows["reference_mean"], rows["mean"] - first["mean"], atol=1e-6)
    assert table["measure"].unique().tolist() == ["first_component", "mean_dimension"]

    reached = pd.read_csv(folder / "temperatures.csv").set_index("setting")
    assert list(reached.index) == SETTINGS[1:]
    assert reached["temperature_end"].tolist() == [0.5, 1.0]

    stable = pd.read_csv(folder / "subtypes.csv").set_index("setting")
    assert set(stable.index) == {*SETTINGS[1:], "k-means on Gaussian μ, K = 3"}
    assert (stable["pairs"] == 3).all()
    assert stable["categories_in_use"].between(1, 3).all()

    ratios = pd.read_csv(folder / "hazard_ratios.csv").set_index("setting")
    assert list(ratios.index)[: len(SETTINGS + CHOSEN)] == SETTINGS + CHOSEN
    assert set(ratios.index) == set(pd.read_csv(folder / "summary.csv")["setting"])
    assert (ratios["hazard_ratio"] > 0).all()
    assert not {"p_value", "lower", "upper"} & set(ratios)
    page = (folder / "report.html").read_text()
    for words in ("paired difference", "adjusted Rand index of", "At the median of the pooled"):
        assert words in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "1"], "seeds must be at least 2"),
        (["--categories", "1"], "categories must be 0 or at least 2"),
        (["--temperatures", "0"], "temperatures must be > 0"),
    ],
)
def test_refusals(arguments, message, tmp_path, capsys):
    assert latent_structure.main([*arguments, "--out", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
