"""The dense network: dropout that can be swept, a head that starts at zero."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.errors import InvalidRngError

from jaxsurv.nets import MLP, Dropout

X = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
WIDTHS = (8, 3)


def key(i):
    return jax.random.key(i)


@jax.jit
@jax.vmap
def drop_ones(rate, key):
    """A matrix of ones, dropped out, per rate and key."""
    return Dropout().apply({}, jnp.ones((200, 100)), rate, rngs={"dropout": key})


@pytest.fixture(scope="module")
def params():
    rng, layers = np.random.default_rng(1), {}
    for i, (d, width) in enumerate([(6, 8), (8, 3)]):
        kernel, bias = rng.normal(size=(d, width)), rng.normal(size=width)
        layers[f"Dense_{i}"] = {"kernel": np.float32(kernel), "bias": np.float32(bias)}
    return {"params": layers}


@pytest.mark.parametrize("final", [False, True])
def test_layers_by_hand(params, final):
    h = X
    for i in range(2):
        layer = params["params"][f"Dense_{i}"]
        h = h @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"])
        if i == 0 or final:
            h = np.where(h > 0, h, 0.01 * h)
    np.testing.assert_allclose(MLP(WIDTHS, final=final).apply(params, X), h, rtol=1e-4, atol=1e-5)


def test_dropout_keeps_the_expectation():
    rates = np.float32([0.1, 0.5, 0.5, 0.9])
    for y, rate in zip(drop_ones(rates, jax.random.split(key(1), 4)), rates, strict=True):
        np.testing.assert_allclose(np.unique(y), [0, 1 / (1 - rate)], rtol=1e-6)
        standard_error = np.sqrt(rate / (1 - rate) / y.size)
        assert abs(y.mean() - 1) < 4 * standard_error


def test_every_key_of_a_vmap_drops_other_units():
    kept = np.asarray(drop_ones(np.full(4, 0.5, np.float32), jax.random.split(key(2), 4))) > 0
    correlation = np.corrcoef(kept.reshape(4, -1)) - np.eye(4)
    assert np.abs(correlation).max() < 4 / np.sqrt(kept[0].size)


def test_a_traced_rate_compiles_once_and_sweeps(params):
    traces = []

    @jax.jit
    def apply(rate, key):
        traces.append(1)
        return MLP(WIDTHS).apply(params, X, rate, rngs={"dropout": key})

    rates = np.float32([0.0, 0.3, 0.7])
    alone = [apply(r, key(2)) for r in rates]
    assert not np.allclose(alone[1], apply(rates[1], key(3)))
    assert len(traces) == 1
    np.testing.assert_allclose(alone[0], MLP(WIDTHS).apply(params, X), rtol=1e-5, atol=1e-6)
    assert not np.allclose(alone[1], alone[2])
    together = jax.vmap(apply, in_axes=(0, None))(rates, key(2))
    np.testing.assert_allclose(together, np.stack(alone), rtol=1e-5, atol=1e-6)


def test_evaluation_needs_no_key_and_is_deterministic(params):
    np.testing.assert_array_equal(*(MLP(WIDTHS).apply(params, X) for _ in range(2)))


def test_the_last_layer_is_dropped_out_only_if_final(params):
    one_layer = {"params": {"Dense_0": params["params"]["Dense_0"]}}
    MLP((8,)).apply(one_layer, X, 0.5)  # no key, so nothing was drawn
    with pytest.raises(InvalidRngError, match="dropout"):
        MLP((8,), final=True).apply(one_layer, X, 0.5)


def test_a_zero_network_starts_at_zero_and_can_leave_it():
    net = MLP(WIDTHS, activation=jnp.tanh, final=True, zero=True)
    params = jax.jit(net.init)(key(7), X)
    assert params["params"]["Dense_0"]["kernel"].all()
    gradient = jax.jit(jax.grad(lambda p: jnp.sum(net.apply(p, X) * X[:, :3])))(params)
    assert gradient["params"]["Dense_1"]["kernel"].all()
    assert not net.apply(params, X).any()
