"""Versions of the numbers that this package computes, so that results know when they are out of date."""

# Raised by hand, by one, when a change moves the numbers of that part beyond rounding.
# tests/artifacts/test_numerics.py fails until it is done, and docs/check.py then names the results to redo.
NUMERICS = {
    "random": 1,  # draws, folds, simulated cohorts
    "survival": 1,  # Cox models, baseline hazards, Kaplan-Meier
    "coxnet": 1,  # elastic-net paths
    "factors": 1,  # linear factors, their ranks, their scores
    "statistics": 1,  # concordance, Brier scores, intervals and tests of scores
    "recipe": 1,  # preparation of a cohort, Cox members and offset
    "heads": 2,  # outcome heads other than Cox's
    # models, each with its training
    "CoxMT": 1,
    "CoxNnet": 1,
    "HCL": 1,
    "InVA": 1,
    "MORiskVAE": 1,
    "MyeVAE": 1,
    "SurvivalVAE": 1,
}
