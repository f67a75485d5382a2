"""KL, MMD and HSIC at matched effective scale."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
