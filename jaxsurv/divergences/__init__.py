"""Distances between distributions and measures of dependence."""

from jaxsurv.divergences._hsic import hsic
from jaxsurv.divergences.kernels import median_bandwidth, rbf_kernel
from jaxsurv.divergences.kl import categorical_kl, kl_standard_normal
from jaxsurv.divergences.mmd import mmd2, mmd2_standard_normal

__all__ = [
    "categorical_kl",
    "hsic",
    "kl_standard_normal",
    "median_bandwidth",
    "mmd2",
    "mmd2_standard_normal",
    "rbf_kernel",
]
