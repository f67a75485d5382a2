"""HCL on a cohort, beside other survival models."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
