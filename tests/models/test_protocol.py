"""What every model must do. A new model is one more line in MODELS.

Cox models are asked more, see test_cox_protocol.py.
"""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import (
    MO_RISKVAE,
    MO_RISKVAE_HPARAMS,
    MYEVAE,
    MYEVAE_HPARAMS,
    CoxMTConfig,
    CoxMTHParams,
    CoxNnetConfig,
    CoxNnetHParams,
    HCLConfig,
    HCLHParams,
    HParams,
    InVAConfig,
    InVAHParams,
    SurvivalVAEConfig,
    cox_mt,
    cox_nnet,
    hcl,
    inva,
    survival_vae,
)
from jaxsurv.training import FitConfig, Masks, fit
from tests.models.patients import N, in_double, leaves, make_batch, with_outcome
from tests.models.programs import compiled
from tests.models.weibull import WeibullConfig, WeibullHParams, weibull

SOURCES = CoxMTConfig((8,), sources=("rna", "cnv"), tokens=4, width=8, heads=2)
MODELS = {
    "MO-RiskVAE": (
        survival_vae(replace(MO_RISKVAE, head_reads_clinical=False)),
        MO_RISKVAE_HPARAMS,
    ),
    "beta-KL, clinical in the head": (
        survival_vae(SurvivalVAEConfig(head_widths=(4, 1), zero_head=False)),
        HParams(),
    ),
    "MyeVAE": (survival_vae(MYEVAE), MYEVAE_HPARAMS),
    "Cox-nnet": (cox_nnet(), CoxNnetHParams()),
    "Cox-MT": (cox_mt(CoxMTConfig((8, 4))), CoxMTHParams()),
    "pseudo-risk": (cox_mt(CoxMTConfig((8, 4), rule="pseudo-risk")), CoxMTHParams()),
    "Cox-MT, two sources": (cox_mt(SOURCES), CoxMTHParams()),
    "InVA, Cox head": (inva(InVAConfig((8,), 4, 2, (4,), outcome="survival")), InVAHParams()),
    "HCL": (hcl(HCLConfig(widths=(8, 4), fusion=(6,), reconstruction=True)), HCLHParams()),
    "Weibull": (weibull(WeibullConfig(4, unit=1.0)), WeibullHParams()),
    # an outcome head each; all of them on all networks are in test_heads.py
    "MO-RiskVAE, logistic hazard": (
        survival_vae(replace(MO_RISKVAE, head="logistic_hazard", intervals=4)),
        MO_RISKVAE_HPARAMS,
    ),
    "Cox-MT, probabilities": (cox_mt(CoxMTConfig((8, 4), head="pmf", intervals=4)), CoxMTHParams()),
    "Cox-nnet, Weibull": (cox_nnet(CoxNnetConfig(head="weibull")), CoxNnetHParams()),
    "HCL, log-normal": (
        hcl(HCLConfig(widths=(8, 4), fusion=(6,), head="log_normal")),
        HCLHParams(),
    ),
}


@cache
def named(name):
    objective, hparams = MODELS[name]
    return compiled(objective), hparams


@pytest.fixture(params=MODELS)
def model(request):
    return named(request.param)


def parts(model, batch):
    objective, hparams = model
    return objective, objective.init(jax.random.key(0), batch), hparams


def trained(model, batch):
    """As after a step: behind a zero-initialised head nothing gets a risk gradient."""
    objective, params, hparams = parts(model, batch)
    return objective, jax.tree.map(lambda p: p + 0.05, params), hparams


def unreached(gradient):
    """Parameters without a gradient, but for the head's last bias, as Cox sees no constant, and marginals."""
    last = len(gradient.get("head", {"params": ()})["params"]) - 1
    paths = jax.tree_util.tree_leaves_with_path(gradient)
    names = {jax.tree_util.keystr(path) for path, g in paths if not np.any(g)}
    names = {name for name in names if not name.startswith("['marginal']")}
    return names - {f"['head']['params']['Dense_{last}']['bias']"}


def test_says_what_its_score_measures(model):
    assert model[0].criterion


def test_loss_is_finite_and_every_parameter_learns(model):
    batch = make_batch()
    objective, params, hparams = trained(model, batch)
    (loss, terms), gradient = jax.value_and_grad(objective.loss, has_aux=True)(
        params, batch, jax.random.key(1), hparams
    )
    assert loss.shape == ()
    assert np.isfinite(loss)
    assert all(np.shape(t) == () and np.isfinite(t) for t in terms.values())
    assert np.isfinite(leaves(gradient)).all()
    assert not unreached(gradient)


def test_predicts_a_number_for_each_patient_and_scores_them_by_one(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    prediction, score = objective.predict(params, batch), objective.score(params, batch)
    assert (prediction.shape, score.shape) == ((N,), ())
    assert np.isfinite(leaves((prediction, score))).all()


def test_equal_keys_give_equal_bits(model):
    batch = make_batch()
    objective, params, hparams = trained(model, batch)
    first, again = (
        (objective.init(jax.random.key(3), batch),
         objective.loss(params, batch, jax.random.key(1), hparams))
        for _ in range(2)
    )  # fmt: skip
    jax.tree.map(np.testing.assert_array_equal, first, again)


def test_rows_outside_the_mask_have_no_influence(model):
    batch = make_batch()
    objective, params, hparams = trained(model, batch)
    where = jnp.arange(N) < 25
    noise = jax.random.normal(jax.random.key(5), (N,)) * ~where
    event, time = map(np.asarray, batch.outcome[:2])
    changed = with_outcome(batch, np.where(where, event, 1 - event), np.where(where, time, 0.3))
    changed = changed._replace(
        inputs=jax.tree.map(lambda x: x + noise[:, None], batch.inputs),
        clinical=batch.clinical + noise[:, None],
        offset=batch.offset + noise,
    )
    one, other = batch.restrict(where), changed.restrict(where)
    a, b = (
        jax.grad(objective.loss, has_aux=True)(params, rows, jax.random.key(1), hparams)
        for rows in (one, other)
    )
    np.testing.assert_allclose(leaves(a), leaves(b), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        objective.score(params, one), objective.score(params, other), rtol=1e-6
    )


def noiseless(hparams):
    """Without the noise that is a hyper-parameter: what is left are draws of latent variables."""
    noise = {"dropout", "noise", "modality_dropout"} & set(hparams._fields)
    return hparams._replace(**dict.fromkeys(noise, 0.0))


@pytest.mark.parametrize("name", MODELS)
def test_values_of_absent_modalities_have_no_influence(name):
    """On predictions, losses and gradients, unless the model takes them as imputed."""
    model, batch = named(name), make_batch()
    objective, params, hparams = trained(model, batch)
    rng = np.random.default_rng(3)
    filled = batch._replace(
        inputs={
            m: jnp.where(batch.presence[m][:, None] > 0, x, 9 * rng.normal(size=x.shape))
            for m, x in batch.inputs.items()
        }
    )
    one, other = (
        (objective.predict(params, b), objective.score(params, b),
         jax.grad(objective.loss, has_aux=True)(params, b, jax.random.key(1), noiseless(hparams)))
        for b in (batch, filled)
    )  # fmt: skip
    if name == "MyeVAE":
        assert not np.allclose(one[0], other[0])
    else:
        np.testing.assert_allclose(leaves(one), leaves(other), rtol=1e-6, atol=1e-7)


def test_the_order_of_patients_does_not_matter(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    order = np.random.default_rng(1).permutation(N)
    shuffled = batch.take(order)
    np.testing.assert_allclose(
        objective.predict(params, batch)[order], objective.predict(params, shuffled), rtol=1e-5
    )
    np.testing.assert_allclose(
        objective.score(params, batch), objective.score(params, shuffled), rtol=1e-5
    )


def test_predictions_do_not_read_outcomes(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    event, time = map(np.asarray, batch.outcome[:2])
    other = with_outcome(batch, 1 - event, time[::-1].copy())
    np.testing.assert_array_equal(*(objective.predict(params, b) for b in (batch, other)))


def test_the_offset_is_a_part_of_the_log_hazard(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    more = jax.random.normal(jax.random.key(8), (N,))
    shifted = batch._replace(offset=batch.offset + more)
    gain = objective.predict(params, shifted) - objective.predict(params, batch)
    np.testing.assert_allclose(gain, more, rtol=1e-4, atol=1e-5)


def test_batches_without_events_are_finite(model):
    batch = make_batch()
    objective, params, hparams = trained(model, batch)
    censored = batch.restrict(batch.outcome.event == 0)
    both = jax.value_and_grad(objective.loss, has_aux=True)(
        params, censored, jax.random.key(1), hparams
    )
    assert np.isfinite(leaves(both)).all()


def test_curves_are_survival_functions(model):
    batch = make_batch()
    objective, params, _ = trained(model, batch)
    if objective.survival is None:
        return  # Breslow's
    times = jnp.linspace(0.0, 5.0, 30)
    survival = jax.jit(objective.survival)
    curves = np.asarray(survival(params, batch, times))
    assert curves.shape == (N, 30)
    np.testing.assert_array_equal(curves[:, 0], 1)
    assert ((curves >= 0) & (curves <= 1)).all()
    assert (np.diff(curves, axis=1) <= 0).all()
    risk = np.asarray(objective.predict(params, batch))
    assert curves[risk.argmin(), 10] > curves[risk.argmax(), 10]  # higher is worse
    nobody = batch.restrict(jnp.zeros(N, bool))
    np.testing.assert_array_equal(survival(params, nobody, times), curves)


def test_a_fit_improves_the_training_loss_and_is_reproducible(model):
    objective, hparams = model
    masks = Masks(jnp.arange(N) < 25, jnp.arange(N) >= 25, jnp.ones(N, bool))
    run = jax.jit(lambda k: fit(k, objective, hparams, make_batch(), masks, FitConfig(40, 40, 40)))
    result, again = run(jax.random.key(0)), run(jax.random.key(0))
    assert np.nanmean(result.history["loss"][-5:]) < np.nanmean(result.history["loss"][:5])
    jax.tree.map(np.testing.assert_array_equal, result, again)
    assert not np.array_equal(result.history["loss"], run(jax.random.key(1)).history["loss"])


def test_steps_alone_and_in_a_vmap_agree(model, x64):
    objective, hparams = model
    batch = in_double(make_batch())
    keys = jax.random.split(jax.random.key(0), 3)
    points = jax.tree.map(lambda v: v * jnp.array([1.0, 0.5, 0.1]), hparams)

    @jax.jit
    def one(key, hparams):
        params = jax.tree.map(lambda p: p + 0.05, objective.init(key, batch))
        return jax.grad(objective.loss, has_aux=True)(params, batch, key, hparams)

    together = jax.jit(jax.vmap(one))(keys, points)
    for i in range(3):
        alone = one(keys[i], jax.tree.map(lambda v, i=i: v[i], points))
        jax.tree.map(
            lambda a, b, i=i: np.testing.assert_allclose(a, b[i], rtol=1e-9, atol=1e-10),
            alone,
            together,
        )


def test_a_run_alone_and_in_a_vmap_agree(x64):
    objective, hparams = MODELS["MO-RiskVAE"]
    batch = in_double(make_batch())
    masks = Masks(jnp.arange(N) < 25, jnp.arange(N) >= 25, jnp.ones(N, bool))

    def one(key, rate):
        h = hparams._replace(learning_rate=rate)
        return fit(key, objective, h, batch, masks, FitConfig(epochs=15, burn_in=2, patience=6))

    keys, rates = jax.random.split(jax.random.key(0), 3), jnp.array([1e-3, 3e-2, 1e-1])
    together = jax.jit(jax.vmap(one))(keys, rates)
    for i in range(3):
        alone = jax.jit(one)(keys[i], rates[i])
        jax.tree.map(
            lambda a, b, i=i: np.testing.assert_allclose(a, b[i], rtol=1e-9, atol=1e-8),
            alone,
            together,
        )
