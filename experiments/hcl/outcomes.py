"""Prediction of a label from estimated loadings: excess risk, and blocks with an effect that are found."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.factors import (
    GroupFit,
    Loss,
    Structure,
    block_norms,
    group_penalised,
    least_squares_scores,
    moments,
    posterior_mean,
    simulate_factors,
    squared_error,
)
from jaxsurv.factors.covariance import together
from jaxsurv.factors.decompositions import eigh, pinv
from jaxsurv.models import LinearHCL, fit_moments, hcl_linear
from jaxsurv.types import Array, Key

from .recovery import simulated
from .rivals import jive, svd_loadings

FOLDS, TEST = 5, 2000
LABEL_NOISE = 0.1


class LabelledDraws(NamedTuple):
    """Simulated data sets, each ``[replicates]``.

    Attributes:
        n: number of patients without a label, from whom the loadings are learnt.
        m: number of other patients, with a label, from whom the coefficients are learnt.
        seed: seed of all random numbers.
    """

    n: Array
    m: Array
    seed: Array


class Outcome(NamedTuple):
    """Errors of one method on one replicate.

    Attributes:
        excess: mean squared difference from the true model's predictions for new patients.
        group_error: mean over blocks of ``| |coef_S| - |truth_S| |``; NaN if the method has no blocks.
        kept: share of the blocks with an effect that have a coefficient.
        dropped: share of the blocks without an effect that have coefficient zero.
        norms: ``[S]``, ``|coef_S|``.
    """

    excess: Array
    group_error: Array
    kept: Array
    dropped: Array
    norms: Array


def true_norms(structure: Structure) -> np.ndarray:
    """True norms ``[S]``: 1 for the block of all modalities, the first of two, the last of one; else 0."""
    sizes = np.array([len(s) for s in structure.blocks])
    norms = np.zeros(len(sizes))
    for size, pick in ((sizes.max(), 0), (2, 0), (1, -1)):
        norms[np.flatnonzero(sizes == size)[pick]] = 1
    return norms


def least_squares(loss: Callable[[Array], Loss], rank: int) -> Array:
    """Minimiser ``[R]`` of a squared error without a penalty; 0 where scores do not vary.

    Args:
        loss: function of coefficients ``[R]``, from :func:`jaxsurv.factors.squared_error` for some patients.
        rank: number R of latent variables.
    """
    start = loss(jnp.zeros(rank))
    return -pinv(start.curvature) @ start.gradient


def sparse_coef(fit: GroupFit) -> Array:
    """Coefficients ``[R]`` at the largest penalty within one standard error of the smallest loss."""
    best = jnp.argmin(fit.held_out)
    enough = fit.held_out <= fit.held_out[best] + fit.standard_error[best]
    return fit.path[jnp.argmax(enough)]


def _effects(structure: Structure, key: Key) -> Array:
    """True coefficients ``[R]``, with the true norms, in random directions."""
    coef = jax.random.normal(key, (structure.rank,))
    return coef * (true_norms(structure) / block_norms(coef, structure.block))[structure.block]


def predict_labels(
    structure: Structure, most_n: int, most_m: int, noise: float, replicate: LabelledDraws
) -> dict[str, Outcome]:
    """Predict labels by all methods on one replicate.

    Args:
        structure: true structure, which only HCL knows.
        most_n, most_m: static sizes of the arrays; a replicate uses the first n and m rows.
        noise: variance of the noise of x.
        replicate: see `LabelledDraws`.
    """
    truth, key = simulated(structure, replicate.seed)
    key_a, key_b, key_c, key_effects, key_labels = jax.random.split(key, 5)
    coef = _effects(structure, key_effects)
    unlabelled, _ = simulate_factors(key_a, truth, structure, n=most_n, noise=noise)
    x, z = simulate_factors(key_b, truth, structure, n=most_m, noise=noise)
    fresh, _ = simulate_factors(key_c, truth, structure, n=TEST, noise=noise)
    y = z @ coef + jnp.sqrt(LABEL_NOISE) * jax.random.normal(key_labels, (most_m,))
    first_n, first_m = jnp.arange(most_n) < replicate.n, jnp.arange(most_m) < replicate.m
    fold = jnp.arange(most_m) % FOLDS
    zero = jnp.zeros(structure.features)
    best = posterior_mean(truth, jnp.asarray(noise), zero, fresh, structure) @ coef

    def judged(prediction: Array, norms: Array | None = None) -> Outcome:
        excess = jnp.mean((prediction - best) ** 2)
        if norms is None:
            nan = jnp.full((), jnp.nan)
            return Outcome(excess, nan, nan, nan, jnp.full(len(structure.blocks), jnp.nan))
        true = jnp.asarray(true_norms(structure))
        there, found = true > 0, norms > 0
        return Outcome(
            excess,
            jnp.mean(jnp.abs(norms - true)),
            jnp.sum(there & found) / jnp.sum(there),
            jnp.sum(~there & ~found) / jnp.sum(~there),
            norms,
        )

    def predicted(fit: LinearHCL, own: Structure, beta: Array) -> Array:
        def scores(of):
            return posterior_mean(fit.loadings, fit.noise, fit.mean, of, own) @ beta

        shift = jnp.sum(first_m * (y - scores(x))) / replicate.m
        return scores(fresh) + shift

    def regressed(fit: LinearHCL, own: Structure) -> Callable:
        return squared_error(posterior_mean(fit.loadings, fit.noise, fit.mean, x, own), y)

    def bias_corrected(fit: LinearHCL) -> Callable:
        scores = least_squares_scores(fit.loadings, fit.mean, x, structure)
        return squared_error(scores, y, fit.noise * pinv(fit.loadings.T @ fit.loadings))

    found = moments(structure, unlabelled, where=first_n)
    hcl = fit_moments(structure, found)
    everyone = {k: jnp.concatenate([unlabelled[k], x[k]]) for k in x}
    first_all = jnp.concatenate([first_n, first_m])
    results = {}
    for name, fit in (
        ("HCL", hcl),
        ("HCL, loadings of all patients", hcl_linear(structure, everyone, where=first_all)),
        ("HCL-SVD", fit_moments(structure, found, refinement="none", shrinkage=False)),
        ("JIVE", hcl._replace(loadings=jive(found.covariance, hcl.noise, structure))),
    ):  # fmt: skip
        beta = least_squares(regressed(fit, structure)(first_m), structure.rank)
        results[name] = judged(predicted(fit, structure, beta), block_norms(beta, structure.block))
    loss = regressed(hcl, structure)
    chosen = group_penalised(loss, first_m, fold, structure.block, folds=FOLDS)
    for name, beta in (
        ("HCL, bias-corrected", least_squares(bias_corrected(hcl)(first_m), structure.rank)),
        ("HCL, group penalty", chosen.coef),
        ("HCL, group penalty, 1 SE", sparse_coef(chosen)),
    ):
        results[name] = judged(predicted(hcl, structure, beta), block_norms(beta, structure.block))
    one = Structure(structure.sizes, ((tuple(structure.modalities), structure.rank),))
    svd = hcl._replace(loadings=svd_loadings(found.covariance, hcl.noise, one))
    beta = least_squares(regressed(svd, one)(first_m), structure.rank)
    results["SVD"] = judged(predicted(svd, one, beta))
    results["ridge on all features"] = judged(
        _ridge(together(structure, x), y, first_m, together(structure, fresh))
    )
    return results


def _ridge(x: Array, y: Array, where: Array, fresh: Array) -> Array:
    """Ridge regression with its penalty from generalised cross-validation."""
    rows = where.astype(x.dtype)
    m = jnp.sum(rows)
    mean, level = rows @ x / m, rows @ y / m
    centred = rows[:, None] * (x - mean[None])
    values, vectors = eigh(centred.T @ centred)
    values = jnp.maximum(values, 0)
    turned = vectors.T @ (centred.T @ (y - level))
    penalties = m * jnp.geomspace(1e-4, 1e2, 25)

    def gcv(penalty: Array) -> tuple[Array, Array]:
        beta = vectors @ (turned / (values + penalty))
        residual = rows * (y - level - centred @ beta)
        freedom = 1 + jnp.sum(values / (values + penalty))
        return jnp.sum(residual**2) / (m - freedom) ** 2, beta

    scores, betas = jax.lax.map(gcv, penalties)
    return level + (fresh - mean[None]) @ betas[jnp.argmin(scores)]


def tabulate_labels(replicate: LabelledDraws, found: dict[str, Outcome]) -> pd.DataFrame:
    """Table with one row per replicate and method; ``norm_k`` is the norm of block k."""
    tables = []
    for name, outcome in found.items():
        plain = outcome._asdict()
        norms = plain.pop("norms")
        columns = {f"norm_{k}": v for k, v in enumerate(norms.T)}
        tables.append(pd.DataFrame({"method": name, **replicate._asdict(), **plain, **columns}))
    return pd.concat(tables, ignore_index=True)
