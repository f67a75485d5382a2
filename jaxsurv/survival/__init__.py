"""Censored-data statistics: the Cox partial likelihood and what is built on it."""

from jaxsurv.survival.kaplan_meier import (
    KaplanMeier,
    NelsonAalen,
    kaplan_meier,
    nelson_aalen,
    restricted_mean,
)
from jaxsurv.survival.linear_cox import CoxFit, cox_fit
from jaxsurv.survival.logrank import LogRank, logrank_test
from jaxsurv.survival.partial_likelihood import neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets, restrict

__all__ = [
    "CoxFit",
    "KaplanMeier",
    "LogRank",
    "NelsonAalen",
    "RiskSets",
    "cox_fit",
    "kaplan_meier",
    "logrank_test",
    "neg_log_partial_likelihood",
    "nelson_aalen",
    "prepare_risk_sets",
    "restrict",
    "restricted_mean",
]
