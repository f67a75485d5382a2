"""Gain of Cox-MT from patients without an outcome."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
