"""Distances between distributions and measures of dependence."""

from jaxsurv.divergences.kl import kl_standard_normal

__all__ = ["kl_standard_normal"]
