"""The final table and the recipes from the command line. Many programs to compile, hence slow."""

import pandas as pd
import pytest

from experiments import mo_riskvae, recipe


@pytest.mark.slow
def test_the_final_table(tmp_path, capsys):
    assert mo_riskvae.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    summary = pd.read_csv(tmp_path / "r" / "summary.csv").set_index("setting")
    for name in (
        "KL, β = 1", "KL, β = 0.1", "MMD, λ = 1", "MMD, λ = 1 + HSIC, λ = 1", "MyeVAE as released",
        "hybrid, K = 4, β = 1", "MO-RiskVAE: chosen per fold", "Cox-nnet: chosen per fold",
        "MO-RiskVAE, stacked", "ridge Cox", "elastic-net Cox", "stacked Cox", "clinical Cox",
    ):  # fmt: skip
        assert summary.loc[name, "mean"] > 0
    assert "ridge_lower" in summary
    assert "'MO-RiskVAE, stacked'" in (tmp_path / "r" / "report.html").read_text().replace(
        "&#x27;", "'"
    )
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_recipes(tmp_path):
    assert recipe.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    summary = pd.read_csv(tmp_path / "r" / "summary.csv").set_index("setting")
    assert len(summary) == 12 + 2 + 4
    assert (tmp_path / "r" / "figures" / "methods.svg").stat().st_size > 1000


def test_a_stack_needs_rows_held_out(tmp_path, capsys):
    assert recipe.main(["--protocol", "two-way", "--out", str(tmp_path / "r")]) == 2
    assert "--protocol three-way" in capsys.readouterr().err
