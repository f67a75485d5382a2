"""KL, MMD and HSIC at matched effective scale."""

from experiments.regularizers.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
