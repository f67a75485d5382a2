"""What every survival model must do. A new model is one more line in MODELS."""

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
    Batch,
    CoxMTConfig,
    CoxMTHParams,
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
from jaxsurv.survival import neg_log_partial_likelihood, prepare_risk_sets
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import InputError, Survival
from tests.models.programs import compiled

MODELS = {
    "MO-RiskVAE": (
        survival_vae(replace(MO_RISKVAE, head_reads_clinical=False)),
        MO_RISKVAE_HPARAMS,
    ),
    "beta-KL, clinical in the head": (
        survival_vae(SurvivalVAEConfig(head=(4, 1), zero_head=False)),
        HParams(),
    ),
    "MyeVAE": (survival_vae(MYEVAE), MYEVAE_HPARAMS),
    "Cox-nnet": (cox_nnet(), CoxNnetHParams()),
    "Cox-MT": (cox_mt(CoxMTConfig((8, 4))), CoxMTHParams()),
    "pseudo-risk": (cox_mt(CoxMTConfig((8, 4), rule="pseudo-risk")), CoxMTHParams()),
    "Cox-MT, two sources": (
        cox_mt(CoxMTConfig((8,), sources=("rna", "cnv"), tokens=4, width=8, heads=2)),
        CoxMTHParams(),
    ),
    "InVA, Cox head": (
        inva(InVAConfig((8,), 4, 2, (4,), outcome="survival")),
        InVAHParams(),
    ),
    "HCL": (hcl(HCLConfig(widths=(8, 4), fusion=(6,), reconstruction=True)), HCLHParams()),
}
N, SIZES = 40, {"rna": 30, "cnv": 6}


@cache
def named(name):
    objective, hparams = MODELS[name]
    return compiled(objective), hparams


@pytest.fixture(params=MODELS)
def model(request):
    return named(request.param)


def make_batch(seed=0):
    rng = np.random.default_rng(seed)
    event, time = rng.random(N) < 0.6, rng.exponential(1.0, N).round(1) + 0.1
    presence = {m: (rng.random(N) < 0.8).astype(np.float32) for m in SIZES}
    inputs = {m: rng.normal(size=(N, d)).astype(np.float32) for m, d in SIZES.items()}
    return Batch(
        inputs={m: jnp.asarray(x * presence[m][:, None]) for m, x in inputs.items()},
        presence=jax.tree.map(jnp.asarray, presence),
        clinical=jnp.asarray(rng.normal(size=(N, 3)), jnp.float32),
        offset=jnp.asarray(rng.normal(size=N), jnp.float32),
        outcome=Survival(jnp.asarray(event, jnp.float32), jnp.asarray(time, jnp.float32)),
        where=jnp.ones(N, bool),
        risk_sets=prepare_risk_sets(event, time),
    )


def in_double(batch):
    return jax.tree.map(lambda x: x.astype(float) if x.dtype == jnp.float32 else x, batch)


def parts(model, batch):
    objective, hparams = model
    return objective, objective.init(jax.random.key(0), batch), hparams


def leaves(tree):
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(tree)])


def unreached(gradient):
    """Parameters without a gradient, but for the head's last bias: Cox sees no constant."""
    last = len(gradient.get("head", {"params": ()})["params"]) - 1
    paths = jax.tree_util.tree_leaves_with_path(gradient)
    names = {jax.tree_util.keystr(path) for path, g in paths if not np.any(g)}
    return names - {f"['head']['params']['Dense_{last}']['bias']"}


def test_loss_is_finite_and_every_parameter_learns(model):
    batch = make_batch()
    objective, params, hparams = parts(model, batch)
    # a step first: behind a zero-initialised head nothing gets a risk gradient
    params = jax.tree.map(lambda p: p + 0.05, params)
    (loss, terms), gradient = jax.value_and_grad(objective.loss, has_aux=True)(
        params, batch, jax.random.key(1), hparams
    )
    assert np.isfinite(loss)
    assert all(np.shape(t) == () and np.isfinite(t) for t in terms.values())
    assert not unreached(gradient)
    assert objective.predict(params, batch).shape == (N,)


def test_rows_outside_the_mask_have_no_influence(model):
    batch = make_batch()
    objective, params, hparams = parts(model, batch)
    where = jnp.arange(N) < 25
    noise = jax.random.normal(jax.random.key(5), (N,)) * ~where
    changed = batch._replace(
        inputs=jax.tree.map(lambda x: x + noise[:, None], batch.inputs),
        clinical=batch.clinical + noise[:, None],
        offset=batch.offset + noise,
    )
    for one, other in ((batch.restrict(where), changed.restrict(where)),):
        a = jax.grad(objective.loss, has_aux=True)(params, one, jax.random.key(1), hparams)
        b = jax.grad(objective.loss, has_aux=True)(params, other, jax.random.key(1), hparams)
        np.testing.assert_allclose(leaves(a), leaves(b), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(
            objective.score(params, one), objective.score(params, other), rtol=1e-6
        )


def test_score_is_the_cox_loss_of_its_rows(model):
    batch = make_batch()
    objective, params, _ = parts(model, batch)
    where = np.arange(N) % 3 == 0
    expected = neg_log_partial_likelihood(
        objective.predict(params, batch)[where],
        batch.outcome.event[where],
        batch.outcome.time[where],
    )
    np.testing.assert_allclose(objective.score(params, batch.restrict(where)), expected, rtol=1e-5)


def test_the_order_of_patients_does_not_matter(model):
    batch = make_batch()
    objective, params, _ = parts(model, batch)
    order = np.random.default_rng(1).permutation(N)
    shuffled = batch.take(order)
    np.testing.assert_allclose(
        objective.predict(params, batch)[order], objective.predict(params, shuffled), rtol=1e-5
    )
    np.testing.assert_allclose(
        objective.score(params, batch), objective.score(params, shuffled), rtol=1e-5
    )


def test_batches_without_events_are_finite(model):
    batch = make_batch()
    objective, params, hparams = parts(model, batch)
    censored = batch.restrict(batch.outcome.event == 0)
    (_, terms), gradient = jax.value_and_grad(objective.loss, has_aux=True)(
        params, censored, jax.random.key(1), hparams
    )
    assert terms["cox"] == 0
    assert np.isfinite(leaves(gradient)).all()


def test_a_fit_improves_the_training_loss_and_is_reproducible(model):
    objective, hparams = model
    masks = Masks(jnp.arange(N) < 25, jnp.arange(N) >= 25, jnp.ones(N, bool))
    run = jax.jit(lambda k: fit(k, objective, hparams, make_batch(), masks, FitConfig(40, 40, 40)))
    result, again = run(jax.random.key(0)), run(jax.random.key(0))
    assert np.nanmean(result.history["loss"][-5:]) < np.nanmean(result.history["loss"][:5])
    jax.tree.map(np.testing.assert_array_equal, result, again)
    assert not np.array_equal(result.history["loss"], run(jax.random.key(1)).history["loss"])


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


def test_a_zero_head_starts_at_the_offset():
    batch = make_batch()
    objective, params, _ = parts(named("MO-RiskVAE"), batch)
    np.testing.assert_array_equal(objective.predict(params, batch), batch.offset)


def test_absent_modalities_are_not_seen_when_masked():
    batch = make_batch()
    filled = batch._replace(
        inputs={m: x + 5.0 * (1 - batch.presence[m])[:, None] for m, x in batch.inputs.items()}
    )
    config = SurvivalVAEConfig(zero_head=False)
    params = compiled(survival_vae(config)).init(jax.random.key(0), batch)
    for missing, same in (("mask", True), ("impute", False)):
        objective = compiled(survival_vae(replace(config, missing=missing)))
        one, other = objective.predict(params, batch), objective.predict(params, filled)
        assert np.array_equal(one, other) == same
        losses = [
            float(objective.loss(params, b, jax.random.key(1), HParams())[0])
            for b in (batch, filled)
        ]
        assert (losses[0] == losses[1]) == same


def test_terms_add_up_with_their_weights():
    batch = make_batch()
    objective, params, _ = parts((survival_vae(), HParams()), batch)
    params = jax.tree.map(lambda p: p + 0.1, params)
    total, terms = objective.loss(params, batch, jax.random.key(1), HParams(0.3, 2.0))
    expected = terms["reconstruction"] + 0.3 * terms["kl"] + 2.0 * terms["cox"]
    np.testing.assert_allclose(total, expected, rtol=1e-6)


def test_sums_and_means_differ_by_rows_and_events():
    batch = make_batch().restrict(jnp.arange(N) < 30)
    mean = survival_vae(SurvivalVAEConfig(zero_head=False))
    params = mean.init(jax.random.key(0), batch)
    summed = survival_vae(SurvivalVAEConfig(zero_head=False, reduction="sum"))
    (_, a), (_, b) = (m.loss(params, batch, jax.random.key(1), HParams()) for m in (mean, summed))
    np.testing.assert_allclose(30 * a["kl"], b["kl"], rtol=1e-5)
    events = float(jnp.sum(batch.outcome.event[:30]))
    np.testing.assert_allclose(events * a["cox"], b["cox"], rtol=1e-5)
    np.testing.assert_allclose(a["reconstruction"], b["reconstruction"], rtol=1e-6)


def test_myevae_risk_is_bounded():
    batch = make_batch()._replace(offset=jnp.zeros(N))
    objective, params, _ = parts(named("MyeVAE"), batch)
    risk = objective.predict(jax.tree.map(lambda p: 50 * p, params), batch)
    assert np.abs(risk).max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent": 0}, "latent must be at least 1, got 0"),
        ({"categories": 1}, "categories must be 0 or at least 2, got 1"),
        ({"regulariser": "l2"}, "regulariser must be one of .*, got 'l2'"),
        ({"mmd_bandwidth": 1.0}, "mmd_bandwidth must be one of .*, got 1.0"),
        ({"hsic": "cohort"}, "hsic must be one of .*, got 'cohort'"),
        ({"estimator": "u"}, "estimator must be one of .*, got 'u'"),
        ({"head": (4,)}, r"head must end in one output, got \(4,\)"),
        ({"missing": "drop"}, "missing must be one of .*, got 'drop'"),
        ({"reduction": "max"}, "reduction must be one of .*, got 'max'"),
    ],
)
def test_refuses_impossible_configurations(options, message):
    with pytest.raises(InputError, match=message):
        SurvivalVAEConfig(**options)


def test_refuses_widths_for_other_modalities():
    with pytest.raises(
        InputError, match=r"widths are for \['protein'\], the data have \['cnv', 'rna'\]"
    ):
        survival_vae(SurvivalVAEConfig(widths={"protein": (4,)})).init(
            jax.random.key(0), make_batch()
        )
