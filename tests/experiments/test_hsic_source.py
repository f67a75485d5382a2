"""HSIC against the cohort: the penalty, the classifier that looks for the cohort, the whole run."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from experiments.hsic_source.command import main
from experiments.hsic_source.latent import INDEPENDENT_LATENT, independent_latent
from experiments.hsic_source.removal import LATENT, NONE, RESIDUALS, cohort_accuracy
from experiments.hsic_source.simulate import simulated
from jaxsurv.cli.setup import pool_modality
from jaxsurv.data import DataWarning, stratified_kfold, write_cohort
from jaxsurv.models import HParams, latents, survival_vae
from jaxsurv.recipe import Recipe, prepare


@pytest.fixture(scope="module")
def pooled():
    with pytest.warns(DataWarning, match="on different scales"):
        return pool_modality(simulated(), "rna", None)[0]


def test_the_penalty_is_hsic_of_the_latent_and_the_cohort(pooled):
    splits = stratified_kfold(np.asarray(pooled.outcome("os").event), folds=3, strata=pooled.strata)
    data = prepare(pooled, "os", splits, Recipe(components=4, offset="none"))
    batch, masks = data.build(data.shared, jax.tree.map(lambda x: x[0], data.fitted), 0)
    batch, config = batch.restrict(masks.train), INDEPENDENT_LATENT.config
    objective, base = independent_latent(config), survival_vae(config)
    params = jax.jit(objective.init)(jax.random.key(0), batch)
    hparams, key = HParams(hsic_weight=5.0, dropout=0.0), jax.random.key(1)
    slope = jax.jit(jax.value_and_grad(objective.loss, has_aux=True))
    (total, values), gradient = slope(params, batch, key, hparams)
    alone = jax.jit(base.loss)(params, batch, key, hparams)[0]
    assert total == pytest.approx(float(alone + 5 * values["hsic"]), rel=1e-5)
    assert "hsic_weight" not in objective.unread

    # in NumPy, from the definition: tr(K H L H) / n², training rows alone
    rows = np.asarray(batch.where)
    pair = latents(config)(params, batch)["mu"], batch.source
    kernels = []
    for x in (np.asarray(p, float)[rows] for p in pair):
        square = ((x[:, None] - x) ** 2).sum(-1)
        kernels.append(np.exp(-square / (2 * square.mean())))
    k, l = (a - a.mean(0) - a.mean(1)[:, None] + a.mean() for a in kernels)
    assert values["hsic"] == pytest.approx(float((k * l).sum() / rows.sum() ** 2), rel=1e-3)

    changed = batch._replace(
        inputs={m: jnp.where(batch.where[:, None], x, x + 9) for m, x in batch.inputs.items()}
    )
    again = slope(params, changed, key, hparams)[1]
    for a, b in zip(*map(jax.tree.leaves, (gradient, again)), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize(("where", "expected"), [("all", 1.0), ("development", 0.5)])
def test_the_cohort_is_looked_for_in_patients_whom_the_classifier_does_not_know(where, expected):
    """A latent that tells the cohort of development patients alone tells nothing of new ones."""
    source, test = np.arange(400) % 2, np.arange(400) < 200
    mu = np.random.default_rng(0).normal(size=(400, 3))
    told = np.ones(400, bool) if where == "all" else ~test
    mu[told, 0] = 10 * source[told]
    trained = SimpleNamespace(
        method=SimpleNamespace(
            data=SimpleNamespace(splits=SimpleNamespace(test=test[None], develop=~test[None]))
        ),
        arrays=SimpleNamespace(split=[0], collected={"mu": mu[None]}),
    )
    (accuracy,) = cohort_accuracy(trained, source)
    assert accuracy == pytest.approx(expected, abs=0.1 * (expected < 1))


@pytest.mark.filterwarnings("ignore:features of 'rna' on different:jaxsurv.data.DataWarning")
@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    assert main(["--preset", "smoke", "--epochs", "100", "--out", str(tmp_path / "r")]) == 0
    table = pd.read_csv(tmp_path / "r" / "removal.csv")
    table = table.set_index(["measurements", "penalty"])
    raw, scored = table.loc["as measured"], table.loc["z-scores"]
    assert raw.loc[NONE, "accuracy_mean"] > 0.8  # each platform has gains of its own
    assert raw.loc[LATENT, "accuracy_mean"] < raw.loc[NONE, "accuracy_mean"] - 0.15
    assert raw.loc[RESIDUALS, "accuracy_mean"] > raw.loc[LATENT, "accuracy_mean"] + 0.15
    assert scored.loc[NONE, "accuracy_mean"] < 0.5  # thirds of one cohort
    assert table["chance"].tolist() == pytest.approx([1 / 3] * 6, abs=0.02)
    runs = pd.read_csv(tmp_path / "r" / "runs.csv").groupby("setting")["test_c"].mean()
    names = [f"{m}, {p}" for m in ("as measured", "z-scores") for p in (
        "no HSIC", f"HSIC of {RESIDUALS}, λ = 1000", f"HSIC of {LATENT}, λ = 1000"
    )]  # fmt: skip
    np.testing.assert_allclose(table["c_mean"], runs[names], atol=1e-6)
    less = runs[names].to_numpy().reshape(2, 3)
    np.testing.assert_allclose(table["c_minus_mean"], (less - less[:, :1]).ravel(), atol=1e-6)
    assert (tmp_path / "r" / "figures" / "removal.svg").stat().st_size > 1000
    assert "the cohort is found in the latent of" in (tmp_path / "r" / "report.html").read_text()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cohorts", "A"], "--cohorts needs two or more folders"),
        (["--cohorts", "A", "B", "--modality", "images"], "all need the modality 'images'"),
        (["--cohorts", "A", "B", "--endpoint", "pfi"], "and 'pfi'"),
        (["--weights", "5", "5"], "weights must be given"),
        (["--seeds", "0"], "seeds must be at least 1"),
    ],
)
def test_bad_options_are_refused(options, message, tmp_path, capsys):
    for cohort, name in zip(simulated(), "AB", strict=False):
        if name in options:
            write_cohort(cohort.renamed(name), tmp_path / name)
    options = [str(tmp_path / o) if o in ("A", "B") else o for o in options]
    assert main([*options, "--out", str(tmp_path / "out")]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
