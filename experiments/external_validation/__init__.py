"""Frozen models judged on other cohorts."""

from experiments.external_validation.command import PRESETS, main, run

__all__ = ["PRESETS", "main", "run"]
