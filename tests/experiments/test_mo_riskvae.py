"""The final table and the recipes from the command line. Many programs to compile, hence slow."""

from types import SimpleNamespace

import pandas as pd
import pytest

from experiments import mo_riskvae, recipe


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no feature of mutation:jaxsurv.data.DataWarning")
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
    report = (tmp_path / "r" / "report.html").read_text().replace("&#x27;", "'")
    assert "'MO-RiskVAE, stacked'" in report
    assert "The paper ranks by best single runs" in report
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("lower", "upper", "verdict"),
    [
        (-0.01, 0.02, "none can be told from KL: these data do not support the published ranking"),
        (0.01, 0.02, "better than KL: MO-RiskVAE; worse: none"),
        (-0.03, -0.01, "better than KL: none; worse: MO-RiskVAE"),
    ],
)
def test_the_published_ranking_is_judged_by_paired_intervals(lower, upper, verdict):
    names = [f"{m}: chosen per fold" for m in ("MO-RiskVAE", "β-KL", "MMD + HSIC", "MMD")]
    table = pd.DataFrame({"setting": names, "reference_mean": 0.0})
    table["reference_lower"], table["reference_upper"] = -0.02, 0.01
    table.loc[0, ["reference_mean", "reference_lower", "reference_upper"]] = [0.005, lower, upper]
    told = mo_riskvae.ranking(SimpleNamespace(summary=table))
    assert told.endswith(f"So {verdict}.")
    assert "MO-RiskVAE 0.779, β-KL 0.742" in told


def test_kl_is_in_the_table_already(tmp_path, capsys):
    assert mo_riskvae.main(["--betas", "0.1", "1", "--out", str(tmp_path / "r")]) == 2
    assert "betas: leave out 1" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:no feature of mutation:jaxsurv.data.DataWarning")
@pytest.mark.slow
def test_recipes(tmp_path):
    assert recipe.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    summary = pd.read_csv(tmp_path / "r" / "summary.csv").set_index("setting")
    assert len(summary) == 13 + 3 + 5
    assert (tmp_path / "r" / "figures" / "methods.svg").stat().st_size > 1000


def test_a_stack_needs_rows_held_out(tmp_path, capsys):
    assert recipe.main(["--protocol", "two-way", "--out", str(tmp_path / "r")]) == 2
    assert "--protocol three-way" in capsys.readouterr().err
