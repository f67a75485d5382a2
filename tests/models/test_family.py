"""Every member of the MO-RiskVAE family: regulariser x latent, with what each may choose beside."""

from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import HParams, SurvivalVAEConfig, latents, survival_vae
from jaxsurv.models.backbone import hide_modalities
from jaxsurv.survival import prepare_risk_sets
from jaxsurv.training import FitConfig, Masks, Plan, sweep
from jaxsurv.types import InputError, Survival

from .patients import N, leaves, make_batch
from .test_protocol import unreached

WHERE = np.arange(N) < 30
SOURCE = jnp.asarray(np.eye(3)[np.arange(N) % 3], jnp.float32)
OF_REGULARISER = {"kl": {"kl"}, "mmd": {"mmd"}, "mmd_hsic": {"mmd", "hsic"}, "none": set()}
MEMBERS = {
    f"{regulariser}, {categories} categories": {
        "regulariser": regulariser,
        "categories": categories,
    }
    for regulariser, categories in product(OF_REGULARISER, (0, 3))
} | {
    "sums": {"categories": 3, "reduction": "sum"},
    "residuals by source": {"regulariser": "mmd_hsic", "hsic": "source", "estimator": "unbiased"},
    "imputed": {"regulariser": "mmd", "missing": "impute", "head_reads_offset": True},
    "modality dropout": {"modality_dropout": True, "bounded": True},
}
HPARAMS = HParams(0.3, 2.0, 1e-3, 0.1, 5.0, 7.0, 0.6, 0.8, 0.4, 0.3)
WEIGHTS = {
    "reconstruction": 1.0,
    "kl": 0.3,
    "mmd": 5.0,
    "hsic": 7.0,
    "categorical_kl": 0.6,
    "cox": 2.0,
}


def small(**options):
    return SurvivalVAEConfig(widths={"rna": (5,), "cnv": (4,)}, latent=3, **options)


def member(**options):
    return survival_vae(small(**options))


def batch_and_params(objective):
    batch = make_batch()._replace(source=SOURCE)
    shapes = jax.eval_shape(objective.init, jax.random.key(0), batch)
    rng = np.random.default_rng(1)
    draw = lambda s: jnp.asarray(rng.normal(size=s.shape) / 3, s.dtype)  # noqa: E731
    return batch.restrict(WHERE), jax.tree.map(draw, shapes)


def with_garbage(batch):
    """Everything known of the patients outside ``WHERE``, replaced."""
    rng = np.random.default_rng(2)

    def spoil(x):
        noise = rng.normal(scale=50.0, size=x.shape).astype(x.dtype)
        return jnp.where(WHERE.reshape(-1, *[1] * (x.ndim - 1)), x, noise)

    event, time = (np.asarray(a) for a in batch.outcome[:2])
    event, time = np.where(WHERE, event, 1 - event), np.where(WHERE, time, time[::-1])
    spoiled = jax.tree.map(spoil, batch._replace(outcome=None, where=None, risk_sets=None))
    return spoiled._replace(
        presence=jax.tree.map(lambda p: jnp.where(WHERE, p, 1 - p), batch.presence),
        outcome=Survival(jnp.asarray(event), jnp.asarray(time)),
        where=jnp.ones(N, bool),
        risk_sets=prepare_risk_sets(event, time),
    ).restrict(WHERE)


def value_and_gradient(objective, params, batch, hparams):
    """``(loss, terms), gradient``; not jitted, since compiling each member would take far longer."""
    loss = jax.value_and_grad(objective.loss, has_aux=True)
    return loss(params, batch, jax.random.key(1), hparams)


@pytest.mark.parametrize("options", MEMBERS.values(), ids=MEMBERS)
def test_member(options):
    objective = member(**options)
    batch, params = batch_and_params(objective)
    (loss, terms), gradient = value_and_gradient(objective, params, batch, HPARAMS)

    # its own terms and no others, which add up
    expected = {"loss", "reconstruction", "cox"} | OF_REGULARISER[options.get("regulariser", "kl")]
    assert set(terms) == expected | ({"categorical_kl"} if options.get("categories") else set())
    total = sum(WEIGHTS[name] * value for name, value in terms.items() if name != "loss")
    np.testing.assert_allclose(loss, total, rtol=1e-5)
    assert all(np.isfinite(t) for t in terms.values())

    # every parameter learns, and all of it is finite
    assert np.isfinite(leaves(gradient)).all()
    assert not unreached(gradient)

    # patients outside the mask have no influence
    (_, other), same = value_and_gradient(objective, params, with_garbage(batch), HPARAMS)
    np.testing.assert_allclose(leaves(terms), leaves(other), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(leaves(gradient), leaves(same), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("options", MEMBERS.values(), ids=MEMBERS)
def test_one_program_serves_all_settings_without_what_is_not_chosen(options):
    objective = member(**options)
    batch, params = batch_and_params(objective)

    def loss(params, batch, key, hparams, progress):
        return objective.loss(params, batch, key, objective.anneal(hparams, progress))

    # tracing refuses any choice that depends on a value
    program = str(jax.make_jaxpr(loss)(params, batch, jax.random.key(0), HPARAMS, 0.5))
    regulariser, hybrid = options.get("regulariser", "kl"), bool(options.get("categories"))
    assert ("name=_to_prior" in program) == (regulariser in ("mmd", "mmd_hsic"))
    assert ("name=_hsic" in program) == (regulariser == "mmd_hsic")
    assert ("name=_gumbel" in program) == hybrid
    assert ("expm1" in program) == (regulariser == "kl" or hybrid)  # of either KL


@pytest.mark.parametrize("regulariser", ["kl", "mmd_hsic"])
def test_weight_zero_is_the_model_without_the_term(regulariser):
    off = HPARAMS._replace(beta=0.0, mmd_weight=0.0, hsic_weight=0.0)
    without = member(regulariser="none", categories=3)
    batch, params = batch_and_params(without)
    (loss, _), gradient = value_and_gradient(without, params, batch, off)
    weightless = member(regulariser=regulariser, categories=3)
    (other, _), same = value_and_gradient(weightless, params, batch, off)
    np.testing.assert_allclose(loss, other, rtol=1e-6)
    np.testing.assert_allclose(leaves(gradient), leaves(same), rtol=1e-4, atol=1e-6)


def test_gradients_pass_sampled_categories():
    objective = member(regulariser="none", categories=3)
    batch, params = batch_and_params(objective)
    off = HPARAMS._replace(survival_weight=0.0, categorical_weight=0.0)  # the decoder alone
    _, gradient = value_and_gradient(objective, params, batch, off)
    assert all(np.any(g) for g in jax.tree.leaves(gradient["encoder"]["params"]["logits"]))
    assert not np.any(gradient["gamma"])


def test_the_temperature_is_annealed_to_its_end():
    hparams = HParams(temperature=2.0, temperature_end=0.125)
    anneal = jax.jit(member(categories=2).anneal)
    got = [float(anneal(hparams, p).temperature) for p in (0.0, 0.05, 0.1, 1.0)]
    assert (got[0], *got[2:]) == (2.0, 0.125, 0.125)
    assert got[1] == pytest.approx(0.5)
    assert anneal(hparams, 1.0)._replace(temperature=2.0) == hparams
    assert member().anneal(hparams, 1.0) == hparams


def test_equal_seeds_give_equal_initial_weights_across_settings():
    def initial(seed=0, **options):
        objective = member(zero_head=False, **options)
        params = objective.init(jax.random.key(seed), make_batch()._replace(source=SOURCE))
        flat = jax.tree_util.tree_leaves_with_path(params)
        return {jax.tree_util.keystr(path, simple=True, separator=" "): x for path, x in flat}

    gaussian, hybrid, other = initial(), initial(categories=3), initial(regulariser="mmd_hsic")
    jax.tree.map(np.testing.assert_array_equal, gaussian, other)
    common = {k for k in gaussian if gaussian[k].shape == hybrid[k].shape}
    assert set(gaussian) - common == {"decoder params joint Dense_0 kernel"}  # it reads z_d as well
    assert {k.split()[2] for k in set(hybrid) - set(gaussian) - {"gamma"}} == {"logits"}
    for name in common:
        np.testing.assert_array_equal(gaussian[name], hybrid[name])
    unlike = initial(seed=1)
    assert not any(np.array_equal(gaussian[k], unlike[k]) for k in gaussian if "kernel" in k)


def test_latents_are_those_that_the_risk_reads():
    config = small(categories=4)
    objective = survival_vae(config)
    batch, params = batch_and_params(objective)
    got = latents(config)(params, batch, None)
    head = params["head"]["params"]["Dense_0"]
    risk = np.hstack([got["mu"], batch.clinical]) @ head["kernel"][:, 0] + head["bias"]
    risk = risk + got["pi"] @ params["gamma"] + batch.offset
    np.testing.assert_allclose(objective.predict(params, batch), risk, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got["pi"].sum(axis=1), 1, rtol=1e-5)
    assert set(latents(small())(params, batch)) == {"mu"}


def test_a_sweep_of_the_fullest_member_is_one_program():
    config = small(regulariser="mmd_hsic", categories=3, modality_dropout=True)
    objective, traces = survival_vae(config), []

    def counted(*arguments):
        traces.append(1)
        return objective.loss(*arguments)

    result = sweep(
        objective._replace(loss=counted),
        lambda batch, masks, seed: (batch, masks),
        make_batch(),
        Masks(*(m[None] for m in (WHERE, ~WHERE, np.ones(N, bool)))),
        seeds=(0, 1),
        hparams=[HPARAMS, HPARAMS._replace(mmd_weight=1.0, temperature_end=0.1)],
        config=FitConfig(epochs=6, burn_in=6),
        plan=Plan(2, 1, 1),  # two calls
        collect=latents(config),
    )
    assert len(traces) <= 3
    shapes = {name: x.shape for name, x in result.collected.items()}
    assert shapes == {"mu": (4, N, 3), "pi": (4, N, 3)}
    assert np.isfinite(result.history["loss"]).all()
    first = result.history["reconstruction"][:, 0].reshape(2, 2)
    np.testing.assert_array_equal(first[:, 0], first[:, 1])  # common random numbers
    assert not np.isclose(*first[:, 0])
    last = result.history["reconstruction"][:, 5].reshape(2, 2)
    assert not np.isclose(last[:, 0], last[:, 1]).any()


def test_the_head_can_read_the_offset():
    batch, params = batch_and_params(member(head_reads_offset=True))
    shifted = batch._replace(offset=batch.offset + 1.0)
    predict = member(head_reads_offset=True).predict
    slope = predict(params, shifted) - predict(params, batch)
    coefficient = params["head"]["params"]["Dense_0"]["kernel"][-1, 0]
    np.testing.assert_allclose(slope, np.full(N, 1 + coefficient), rtol=1e-4)


def test_hidden_modalities_were_there_and_are_never_all():
    rng = np.random.default_rng(0)
    seen = {m: jnp.asarray(rng.random(4000) < 0.8, jnp.float32) for m in "abc"}
    for rate in (0.0, 0.4, 1.0):
        left = hide_modalities(jax.random.key(0), seen, rate)
        before, after = (np.stack([x[m] for m in "abc"]) for x in (seen, left))
        assert (after <= before).all()
        assert (after.any(axis=0) == before.any(axis=0)).all()
        one = after.sum(axis=0) < before.sum(axis=0)
        two_there = before.sum(axis=0) == 2
        # of two modalities: both stay, or both were drawn and come back
        expected = 1 - (1 - rate) ** 2 - rate**2
        assert one[two_there].mean() == pytest.approx(expected, abs=0.05)


def test_hsic_by_source_needs_one():
    objective = member(regulariser="mmd_hsic", hsic="source")
    batch, params = batch_and_params(objective)
    with pytest.raises(InputError, match=r"needs batch.source, \[n, sources\] one-hot; it is None"):
        objective.loss(params, batch._replace(source=None), jax.random.key(0), HPARAMS)


@pytest.mark.parametrize(
    "options",
    [
        {"regulariser": "mmd_hsic", "categories": 3, "modality_dropout": True},
        {"regulariser": "none"},
    ],
    ids=["everything but KL", "nothing"],
)
def test_unread_hyperparameters_are_those_that_change_nothing(options):
    objective = member(**options)
    batch, params = batch_and_params(objective)
    loss = jax.jit(lambda h: objective.loss(params, batch, jax.random.key(0), h)[0])
    before = loss(HPARAMS)
    assert ("temperature_end" in objective.unread) == (objective.anneal(HPARAMS, 1.0) == HPARAMS)
    for name in set(HPARAMS._fields) - {"learning_rate", "temperature_end"}:
        changed = loss(HPARAMS._replace(**{name: getattr(HPARAMS, name) * 0.5})) != before
        assert changed == (name not in objective.unread), name


def test_every_regulariser_leaves_the_others_unread():
    weights = {"beta": {"kl"}, "mmd_weight": {"mmd", "mmd_hsic"}, "hsic_weight": {"mmd_hsic"}}
    for regulariser in OF_REGULARISER:
        unread = set(member(regulariser=regulariser).unread) & set(weights)
        assert unread == {name for name, readers in weights.items() if regulariser not in readers}
