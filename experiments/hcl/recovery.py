"""Recovery of the loadings behind simulated modalities, against number of patients and noise."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.factors import Structure, denoise, hcl_svd, refine, shrink, simulate_loadings
from jaxsurv.factors.structure import Subset
from jaxsurv.study.statistics import corrected_t
from jaxsurv.types import Array, Key

from .rivals import jive, released_schedule, svd_loadings
from .simulate import simulate_covariance

OURS = "HCL"
NOTHING = "nothing"  # all loadings zero: a method with a larger error is worse than no fit
SETTING = ["sizes", "noise"]


class Draws(NamedTuple):
    """Simulated data sets, each ``[replicates]``.

    Attributes:
        n: number of patients.
        noise: variance of the noise.
        seed: seed of loadings and normal numbers, which depend on it alone, so that settings are paired.
    """

    n: Array
    noise: Array
    seed: Array


class Recovery(NamedTuple):
    """Errors of one method's loadings W against the truth T.

    Attributes:
        block: mean over blocks of ``|W_S W_S' - T_S T_S'|_F``.
        overall: ``|W W' - T T'|_F``.
    """

    block: Array
    overall: Array


def block_errors(loadings: Array, truth: Array, structure: Structure) -> dict[Subset, Array]:
    """Distance ``|W_S W_S' - T_S T_S'|_F`` per block; a rotation of W_S does not change W_S W_S'.

    Args:
        loadings, truth: ``[D, R]``.
        structure: the blocks.
    """
    return {
        subset: gram_distance(loadings[:, columns], truth[:, columns])
        for subset, columns in structure.blocks.items()
    }


def gram_distance(w: Array, t: Array) -> Array:
    """Distance ``|W W' - T T'|_F``; its square is ``|W'W|² + |T'T|² - 2 |W'T|²``, products with R columns.

    Args:
        w: W ``[D, R]``.
        t: T ``[D, R]``.
    """
    square = jnp.sum((w.T @ w) ** 2) + jnp.sum((t.T @ t) ** 2) - 2 * jnp.sum((w.T @ t) ** 2)
    return jnp.sqrt(jnp.maximum(square, 0))


def estimates(
    structure: Structure, truth: Array, n: Array, noise: Array, key: Key
) -> dict[str, Array]:
    """Loadings ``{method: [D, R]}`` for one data set; all methods but SVD and JIVE know the structure."""
    covariance = simulate_covariance(key, truth, n=n, noise=noise)
    # steps of fit_moments; all variants share the first two
    signal, variance = denoise(covariance, structure.rank)
    start, mask = hcl_svd(signal, structure), jnp.asarray(structure.mask, signal.dtype)
    refined = refine(start, signal, mask).loadings
    return {
        OURS: shrink(refined, variance, n, structure),
        "HCL, not shrunk": refined,
        "HCL, released schedule": released_schedule(start, signal, mask),
        "HCL-SVD": start,
        "JIVE": jive(covariance, variance, structure),
        "SVD": svd_loadings(covariance, variance, structure),
        NOTHING: jnp.zeros_like(truth),
    }


def simulated(structure: Structure, seed: Array) -> tuple[Array, Key]:
    """True loadings, and the key of the data."""
    key_loadings, key_data = jax.random.split(jax.random.key(seed))
    return simulate_loadings(key_loadings, structure), key_data


def recover(structure: Structure, replicate: Draws) -> dict[str, Recovery]:
    """Errors of all methods on one replicate."""
    truth, key = simulated(structure, replicate.seed)
    found = estimates(structure, truth, replicate.n, replicate.noise, key)
    return {
        name: Recovery(
            jnp.mean(jnp.stack(list(block_errors(w, truth, structure).values()))),
            gram_distance(w, truth),
        )
        for name, w in found.items()
    }


def tabulate(sizes: str, replicate: Draws, found: dict[str, Recovery]) -> pd.DataFrame:
    """Table with one row per replicate and method."""
    tables = [
        pd.DataFrame({"sizes": sizes, "method": name, **replicate._asdict(), **errors._asdict()})
        for name, errors in found.items()
    ]
    return pd.concat(tables, ignore_index=True)


def slopes(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean over replicates of the least-squares slope of log error on log n, per setting and method."""
    rows = []
    for keys, group in runs[runs["method"] != NOTHING].groupby([*SETTING, "method"], sort=False):
        errors = group.pivot(index="seed", columns="n", values="block")
        if errors.shape[1] < 2:
            continue
        x = np.log(errors.columns.to_numpy(float))
        x = x - x.mean()
        slope = np.log(errors.to_numpy()) @ x / (x @ x)
        row: dict[str, object] = dict(zip([*SETTING, "method"], keys, strict=True))
        rows.append(row | corrected_t(slope, 0.0)._asdict())
    return pd.DataFrame(rows)
