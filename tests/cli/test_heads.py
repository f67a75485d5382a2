"""Outcome heads on the command line."""

from typing import get_args, get_type_hints

import pandas as pd
import pytest

from experiments import sweep_beta
from jaxsurv.cli.options import RecipeOptions
from jaxsurv.cli.setup import head_settings
from jaxsurv.data import write_cohort
from jaxsurv.estimators import load
from jaxsurv.models.heads import HEADS
from jaxsurv.types import InputError
from tests.estimators.test_competing import COHORT


def test_the_options_are_the_heads():
    assert get_args(get_type_hints(RecipeOptions)["head"]) == tuple(HEADS)


def test_a_head_of_all_causes_takes_them_from_the_study():
    both = COHORT.of_cause("efs", "death")
    assert head_settings(both, "competing") == {"head": "competing", "causes": 2, "cause": 2}
    assert head_settings(both, "cox") == {"head": "cox"}
    with pytest.raises(
        InputError, match="--head competing is of all causes of an endpoint, and this"
    ):
        head_settings(COHORT, "competing")
    with pytest.raises(InputError, match="ranks patients by one of them: name it, cause='relapse'"):
        head_settings(COHORT.of_cause("efs", "any"), "competing")


@pytest.mark.filterwarnings("ignore:no epoch of any network", "ignore:nothing was found")
def test_a_study_of_all_causes(tmp_path):
    """Its scores are of the hazard of one cause, as those of its Cox models are."""
    write_cohort(COHORT, tmp_path / "c")
    out = tmp_path / "r"
    options = ["--preset", "smoke", "--head", "competing", "--out", str(out), "--no-nested"]
    options += ["--cohort", str(tmp_path / "c"), "--endpoint", "efs", "--cause", "death"]
    assert sweep_beta.main([*options, "--seeds", "1", "--epochs", "8"]) == 0
    runs = pd.read_csv(out / "runs.csv")
    assert runs["competing"].notna().any()
    assert runs["test_ibs"].between(0, 0.5).all()
    model = load(out / "model.zip")
    assert (model.config.head, model.config.cause) == ("competing", 2)


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
