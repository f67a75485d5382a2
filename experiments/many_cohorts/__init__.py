"""Value of other cohorts to one: pooled training, transfer, and no patients of one's own."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
