"""Linear factors of several modalities: shared structure, its size, and its relation to an outcome."""

from jaxsurv.factors._hcl_svd import hcl_svd
from jaxsurv.factors._refine import Refined, refine
from jaxsurv.factors._shrink import shrink
from jaxsurv.factors.covariance import Denoised, Moments, denoise, moments
from jaxsurv.factors.group_lasso import GroupFit, Loss, block_norms, group_path, group_penalised
from jaxsurv.factors.likelihood import bic, log_likelihood
from jaxsurv.factors.outcomes import cox, squared_error
from jaxsurv.factors.scores import least_squares_scores, posterior_mean
from jaxsurv.factors.search import search_structure
from jaxsurv.factors.selection import select_structure
from jaxsurv.factors.simulate import simulate_factors, simulate_loadings
from jaxsurv.factors.structure import Structure, all_subsets

__all__ = [
    "Denoised",
    "GroupFit",
    "Loss",
    "Moments",
    "Refined",
    "Structure",
    "all_subsets",
    "bic",
    "block_norms",
    "cox",
    "denoise",
    "group_path",
    "group_penalised",
    "hcl_svd",
    "least_squares_scores",
    "log_likelihood",
    "moments",
    "posterior_mean",
    "refine",
    "search_structure",
    "select_structure",
    "shrink",
    "simulate_factors",
    "simulate_loadings",
    "squared_error",
]
