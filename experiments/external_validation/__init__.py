"""Frozen models judged on other cohorts."""
