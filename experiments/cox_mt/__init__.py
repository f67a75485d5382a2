"""Cox-MT beside its supervised part and its baselines."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
