"""Frozen models judged on other cohorts: discrimination, calibration, prediction error."""
