"""Cox-MT beside its supervised part and its baselines."""

from experiments.cox_mt.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
