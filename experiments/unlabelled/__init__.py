"""Gain of Cox-MT from patients without an outcome."""
