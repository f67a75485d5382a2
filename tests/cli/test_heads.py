"""Outcome heads on the command line."""

from typing import get_args, get_type_hints

import pandas as pd
import pytest

from experiments import sweep_beta
from jaxsurv.cli.options import RecipeOptions
from jaxsurv.estimators import load
from jaxsurv.models.heads import HEADS


def test_the_options_are_the_heads():
    assert get_args(get_type_hints(RecipeOptions)["head"]) == tuple(HEADS)


@pytest.mark.filterwarnings("ignore:no feature of mutation", "ignore:no epoch of any network")
def test_a_study_keeps_a_model_with_curves_of_its_own(tmp_path):
    out = tmp_path / "r"
    options = ["--preset", "smoke", "--head", "logistic_hazard", "--out", str(out), "--no-nested"]
    assert sweep_beta.main([*options, "--seeds", "1", "--epochs", "8"]) == 0
    runs = pd.read_csv(out / "runs.csv")
    assert runs["logistic_hazard"].notna().any()
    assert "cox" not in runs
    model = load(out / "model.zip")
    assert model.config.head == "logistic_hazard"
    assert "Logistic hazard loss" in (out / "figures" / "training.svg").read_text()
