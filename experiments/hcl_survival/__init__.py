"""HCL on a cohort, beside other survival models."""

from experiments.hcl_survival.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
