"""Value of other cohorts to one: pooled training, transfer, and no patients of one's own."""

from experiments.many_cohorts.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
