"""Rivals of HCL: SVD of all modalities together, JIVE, and HCL's own schedule as released."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax

from jaxsurv.factors.decompositions import eigh, solve
from jaxsurv.factors.eigen import largest
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array, InputError


class _Part(NamedTuple):
    """Part of X that is a linear map of X, ``left @ right @ X``; [D, r] and [r, D]."""

    left: Array
    right: Array


class _Decomposition(NamedTuple):
    step: Array
    joint: _Part
    own: _Part
    before: Array
    left: Array


def svd_loadings(covariance: Array, noise: Array, structure: Structure) -> Array:
    """Loadings ``[D, R]`` by SVD: the largest principal components, each of all modalities.

    The block of all modalities gets the first components, as many as its rank. SVD does not know the
    other blocks; they stay zero.

    Args:
        covariance: ``[D, D]``.
        noise: variance of the noise, which is subtracted from the eigenvalues.
        structure: blocks and ranks.
    """
    everything = _whole(structure)
    values, vectors = largest(covariance, everything.stop - everything.start)
    loadings = jnp.zeros((structure.features, structure.rank), covariance.dtype)
    return loadings.at[:, everything].set(_scaled(vectors, values, noise))


def jive(
    covariance: Array,
    noise: Array,
    structure: Structure,
    *,
    tolerance: float = 1e-6,
    most: int = 200,
) -> Array:
    """JIVE (Lock et al., Annals of Applied Statistics 7, 2013): joint and individual variation alone.

    The algorithm starts without individual parts, and alternates between two steps. The joint part
    ``J`` is the truncated SVD of ``X - A`` over all modalities together, of the rank of the block of all
    modalities. The individual parts ``A_m`` are the truncated SVDs of ``X_m - J_m``, of the rank of the
    block {m}, each after its projection off the joint scores. Each part is a linear map of X, so that the
    covariance of X is all that is needed of the data. The alternation stops when the residual's share of
    the variance changes by less than ``tolerance``.

    Args:
        covariance: ``[D, D]``, noise included.
        noise: variance of the noise, subtracted from the variance along each loading, as for the other
            methods.
        structure: blocks; those of all modalities and of single modalities are required, others stay zero.
        tolerance: change of the residual's share of the variance at which the alternation stops.
        most: largest number of alternations.

    Returns:
        ``[D, R]`` loadings.
    """
    whole = _whole(structure)
    single = {m: structure.blocks.get((m,)) for m in structure.modalities}
    if missing := [m for m, block in single.items() if block is None]:
        raise InputError(f"JIVE needs an individual block of every modality; {missing} have none")
    ranks = {m: _rank(block) for m, block in single.items()}
    rows = structure.modalities

    def rest(part: _Part) -> Array:
        """Covariance of X without the part."""
        explained = part.right @ covariance
        across = part.left @ explained
        return covariance - across - across.T + part.left @ (explained @ part.right.T) @ part.left.T

    def advance(s: _Decomposition) -> _Decomposition:
        _, u = largest(rest(s.own), _rank(whole))
        scores = u.T - (u.T @ s.own.left) @ s.own.right  # [r, D], as a map of X
        # X - J, off the joint scores, is X less their regression: J itself is explained by them
        explained = solve(scores @ covariance @ scores.T, scores @ covariance)
        off = _Part(explained.T, scores)
        residual = rest(off)
        left, right = [], []
        for m, r in ranks.items():
            _, v = largest(residual[rows[m], rows[m]], r)
            wide = jnp.zeros((structure.features, r), v.dtype).at[rows[m]].set(v)
            left.append(wide)
            right.append(wide.T - (wide.T @ off.left) @ off.right)
        joint, own = _Part(u, scores), _Part(jnp.hstack(left), jnp.vstack(right))
        both = _Part(jnp.hstack([joint.left, own.left]), jnp.vstack([joint.right, own.right]))
        return _Decomposition(s.step + 1, joint, own, s.left, jnp.trace(rest(both)))

    def proceed(s: _Decomposition) -> Array:
        return (s.step < most) & (jnp.abs(s.left - s.before) > tolerance * jnp.trace(covariance))

    def nothing(rank: int) -> _Part:
        empty = jnp.zeros((structure.features, rank), covariance.dtype)
        return _Part(empty, empty.T)

    total = jnp.trace(covariance)
    start = _Decomposition(
        jnp.int32(0), nothing(_rank(whole)), nothing(sum(ranks.values())), 2 * total, total
    )
    end = lax.while_loop(proceed, advance, start)

    def loadings_of(part: _Part) -> Array:
        """Loadings along the principal axes of the part, which the columns of ``left`` span."""
        values, vectors = eigh(part.right @ covariance @ part.right.T)
        return _scaled(part.left @ vectors, values, noise)

    loadings = jnp.zeros((structure.features, structure.rank), covariance.dtype)
    loadings = loadings.at[:, whole].set(loadings_of(end.joint))
    start_at = 0
    for m, r in ranks.items():
        mine = slice(start_at, start_at + r)
        part = _Part(end.own.left[:, mine], end.own.right[mine])
        loadings = loadings.at[:, single[m]].set(loadings_of(part))
        start_at += r
    return loadings


def _whole(structure: Structure) -> slice:
    for subset, columns in structure.blocks.items():
        if set(subset) == set(structure.modalities):
            return columns
    raise InputError(f"needs a block of all of {list(structure.modalities)}")


def _rank(columns: slice | None) -> int:
    return 0 if columns is None else columns.stop - columns.start


def _scaled(vectors: Array, values: Array, noise: Array) -> Array:
    return vectors * jnp.sqrt(jnp.maximum(values - noise, 0))[None]


def released_schedule(loadings: Array, signal: Array, mask: Array, *, steps: int = 100) -> Array:
    """Gradient descent as HCL's authors released it: a rate of 1e-4, divided by ten after every ten steps.

    The rates sum to 1.1e-3, which hardly moves the loadings.

    Args:
        loadings, signal, mask: arguments of :func:`jaxsurv.factors.refine`.
        steps: number of gradient steps.
    """

    def step(w: Array, i: Array) -> tuple[Array, None]:
        gradient = 2 * (w @ (w.T @ w) - signal @ w) * mask
        return w - 1e-4 * 0.1 ** (i // 10) * gradient, None

    return lax.scan(step, loadings * mask, jnp.arange(steps))[0]
