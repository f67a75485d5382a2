"""Gaussian or hybrid latent variables, subtypes, alignment with risk."""
