"""The page on tuning: its loop with a stand-in for Optuna, and with Optuna where it is installed."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

PAGE = (Path(__file__).parents[1] / "docs/tuning.md").read_text()
CELLS = re.findall(r"^```\{code-cell\} python\n(.*?)^```$", PAGE, re.S | re.M)


@pytest.fixture(scope="module")
def page():
    """Names of the page after its loop was run with the stand-in; ``traced`` counts compilations."""
    names = {"__name__": "tuning", "traced": []}
    exec(CELLS[0], names)
    loss = names["objective"].loss

    def counted(*arguments):
        names["traced"].append(1)
        return loss(*arguments)

    names["objective"] = names["objective"]._replace(loss=counted)
    names["config"] = replace(names["config"], epochs=6, burn_in=1)
    exec(CELLS[1], names)
    return names


def test_a_study_is_told_the_loss_of_each_trial(page):
    told, runs = page["study"].told, page["runs"]
    assert len(told) == 12
    assert page["loss"] == min(value for value, _ in told)
    last = told[-4:]
    for value, params in last:
        its_own = np.isclose(runs.hparams.l2, params["l2"], rtol=1e-5)
        assert its_own.sum() == 3 * 2  # folds x seeds
        assert value == pytest.approx(runs.best_score[its_own].mean(), rel=1e-5)


def test_all_batches_share_one_program(page):
    traced = len(page["traced"])
    page["tune"](page["RandomStudy"](1), batches=2)
    assert len(page["traced"]) == traced > 0


def test_every_epoch_of_every_run_is_logged(page):
    exec(CELLS[2], page)
    runs, lines = page["runs"], page["lines"]
    assert len(lines) == len(runs.history) * runs.epochs.sum()
    assert np.isfinite([value for _, _, value, _ in lines]).all()
    scores = {(r, e): v for r, name, v, e in lines if name == "validation"}
    for r in np.flatnonzero(runs.best_epoch):
        assert scores[r, runs.best_epoch[r]] == pytest.approx(runs.best_score[r])


def test_optuna_asks_and_is_told(page):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize", sampler=optuna.samplers.RandomSampler(seed=0))
    page["tune"](study, batches=2)
    assert [t.state.name for t in study.trials] == ["COMPLETE"] * 8
    assert study.best_value == min(t.value for t in study.trials)
    assert set(study.best_params) == {"l2", "learning_rate"}
