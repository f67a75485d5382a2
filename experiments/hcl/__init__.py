"""HCL on simulated modalities with known loadings: recovery of loadings, prediction of labels."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
