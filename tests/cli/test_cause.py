"""A study of one of several causes says so, and shows the incidences of all."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments import sweep_beta
from jaxsurv.data import Cohort, read_cohort, simulate_cohort, write_cohort


@pytest.fixture
def folder(tmp_path):
    made = simulate_cohort(n=150, n_genes=8, n_cnv=6).cohort
    outcome = made.survival.copy()
    other = np.random.default_rng(0).random(len(outcome)) < 0.4
    outcome["os_event"] = outcome["os_event"].where(outcome["os_event"] == 0, 1 + other)
    causes = {"os": ["myeloma", "other death"]}
    write_cohort(Cohort(made.modalities, outcome, made.kinds, causes=causes), tmp_path / "c")
    return tmp_path / "c"


@pytest.mark.filterwarnings("ignore:no epoch of any network")
def test_a_study_of_a_cause(folder, tmp_path, capsys):
    out = tmp_path / "r"
    options = ["--preset", "smoke", "--cohort", str(folder), "--out", str(out), "--seeds", "1"]
    options += ["--epochs", "3", "--folds", "2"]
    assert sweep_beta.main(options) == 2
    printed = " ".join(capsys.readouterr().err.split())
    assert "'os' has the causes myeloma, other death: say which" in printed
    assert not (out / "report.html").exists()
    assert sweep_beta.main([*options, "--overwrite", "--cause", "myeloma"]) == 0
    page = " ".join((out / "report.html").read_text().split())
    assert "(os: myeloma, other causes censored)" in page
    assert "events of other death censor there" in page
    assert "Cumulative incidence of each cause (Aalen-Johansen)" in page
    assert (out / "figures" / "incidence.svg").exists()
    facts = json.loads((out / "manifest.json").read_text())
    assert facts["options"]["cause"] == "myeloma"
    assert "other causes censored" in facts["cohort"]
    codes = read_cohort(folder).survival["os_event"]
    pooled = pd.read_csv(out / "predictions.csv.gz").drop_duplicates("patient")
    assert pooled["event"].sum() == (codes == 1).sum()
