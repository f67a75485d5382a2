"""Mutual attention: against loops, and what absent tokens must not do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.nets import CrossAttention
from jaxsurv.nets.cross_attention import Attention, Tokens

N, T = 5, 6
rng = np.random.default_rng(0)
RNA, IMAGES = (rng.normal(size=s).astype(np.float32) for s in ((N, 10), (N, T, 3)))
CLINICAL = np.zeros((N, 0), np.float32)
HAS_RNA = np.float32([1, 1, 0, 1, 0])
SEEN = (rng.random((N, T)) < 0.6).astype(np.float32)
SEEN[1], SEEN[4] = 0, 0  # the last patient has neither source
NET = CrossAttention((4,), tokens=4, width=8, heads=2)


@pytest.fixture(scope="module")
def params():
    params = NET.init(jax.random.key(0), (RNA, IMAGES), (HAS_RNA, SEEN), CLINICAL)
    return jax.tree.map(lambda p: p + 0.1, params)


@jax.jit
def risk(params, images, seen, rna=RNA, has_rna=HAS_RNA):
    return NET.apply(params, (rna, images), (has_rna, seen), CLINICAL)


def softmax(x):
    return np.exp(x - x.max()) / np.exp(x - x.max()).sum()


def test_attention_is_a_softmax_over_the_tokens_there():
    q, tokens = rng.normal(size=(N, 3, 8)), rng.normal(size=(N, T, 8))
    q, tokens = q.astype(np.float32), tokens.astype(np.float32)
    net = Attention(2)
    there = SEEN > 0
    params = net.init(jax.random.key(1), q, tokens, there)
    p = jax.tree.map(np.asarray, params["params"])
    expected = np.zeros((N, 3, 8))
    for n in range(N):
        kept = tokens[n][there[n]]
        if not len(kept):
            continue
        Q, K, V = (
            x @ p[m]["kernel"] + p[m]["bias"]
            for x, m in ((q[n], "query"), (kept, "key"), (kept, "value"))
        )
        for s in range(3):
            heads = [softmax(K[:, h] @ Q[s, h] / 2) @ V[:, h] for h in (slice(4), slice(4, 8))]
            expected[n, s] = np.concatenate(heads) @ p["out"]["kernel"]
    np.testing.assert_allclose(net.apply(params, q, tokens, there), expected, atol=1e-5)
    assert not expected[1].any()


def test_each_source_reads_the_other_and_is_pooled_over_its_own_tokens(params):
    """The whole network, patient by patient, from its definition."""
    p = jax.tree.map(lambda x: np.asarray(x, float), params["params"])
    kernel, bias = p["tokens_first"]["kernel"], p["tokens_first"]["bias"]
    chunks = np.pad(RNA, ((0, 0), (0, 2))).reshape(N, 4, 3)  # 4 of ceil(10 / 4) features
    first = np.einsum("ntc,tcw->ntw", chunks, kernel) + bias
    shared = p["tokens_second"]["shared"]
    second = IMAGES @ shared["kernel"] + shared["bias"]

    def read(own, other, weights):
        if not len(other):
            return own
        q, k, v = (
            x @ weights[m]["kernel"] + weights[m]["bias"]
            for x, m in ((own, "query"), (other, "key"), (other, "value"))
        )
        heads = [slice(4), slice(4, 8)]
        said = [
            np.concatenate([softmax(k[:, h] @ one[h] / 2) @ v[:, h] for h in heads]) for one in q
        ]
        return own + np.reshape(said, own.shape) @ weights["out"]["kernel"]

    def mean(tokens):
        return tokens.mean(axis=0) if len(tokens) else np.zeros(8)

    pooled = []
    for n in range(N):
        a, b = first[n][[HAS_RNA[n] > 0] * 4], second[n][SEEN[n] > 0]
        one, two = read(a, b, p["attend_first"]), read(b, a, p["attend_second"])
        pooled.append(np.concatenate([mean(one), mean(two)]))
    hidden, last = p["mlp"]["Dense_0"], p["mlp"]["Dense_1"]
    expected = np.maximum(pooled @ hidden["kernel"] + hidden["bias"], 0) @ last["kernel"]
    np.testing.assert_allclose(risk(params, IMAGES, SEEN), expected, rtol=1e-4, atol=1e-5)


def test_features_are_cut_into_contiguous_chunks():
    net = Tokens(4, 8)  # 10 features: chunks of 3, 3, 3 and 1
    params = net.init(jax.random.key(0), RNA, HAS_RNA)
    tokens, there = net.apply(params, RNA, HAS_RNA)
    kernel = np.asarray(params["params"]["kernel"])
    assert kernel.shape == (4, 3, 8)
    np.testing.assert_allclose(tokens[0, 1], RNA[0, 3:6] @ kernel[1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(tokens[0, 3], RNA[0, 9] * kernel[3, 0], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(there, np.tile(HAS_RNA[:, None] > 0, (1, 4)))


def test_the_order_of_tokens_does_not_matter(params):
    order = np.random.default_rng(1).permutation(T)
    base = risk(params, IMAGES, SEEN)
    np.testing.assert_allclose(risk(params, IMAGES[:, order], SEEN[:, order]), base, rtol=1e-5)
    assert not np.allclose(risk(params, IMAGES[:, order], SEEN), base, rtol=1e-3)


def test_absent_tokens_are_not_seen(params):
    filled = np.where(SEEN[:, :, None] > 0, IMAGES, 1e6).astype(np.float32)
    other = np.where(HAS_RNA[:, None] > 0, RNA, -50).astype(np.float32)
    np.testing.assert_array_equal(risk(params, filled, SEEN, rna=other), risk(params, IMAGES, SEEN))
    fewer = np.pad(IMAGES, ((0, 0), (0, 2), (0, 0))), np.pad(SEEN, ((0, 0), (0, 2)))
    np.testing.assert_allclose(risk(params, *fewer), risk(params, IMAGES, SEEN), rtol=1e-5)


def test_a_patient_without_one_source_is_told_by_the_other(params):
    base, changed = risk(params, IMAGES, SEEN), risk(params, IMAGES + 1, SEEN, rna=RNA + 1)
    assert np.isfinite(base).all()
    moved = np.abs(base - changed)[:, 0] > 1e-4
    np.testing.assert_array_equal(moved, [True, True, True, True, False])


def test_gradients_are_finite_where_nothing_is_there(params):
    gradient = jax.jit(jax.grad(lambda p, s: jnp.sum(risk(p, IMAGES, s))))
    for seen in (SEEN, 0 * SEEN):
        assert all(np.isfinite(g).all() for g in jax.tree.leaves(gradient(params, seen)))
