"""InVA: its bound against closed forms, one shared encoder, masks, and what each ablation trains."""

import math
from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import ArrayBatch, InVAConfig, InVAHParams, drawn_prediction, inva
from jaxsurv.models._inva import _encode
from jaxsurv.types import InputError
from tests.models.patients import make_batch as make_patients
from tests.models.programs import compiled

N, SHAPE = 6, (4, 5)
SMALL = InVAConfig(widths=(7,), shallow=3, deep=2, shared=(5,))
H = InVAHParams()


def make_batch(seed=0, shape=SHAPE):
    rng = np.random.default_rng(seed)
    image = lambda: jnp.asarray(rng.normal(size=(N, *shape)), jnp.float32)  # noqa: E731
    return ArrayBatch(
        inputs={"mri": image(), "ct": image()},
        presence={"mri": jnp.ones(N), "ct": jnp.ones(N)},
        outcome=image(),
        where=jnp.ones(N, bool),
    )


@cache
def model(config):
    return compiled(inva(config))


def start(config=SMALL, batch=None):
    objective = model(config)
    return objective, objective.init(jax.random.key(1), batch or make_batch())


encode = jax.jit(_encode, static_argnums=0)


def affine(params):
    layer = params["params"]
    while "kernel" not in layer:
        (layer,) = layer.values()
    return np.asarray(layer["kernel"], float), np.asarray(layer["bias"], float)


def test_the_bound_of_a_linear_gaussian_model_has_its_closed_form(x64):
    """With linear maps every expectation of the ELBO is a trace."""
    config = InVAConfig(widths=(), shallow=3, deep=2, shared=())
    batch = jax.tree.map(lambda x: x.astype(float) if x.dtype == jnp.float32 else x, make_batch())
    objective, params = start(config, batch)
    # constant deviations: q(h | x) and q(z | h) with diagonal covariances that are known
    h_logvar, z_logvar, log_noise = np.array([-1.0, 0.2, -0.5]), np.array([0.3, -0.7]), 0.4
    params = jax.tree.map(lambda p: p.astype(float), params)
    for m in batch.inputs:
        layer = params["encode"][m]["params"]["MLP_0"]["Dense_0"]
        layer["kernel"] = layer["kernel"].at[:, 3:].set(0)
        layer["bias"] = layer["bias"].at[3:].set(h_logvar)
        params["log_noise"][m] = jnp.asarray(log_noise)
    layer = params["shared_encode"]["params"]["Dense_0"]
    layer["kernel"] = layer["kernel"].at[:, 2:].set(0)
    layer["bias"] = layer["bias"].at[2:].set(z_logvar)

    expected = 0.0
    s, t = np.diag(np.exp(h_logvar)), np.diag(np.exp(z_logvar))
    A, a = (x[..., :2] for x in affine(params["shared_encode"]))  # z = h A + a
    B, b = affine(params["shared_decode"])  # h = z B + b
    for m, x in batch.inputs.items():
        x = np.asarray(x).reshape(N, -1)
        E, e = (w[..., :3] for w in affine(params["encode"][m]))
        D, d = affine(params["decode"][m])
        mu = x @ E + e
        noise, pixels = math.exp(log_noise), x.shape[1]
        reconstruction = ((x - mu @ D - d) ** 2).sum(axis=1) + np.trace(D.T @ s @ D)
        fit = -0.5 * (reconstruction / noise + pixels * (log_noise + math.log(2 * math.pi)))
        # h - z B - b with z = h A + a + noise
        rest = np.eye(3) - A @ B
        gap = ((mu @ rest - a @ B - b) ** 2).sum(axis=1)
        gap += np.trace(rest.T @ s @ rest) + np.trace(B.T @ t @ B)
        prior = -0.5 * (gap + 3 * math.log(2 * math.pi))
        entropy = 0.5 * (h_logvar + 1 + math.log(2 * math.pi)).sum()
        m_squared = ((mu @ A + a) ** 2).sum(axis=1) + np.trace(A.T @ s @ A)
        kl = 0.5 * (m_squared + np.exp(z_logvar).sum() - 2 - z_logvar.sum())
        expected -= np.mean(fit + prior + entropy - kl) / pixels

    keys = jax.random.split(jax.random.key(3), 20_000)
    values = jax.jit(jax.vmap(lambda k: objective.loss(params, batch, k, H)[1]))(keys)
    drawn = values["negative_elbo"]
    error = float(jnp.std(drawn)) / math.sqrt(len(keys))
    assert abs(float(jnp.mean(drawn)) - expected) < 4 * error
    assert error < 0.01 * abs(expected)


def test_without_a_shared_encoder_the_bound_is_that_of_one_vae_per_image():
    config = replace(SMALL, deep=0)
    objective, params = start(config)
    assert set(params) == {"encode", "decode", "log_noise", "predict"}
    params = jax.tree.map(lambda p: p + 0.1, params)
    both = objective.loss(params, make_batch(), jax.random.key(2), H)[1]
    none = objective.loss(params, make_batch(), jax.random.key(2), H._replace(beta=0.0))[1]
    _, q = encode(config, params, make_batch(), None)
    kl = 0.5 * (q.mu**2 + jnp.exp(q.logvar) - 1 - q.logvar).sum(axis=-1).mean(axis=1).sum()
    np.testing.assert_allclose(
        both["negative_elbo"] - none["negative_elbo"], kl / math.prod(SHAPE), rtol=1e-4
    )


def test_one_encoder_is_shared_by_all_images():
    _, params = start()
    assert set(params["encode"]) == {"mri", "ct"}
    assert params["shared_encode"]["params"]["Dense_0"]["kernel"].shape == (3, 5)
    _, q = encode(SMALL, params, make_batch(), None)
    changed = {**params, "shared_encode": jax.tree.map(lambda p: 2 * p, params["shared_encode"])}
    _, other = encode(SMALL, changed, make_batch(), None)
    assert np.all(np.any(q.deep_mu != other.deep_mu, axis=(1, 2)))


def test_images_that_change_places_take_their_features_with_them():
    batch = make_batch()
    _, params = start()
    params["encode"]["ct"] = params["encode"]["mri"]
    swapped = batch._replace(inputs={"mri": batch.inputs["ct"], "ct": batch.inputs["mri"]})
    one, other = (encode(SMALL, params, b, None)[1] for b in (batch, swapped))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[::-1], b, rtol=1e-6), one, other)


@pytest.mark.parametrize("channels", [(), (2, 3)])
def test_nothing_outside_the_masks_is_read_or_counted(channels):
    config = replace(SMALL, channels=channels)
    inside = jnp.ones(SHAPE).at[:, 3:].set(0)
    masked = make_batch()._replace(
        feature_mask={"mri": inside, "ct": jnp.ones(SHAPE)}, outcome_mask=inside
    )
    objective, params = start(config)
    outside = masked._replace(
        inputs={**masked.inputs, "mri": masked.inputs["mri"] + 7 * (1 - inside)[None]},
        outcome=masked.outcome + 7 * (1 - inside)[None],
    )
    one, other = (objective.loss(params, b, jax.random.key(2), H) for b in (masked, outside))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    errors = (objective.predict(params, masked) - masked.outcome)[:, :, :3] ** 2
    np.testing.assert_allclose(objective.score(params, masked), errors.mean(), rtol=1e-6)


def test_a_missing_image_is_neither_read_nor_reconstructed():
    batch = make_batch()
    lacks = batch._replace(presence={"mri": jnp.ones(N).at[2].set(0), "ct": jnp.ones(N)})
    filled = lacks._replace(inputs={**batch.inputs, "mri": batch.inputs["mri"].at[2].set(9.0)})
    objective, params = start()
    one, other = (objective.loss(params, b, jax.random.key(2), H) for b in (lacks, filled))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    _, q = encode(SMALL, params, filled, None)
    where = sorted(batch.inputs).index("mri")
    assert not any(np.any(part[where, 2]) for part in q)  # mean 0, log variance 0
    assert np.all(
        np.any(objective.predict(params, lacks) != objective.predict(params, batch), (1, 2))
        == (np.arange(N) == 2)
    )


@pytest.mark.parametrize("shape", [(8, 8), (9, 6)])
def test_convolutions_fit_any_two_sides(shape):
    batch = make_batch(shape=shape)
    objective, params = start(replace(SMALL, channels=(2, 3)), batch)
    assert objective.predict(params, batch).shape == (N, *shape)
    gradient = jax.jit(jax.grad(objective.loss, has_aux=True))(params, batch, jax.random.key(2), H)[
        0
    ]
    assert all(np.any(g) for g in jax.tree.leaves(gradient))


@pytest.mark.parametrize("trains", ["both", "reconstruction", "prediction"])
def test_which_loss_reaches_which_network(trains):
    objective, params = start(replace(SMALL, trains=trains))
    gradient = jax.jit(jax.grad(objective.loss, has_aux=True))
    none, some, much = (
        gradient(params, make_batch(), jax.random.key(2), H._replace(prediction_weight=w))[0]
        for w in (0.0, 1.0, 5.0)
    )

    def reached(tree):
        return {n for n, g in tree.items() if any(np.any(x) for x in jax.tree.leaves(g))}

    unsupervised = {"encode", "decode", "log_noise", "shared_encode", "shared_decode"}
    if trains == "prediction":
        assert reached(none) == set()
        assert reached(some) == {"encode", "shared_encode", "predict"}
    else:
        assert reached(none) == unsupervised
        assert reached(some) == {*unsupervised, "predict"}
    parts = (jax.tree.leaves(tree["encode"]) for tree in (none, much))
    same = all(np.allclose(a, b, rtol=1e-5, atol=0) for a, b in zip(*parts, strict=True))
    assert same == (trains == "reconstruction")


def test_standard_deviations_are_read_unless_they_are_left_out():
    batch = make_batch()
    for deviations in (True, False):
        config = replace(SMALL, deviations=deviations)
        objective, params = start(config)
        changed = jax.tree.map(lambda p: p, params)
        for m in batch.inputs:  # the log variance's half of the last layer
            layer = changed["encode"][m]["params"]["MLP_0"]["Dense_1"]
            layer["bias"] = layer["bias"].at[3:].add(1.0)
        same = np.array_equal(objective.predict(params, batch), objective.predict(changed, batch))
        assert same != deviations


@pytest.mark.parametrize("outcome", ["image", "survival"])
@pytest.mark.parametrize("deviations", [True, False])
@pytest.mark.parametrize("deep", [0, 2])
def test_the_predictor_reads_means_and_standard_deviations(outcome, deviations, deep):
    """Not variances, and in training not the drawn features: they are read by the shared encoder alone."""
    config = InVAConfig((), 3, deep, (), deviations=deviations, outcome=outcome)
    batch = make_batch() if outcome == "image" else make_patients()
    objective, params = start(config, batch)
    rng = np.random.default_rng(4)
    params = jax.tree.map(lambda p: p + 0.2 * rng.normal(size=p.shape).astype(np.float32), params)
    if deep:  # one posterior of z whatever h is
        layer = params["shared_encode"]["params"]["Dense_0"]
        layer["kernel"] = 0 * layer["kernel"]
    layers = {m: affine(params["encode"][m]) for m in sorted(batch.inputs)}
    read = []
    for m, (kernel, bias) in layers.items():
        both = np.asarray(batch.inputs[m]).reshape(len(batch.where), -1) @ kernel + bias
        both = np.where(np.asarray(batch.presence[m])[:, None] > 0, both, 0)
        parts = [both[:, :3], np.exp(np.minimum(both[:, 3:], 2) / 2)]
        if deep:
            there = np.asarray(batch.presence[m])[:, None] > 0
            z = np.where(there, affine(params["shared_encode"])[1][None], 0)
            parts = [both[:, :3], z[:, :2], parts[1], np.exp(np.minimum(z[:, 2:], 2) / 2)]
        means = len(parts) // 2
        read += parts if deviations else parts[:means]
    read += [batch.clinical] if outcome == "survival" else []
    layer = params["predict"]["params"]
    while "kernel" not in layer:
        (layer,) = layer.values()
    expected = np.concatenate(read, axis=1) @ np.asarray(layer["kernel"])
    expected = expected + np.asarray(layer.get("bias", 0))
    survival = outcome == "survival"
    expected = expected[:, 0] + batch.offset if survival else expected.reshape(N, *SHAPE)
    np.testing.assert_allclose(objective.predict(params, batch), expected, rtol=1e-4, atol=1e-4)
    term = "cox" if survival else "prediction"
    score = objective.score(params, batch)
    for k in range(2):
        terms = objective.loss(params, batch, jax.random.key(k), H)[1]
        np.testing.assert_allclose(terms[term], score, rtol=1e-5)


def test_draws_vary_as_the_posterior_does():
    batch = make_batch()
    _, params = start()
    one = jax.jit(drawn_prediction(SMALL))
    keys = jax.random.split(jax.random.key(0), 64)
    assert np.all(np.std([one(params, batch, k) for k in keys], axis=0) > 0)
    for m in batch.inputs:  # a posterior without width
        layer = params["encode"][m]["params"]["MLP_0"]["Dense_1"]
        layer["kernel"] = layer["kernel"].at[:, 3:].set(0)
        layer["bias"] = layer["bias"].at[3:].set(-40.0)
    np.testing.assert_allclose(
        one(params, batch, keys[0]), model(SMALL).predict(params, batch), atol=1e-5
    )


def test_a_posterior_is_at_most_so_wide():
    """Or the predictor, which reads standard deviations, could make anything of a new patient."""
    _, params = start()
    predict, batch = model(SMALL).predict, make_batch()

    def at(width):
        changed = jax.tree.map(lambda x: x, params)
        for m in batch.inputs:
            layer = changed["encode"][m]["params"]["MLP_0"]["Dense_1"]
            layer["kernel"] = layer["kernel"].at[:, 3:].set(0)
            layer["bias"] = layer["bias"].at[3:].set(width)
        return predict(changed, batch)

    np.testing.assert_array_equal(at(40.0), at(2.0))
    assert not np.array_equal(at(1.0), at(2.0))


def test_without_a_shared_encoder_every_draw_is_the_same():
    config = replace(SMALL, deep=0)
    _, params = start(config)
    one = jax.jit(drawn_prediction(config))
    drawn = [one(params, make_batch(), jax.random.key(i)) for i in range(2)]
    np.testing.assert_array_equal(*drawn)


def test_nobodys_draw_depends_on_who_else_is_there():
    batch = make_batch()
    _, params = start()
    one = jax.jit(drawn_prediction(SMALL))
    alone = one(params, batch.take(jnp.array([4])), jax.random.key(0))
    np.testing.assert_allclose(alone[0], one(params, batch, jax.random.key(0))[4], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shallow": 0}, "shallow must be at least 1 and deep at least 0, got 0, 8"),
        ({"trains": "all"}, "trains must be one of .*, got 'all'"),
        ({"outcome": "label"}, "outcome must be one of .*, got 'label'"),
    ],
)
def test_refuses_impossible_configurations(options, message):
    with pytest.raises(InputError, match=message):
        InVAConfig(**options)


def test_convolutions_refuse_volumes():
    batch = make_batch(shape=(3, 4, 2))
    with pytest.raises(InputError, match=r"two dimensions, got .*'ct': \(3, 4, 2\).*channels=\(\)"):
        start(replace(SMALL, channels=(2,)), batch)
    objective, params = start(SMALL, batch)
    assert objective.predict(params, batch).shape == (N, 3, 4, 2)
