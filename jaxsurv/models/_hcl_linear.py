"""HCL's linear model (arXiv 2604.05462): latent variables shared by all, by some, or by one modality."""

from typing import Literal, NamedTuple

import jax.numpy as jnp

from jaxsurv.factors import Moments, Structure, denoise, hcl_svd, moments, refine, shrink
from jaxsurv.types import Array, check_choice


class LinearHCL(NamedTuple):
    """A fitted model ``x = mean + W z + e``, z ~ N(0, I), e ~ N(0, noise I).

    Attributes:
        loadings: ``[D, R]``, W, zero in block S outside the modalities of S.
        noise: variance.
        mean: ``[D]``.
        steps: number of refinement steps.
        gradient: relative gradient at the end of the refinement; small = converged.
    """

    loadings: Array
    noise: Array
    mean: Array
    steps: Array
    gradient: Array


def hcl_linear(
    structure: Structure,
    inputs: dict[str, Array],
    *,
    presence: dict[str, Array] | None = None,
    where: Array | None = None,
    refinement: Literal["lbfgs", "none"] = "lbfgs",
    shrinkage: bool = True,
) -> LinearHCL:
    """Fit the loadings of a known structure; jittable, and vmappable over replicates::

        min_W 1/2 |W W' - (S - noise I)|_F²,  W zero outside the structure, from HCL-SVD

    Missing modalities enter through the covariance of the pairs that are there. W is known up to a
    rotation inside each block.

    Args:
        structure: modalities, blocks and their ranks; static.
        inputs: ``{modality: [n, d_m]}``, free of NaN.
        presence: ``{modality: [n]}``, 1 where the patient has it; None = all have all.
        where: ``[n]`` booleans, the patients to use; None = all.
        refinement: ``"lbfgs"``: L-BFGS to convergence; ``"none"``: HCL-SVD itself.
        shrinkage: shrink each block for the noise in it (:func:`jaxsurv.factors.shrink`); False = as
            published.
    """
    found = moments(structure, inputs, presence=presence, where=where)
    return fit_moments(structure, found, refinement=refinement, shrinkage=shrinkage)


def fit_moments(
    structure: Structure,
    found: Moments,
    *,
    refinement: Literal["lbfgs", "none"] = "lbfgs",
    shrinkage: bool = True,
) -> LinearHCL:
    """Fit the model of `hcl_linear` from mean and covariance.

    Args:
        structure, refinement, shrinkage: see `hcl_linear`.
        found: mean, covariance and number of patients.
    """
    check_choice("refinement", refinement, ("lbfgs", "none"))
    signal, noise = denoise(found.covariance, structure.rank)
    mask = jnp.asarray(structure.mask, signal.dtype)
    start = hcl_svd(signal, structure)
    refined = refine(start, signal, mask, most=500 if refinement == "lbfgs" else 0)
    loadings = refined.loadings
    if shrinkage:
        loadings = shrink(loadings, noise, found.n, structure)
    return LinearHCL(loadings, noise, found.mean, refined.steps, refined.gradient)
