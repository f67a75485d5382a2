"""Models beside what others have published, on the split that they published."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
