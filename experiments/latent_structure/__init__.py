"""Gaussian or hybrid latent variables: subtypes, and alignment with risk."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
