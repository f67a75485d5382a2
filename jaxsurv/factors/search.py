"""Structure of many modalities, found without a look at each of their subsets."""

from collections import Counter
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.factors._hcl_svd import hcl_svd
from jaxsurv.factors._refine import refine
from jaxsurv.factors.covariance import Moments, denoise
from jaxsurv.factors.likelihood import bic
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array, InputError

_TRIALS = 4  # refined side by side in one compiled call


class _Cut(NamedTuple):
    """One latent variable less of some modalities: its start and who is left, ``[M, R]`` booleans."""

    cost: float  # squared loadings that are lost, per parameter
    loadings: np.ndarray
    members: np.ndarray


def search_structure(found: Moments, structure: Structure) -> tuple[Structure, list[float]]:
    """Take modalities from latent variables while BIC falls.

    The start is usually one block that all modalities share, with the largest number of latent
    variables to consider: ``Structure.of(sizes, {tuple(sizes): 12})``. Each step takes one modality, or all,
    from one latent variable of a block. Inside a block loadings are known up to a rotation, so that it is
    turned until as little as possible is lost: by the singular vector of the modality's smallest singular
    value. The cuts that lose the least per parameter are refined, and the one with the lowest BIC is kept;
    the search stops when none lowers it. So M modalities and R latent variables take at most M R steps of
    R (M + 1) cuts, where :func:`select_structure` looks at up to 2^M - 1 blocks in every step.

    Args:
        found: result of :func:`jaxsurv.factors.moments`.
        structure: structure to begin with; all BIC use its estimate of the noise.

    Returns:
        Structure, and BIC before the first step and after each step.

    Raises:
        InputError: the data support no latent variable at all.

    >>> from jaxsurv.factors import moments, simulate_factors, simulate_loadings
    >>> sizes = {"rna": 20, "protein": 15, "image": 10}
    >>> truth = Structure.of(sizes, {("rna", "protein"): 1, ("image",): 1})
    >>> loadings = simulate_loadings(jax.random.key(0), truth)
    >>> x, _ = simulate_factors(jax.random.key(1), loadings, truth, n=2000, noise=0.1)
    >>> start = Structure.of(sizes, {tuple(sizes): 4})
    >>> search_structure(moments(start, x), start)[0].ranks
    ((('rna', 'protein'), 1), (('image',), 1))
    """
    signal, noise = jax.jit(denoise, static_argnums=1)(found.covariance, structure.rank)

    @jax.jit
    @jax.vmap
    def refined(loadings: Array, members: Array) -> Array:
        mask = members[structure.modality].astype(signal.dtype)
        return refine(loadings, signal, mask).loadings

    def criterion(loadings: Array, members: np.ndarray) -> float:
        try:
            return float(bic(loadings, noise, found, _structure(structure, members)))
        except InputError:  # ranks that the data cannot tell apart
            return np.inf

    def tried(cuts: list[_Cut]) -> tuple[float, np.ndarray, np.ndarray]:
        filled = [*cuts, *cuts[:1] * (_TRIALS - len(cuts))]  # one shape, so one program
        starts, members = (np.stack([cut[k] for cut in filled]) for k in (1, 2))
        ends = refined(jnp.asarray(starts, signal.dtype), jnp.asarray(members))
        values = [criterion(w, m) for w, m in zip(ends, members, strict=True)]
        k = int(np.argmin(values))
        return values[k], np.asarray(ends[k]), members[k]

    members = np.array(
        [[m in s for s, r in structure.ranks for _ in range(r)] for m in structure.modalities]
    )
    start = np.asarray(jax.jit(hcl_svd, static_argnums=1)(signal, structure))
    value, loadings, members = tried([_Cut(0.0, start, members)])
    values = [value]
    while members.any():
        cuts = _cuts(loadings, members, list(structure.modalities.values()))
        for first in range(0, len(cuts), _TRIALS):
            trial = tried(cuts[first : first + _TRIALS])
            if trial[0] < values[-1]:
                break
        else:
            break
        value, loadings, members = trial
        values.append(value)
    if not members.any():
        raise InputError(
            f"BIC supports no latent variable of {dict(structure.sizes)} features with "
            f"{int(jnp.max(found.n))} patients"
        )
    return _structure(structure, members), values


def _structure(whole: Structure, members: np.ndarray) -> Structure:
    """Structure of latent variables with these modalities, the largest blocks first."""
    names = np.array(list(whole.modalities), object)
    ranks = Counter(tuple(names[column]) for column in members.T if column.any())
    ordered = sorted(ranks.items(), key=lambda block: -len(block[0]))
    return Structure(whole.sizes, tuple(ordered))


def _cuts(loadings: np.ndarray, members: np.ndarray, rows: list[slice]) -> list[_Cut]:
    """All cuts, those first that lose the least."""
    cuts, modality = [], np.repeat(np.arange(len(rows)), [r.stop - r.start for r in rows])
    for block in np.unique(members.T[members.any(axis=0)], axis=0):
        columns = np.flatnonzero((block == members.T).all(axis=1))
        inside = np.flatnonzero(block)
        for lost in [inside, *([m] for m in inside if len(inside) > 1)]:
            part = loadings[np.isin(modality, lost)][:, columns]
            _, size, turn = np.linalg.svd(part, full_matrices=True)
            least = size[-1] if len(size) == len(columns) else 0.0
            turned, left = loadings.copy(), members.copy()
            turned[:, columns] = loadings[:, columns] @ turn.T
            left[lost, columns[-1]] = False
            cuts.append(_Cut(float(least**2) / len(part), turned, left))
    return sorted(cuts, key=lambda cut: cut.cost)
