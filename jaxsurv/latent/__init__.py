"""Samples of latent variables that gradients pass through."""

from jaxsurv.latent.gaussian import sample_gaussian
from jaxsurv.latent.gumbel import exponential_temperature, gumbel_softmax

__all__ = ["exponential_temperature", "gumbel_softmax", "sample_gaussian"]
