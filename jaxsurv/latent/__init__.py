"""Latent variables that gradients pass through."""

from jaxsurv.latent.gaussian import sample_gaussian

__all__ = ["sample_gaussian"]
