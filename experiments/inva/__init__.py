"""InVA: one image predicted from other images."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
