"""Whether intervals of cross-validated C and paired tests keep their promises."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
