"""Likelihoods and fits of known values in NumPy's float64: eager calls of any size compile nothing.

The formulas are those of the modules of the same names one folder up, which ``jit`` traces.
"""
