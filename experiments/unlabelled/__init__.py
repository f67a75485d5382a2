"""Gain of Cox-MT from patients without an outcome."""

from experiments.unlabelled.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
