"""A model of one's own costs one file: in sweep, estimator, stack, model file, command line and report."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.cli.run import run_study
from jaxsurv.cli.workplace import Workplace
from jaxsurv.data import read_cohort, simulate_cohort, stratified_kfold, write_cohort
from jaxsurv.estimators import Network, SurvivalStack, load
from jaxsurv.models import CoxNnetHParams, HParams, SurvivalVAEConfig, find_model
from jaxsurv.recipe import Recipe, prepare, ridge_cox, stacking
from jaxsurv.report.figures import forest
from jaxsurv.study.execute import Method
from jaxsurv.study.findings import Comparison
from jaxsurv.training import FitConfig, sweep
from jaxsurv.types import InputError
from tests.models.weibull import WEIBULL, WeibullHParams

ROOT = Path(__file__).parents[2]
TIMES = [200.0, 400.0, 800.0]
SMALL = SurvivalVAEConfig(widths=lambda d: (4,), latent=4, head="logistic_hazard")
FAST = HParams(beta=0.01, learning_rate=1e-2)


@pytest.fixture(scope="module")
def cohort():
    return simulate_cohort(n=200, n_genes=12, n_cnv=8).cohort


def test_in_a_sweep(cohort):
    model = WEIBULL
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    data = prepare(cohort, "os", splits, Recipe(components=4, offset="none"))
    runs = sweep(
        model.objective(model.config), data.build, data.shared, data.fitted, seeds=range(2),
        hparams=[model.hparams, model.hparams._replace(dropout=0.3)], config=FitConfig(5),
        optimizer=model.optimizer,
    )  # fmt: skip
    assert runs.prediction.shape == (8, 200)
    assert np.isfinite(runs.best_score).all()


@pytest.mark.parametrize("config", [None, SMALL], ids=["own", "head"])
def test_as_an_estimator_with_its_own_curves_in_a_file_and_from_the_shell(config, cohort, tmp_path):
    """A model of one's own, and one of ours with another outcome head."""
    model, hparams = (WEIBULL, None) if config is None else (find_model("SurvivalVAE"), FAST)
    fitted = Network(model.name, config, hparams, epochs=60, n_seeds=2, components=4)
    fitted.fit(cohort, "os")
    curves = fitted.predict_survival_function(cohort, TIMES)
    assert fitted.score(cohort, "os") > 0.6
    assert (np.diff(curves, axis=1) <= 0).all()
    # its own curves, not Breslow's
    model_ = fitted.model_
    breslow = np.exp(
        -np.exp(fitted.predict(cohort))[:, None]
        * np.asarray(model_.baseline(np.array(TIMES)))[None]
    )
    assert np.abs(curves - breslow).max() > 0.005
    order = np.argsort(fitted.predict(cohort))
    assert curves[order[-20:], 1].mean() < curves[order[:20], 1].mean()
    fitted.save(tmp_path / "m.zip")
    np.testing.assert_array_equal(
        load(tmp_path / "m.zip").predict_survival_function(cohort, TIMES), curves
    )
    write_cohort(cohort, tmp_path / "new")
    command = [sys.executable, "-m", "jaxsurv", "score", tmp_path / "m.zip", tmp_path / "new"]
    command += ["--out", tmp_path / "risks.csv", "--times", "200", "400"]
    run = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 120}
    if config is None:
        unknown = subprocess.run(command, **run)
        assert unknown.returncode == 2
        assert f"there is no model named '{model.name}'" in unknown.stderr
        assert "--models" in unknown.stderr
        command += ["--models", "tests.models.weibull"]
    done = subprocess.run(command, **run)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "risks.csv", index_col="patient")
    names = read_cohort(tmp_path / "new").survival.index
    np.testing.assert_allclose(table.loc[names, "survival_400"], curves[:, 1], atol=1e-5)


def test_in_a_stack(cohort, monkeypatch):
    monkeypatch.setattr(stacking, "EARNED", -1.0)
    model = SurvivalStack(
        ["network", "modalities"], network="Weibull", grid={"dropout": (0.0, 0.2)}, epochs=10, n_seeds=1
    ).fit(cohort, "os")  # fmt: skip
    assert model.weights_["network"] > 0
    assert model.choice_["dropout"] in (0.0, 0.2)


@pytest.fixture(scope="module")
def method(cohort):
    splits = stratified_kfold(cohort.outcome("os").event, folds=2)
    data = prepare(cohort, "os", splits, Recipe(components=4))

    def make(model, settings, config=None):
        return Method(model.name, model, settings, data, FitConfig(60), config)

    return make


def test_in_a_report_which_keeps_it(method, cohort, tmp_path):
    methods = [
        method(WEIBULL, {f"Weibull, {d:g}": WeibullHParams(d) for d in (0.0, 0.2)}),
        method(find_model("SurvivalVAE"), {"logistic hazard": FAST}, SMALL),
    ]
    place = Workplace(ResultsFolder(tmp_path / "r"), Console(quiet=True), None)
    comparison = Comparison("logistic hazard", {"chosen": list(methods[0].settings)}, "chosen")
    findings = run_study(
        methods, {"ridge Cox": ridge_cox(methods[0].data)}, comparison,
        lambda f: [forest(f, "ridge Cox")], title="Own models", seeds=1, workplace=place, facts={},
        keep=True,
    )  # fmt: skip
    assert findings.summary.set_index("setting")["ibs_mean"].between(0, 0.4).all()
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Kept in model.zip: Network, the model of &#x27;chosen&#x27;" in page
    kept = load(tmp_path / "r" / "model.zip")
    best = findings.runs.groupby("setting")["validation_loss"].mean()
    chosen = best[list(methods[0].settings)].idxmin()
    again = Network(
        "Weibull", hparams=methods[0].settings[chosen], recipe=methods[0].data.recipe, epochs=60,
        n_seeds=1,
    ).fit(cohort, "os")  # fmt: skip
    np.testing.assert_array_equal(kept.predict(cohort), again.predict(cohort))


def test_a_choice_among_unlike_criteria_is_refused(method, tmp_path):
    methods = [
        method(WEIBULL, {"Weibull": WeibullHParams()}),
        method(find_model("CoxNnet"), {"Cox-nnet": CoxNnetHParams()}),
    ]
    place = Workplace(ResultsFolder(tmp_path / "r"), Console(quiet=True), None)
    comparison = Comparison("Weibull", {"best": ["Weibull", "Cox-nnet"]}, "best")
    with pytest.raises(
        InputError, match=r"'best' would choose .* \(Weibull: Weibull likelihood, CoxNnet: cox\)"
    ):
        run_study(
            methods, {}, comparison, lambda f: [], title="", seeds=1, workplace=place, facts={}
        )
