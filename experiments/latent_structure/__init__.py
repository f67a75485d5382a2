"""Gaussian or hybrid latent variables: subtypes, and alignment with risk."""
