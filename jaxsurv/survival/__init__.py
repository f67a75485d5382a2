"""Censored-data statistics: the Cox partial likelihood and what is built on it."""

from jaxsurv.survival.partial_likelihood import neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets, restrict

__all__ = ["RiskSets", "neg_log_partial_likelihood", "prepare_risk_sets", "restrict"]
