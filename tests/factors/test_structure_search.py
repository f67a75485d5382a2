"""The search that takes modalities from latent variables, beside the one that looks at every block."""

import jax
import numpy as np
import pytest

from jaxsurv.factors import (
    Structure,
    all_subsets,
    moments,
    search_structure,
    select_structure,
    simulate_factors,
    simulate_loadings,
)
from jaxsurv.factors.search import _cuts
from jaxsurv.types import InputError


def simulated(modalities, blocks, seed, n=2000):
    """Structure of random blocks of one or two latent variables, and moments of its data."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(12, 20)) for name in "abcdefgh"[:modalities]}
    subsets = all_subsets(tuple(sizes))
    chosen = sorted(rng.choice(len(subsets), blocks, replace=False))
    truth = Structure.of(sizes, {subsets[i]: int(rng.integers(1, 3)) for i in chosen})
    w = simulate_loadings(jax.random.key(seed), truth)
    x, _ = simulate_factors(jax.random.key(seed + 100), w, truth, n=n, noise=0.2)
    return truth, moments(truth, x)


def searched(truth, found, more=2):
    sizes = dict(truth.sizes)
    return search_structure(found, Structure.of(sizes, {tuple(sizes): truth.rank + more}))


@pytest.mark.parametrize(("modalities", "blocks"), [(2, 2), (3, 4)])
def test_it_finds_what_the_exhaustive_search_finds(modalities, blocks):
    truth, found = simulated(modalities, blocks, seed=1)
    chosen, values = searched(truth, found)
    every, _ = select_structure(found, Structure.of(dict(truth.sizes), 2))
    assert dict(chosen.ranks) == dict(every.ranks) == dict(truth.ranks)
    assert values == sorted(values, reverse=True)


@pytest.mark.slow
def test_it_finds_what_the_exhaustive_search_finds_in_four():
    truth, found = simulated(4, 4, seed=0)
    every, _ = select_structure(found, Structure.of(dict(truth.sizes), 2))
    assert dict(searched(truth, found)[0].ranks) == dict(every.ranks) == dict(truth.ranks)


@pytest.mark.slow
def test_it_finds_blocks_of_eight_modalities():
    """Of 255 blocks six are there."""
    truth, found = simulated(8, 6, seed=1, n=3000)
    assert dict(searched(truth, found)[0].ranks) == dict(truth.ranks)


def test_each_cut_turns_the_block_and_takes_the_least():
    rows = [slice(0, 4), slice(4, 9)]
    w = np.random.default_rng(0).normal(size=(9, 3))
    members = np.array([[True, True, False], [True, True, True]])
    w[:4, 2] = 0
    cuts = _cuts(w, members, rows)
    assert len(cuts) == 4  # of the block of both: all, each of two; of the other: all
    assert [c.cost for c in cuts] == sorted(c.cost for c in cuts)
    for cut in cuts:
        np.testing.assert_allclose(cut.loadings @ cut.loadings.T, w @ w.T, atol=1e-12)
        lost = members & ~cut.members
        (column,) = np.flatnonzero(lost.any(axis=0))
        dropped = np.concatenate(
            [cut.loadings[r, column] for r, l in zip(rows, lost[:, column], strict=True) if l]
        )
        np.testing.assert_allclose(cut.cost, dropped @ dropped / len(dropped), rtol=1e-9)
        angles = np.linspace(0, np.pi, 400)
        if column < 2:  # no other rotation loses less
            part = np.concatenate(
                [w[r, :2] for r, l in zip(rows, lost[:, column], strict=True) if l]
            )
            least = min(np.sum((part @ [np.cos(a), np.sin(a)]) ** 2) for a in angles)
            assert dropped @ dropped <= least * (1 + 1e-9)


def test_noise_has_no_structure():
    sizes = {"a": 6, "b": 5}
    start = Structure.of(sizes, {("a", "b"): 2})
    noise = {m: np.random.default_rng(d).normal(size=(400, d)) for m, d in sizes.items()}
    with pytest.raises(InputError, match="supports no latent variable"):
        search_structure(moments(start, noise), start)
