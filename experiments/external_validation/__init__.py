"""Frozen models judged on other cohorts."""

from .command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
