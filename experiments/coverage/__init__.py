"""Whether intervals of cross-validated C and paired tests keep their promises."""

from experiments.coverage.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
