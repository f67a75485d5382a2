"""How strongly the KL term of a survival VAE should weigh."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
