"""HSIC against the cohort: what it removes from the latent of pooled cohorts, and at what cost."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
