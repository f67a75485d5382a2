"""Statistics of censored data: the Cox partial likelihood, Cox models, survival curves and tests."""

from jaxsurv.survival._cox_fit import CoxFit
from jaxsurv.survival._coxnet_cv import CoxnetCV, coxnet_cv
from jaxsurv.survival._coxnet_path import CoxnetPath
from jaxsurv.survival._fine_gray import fine_gray
from jaxsurv.survival._gray_test import gray_test
from jaxsurv.survival._kaplan_meier import (
    KaplanMeier,
    NelsonAalen,
    kaplan_meier,
    nelson_aalen,
    restricted_mean,
)
from jaxsurv.survival._proportional_hazards import ProportionalHazards, proportional_hazards_test
from jaxsurv.survival.baseline import (
    StepFunction,
    breslow_baseline,
    deviance_residuals,
    martingale_residuals,
    survival_function,
)
from jaxsurv.survival.censoring import CensoringCurve, censoring_curve
from jaxsurv.survival.competing_risks import (
    CumulativeIncidence,
    aalen_johansen,
    incidence_from_hazards,
)
from jaxsurv.survival.coxnet import coxnet_path
from jaxsurv.survival.discrete_curves import (
    logistic_hazard_incidence,
    logistic_hazard_survival,
    pmf_incidence,
    pmf_survival,
)
from jaxsurv.survival.discrete_losses import logistic_hazard_loss, pmf_loss
from jaxsurv.survival.discrete_time import DiscreteOutcome, discretise, event_quantile_grid
from jaxsurv.survival.groups import (
    RestrictedMeanDifference,
    group_summary,
    pairwise_logrank,
    restricted_mean_difference,
)
from jaxsurv.survival.linear_cox import (
    CollinearityWarning,
    MonotoneLikelihoodWarning,
    cox_fit,
)
from jaxsurv.survival.logrank import LogRank, logrank_test
from jaxsurv.survival.parametric import (
    log_normal_loss,
    log_normal_survival,
    weibull_loss,
    weibull_survival,
)
from jaxsurv.survival.partial_likelihood import neg_log_partial_likelihood
from jaxsurv.survival.risk_sets import RiskSets, prepare_risk_sets, restrict, subset
from jaxsurv.survival.schoenfeld import SchoenfeldResiduals, dfbeta, schoenfeld_residuals
from jaxsurv.survival.sharded import (
    ShardedRiskSets,
    shard_risk_sets,
    sharded_neg_log_partial_likelihood,
)
from jaxsurv.types import ConvergenceWarning

__all__ = [
    "CensoringCurve",
    "CollinearityWarning",
    "ConvergenceWarning",
    "CoxFit",
    "CoxnetCV",
    "CoxnetPath",
    "CumulativeIncidence",
    "DiscreteOutcome",
    "KaplanMeier",
    "LogRank",
    "MonotoneLikelihoodWarning",
    "NelsonAalen",
    "ProportionalHazards",
    "RestrictedMeanDifference",
    "RiskSets",
    "SchoenfeldResiduals",
    "ShardedRiskSets",
    "StepFunction",
    "aalen_johansen",
    "breslow_baseline",
    "censoring_curve",
    "cox_fit",
    "coxnet_cv",
    "coxnet_path",
    "deviance_residuals",
    "dfbeta",
    "discretise",
    "event_quantile_grid",
    "fine_gray",
    "gray_test",
    "group_summary",
    "incidence_from_hazards",
    "kaplan_meier",
    "log_normal_loss",
    "log_normal_survival",
    "logistic_hazard_incidence",
    "logistic_hazard_loss",
    "logistic_hazard_survival",
    "logrank_test",
    "martingale_residuals",
    "neg_log_partial_likelihood",
    "nelson_aalen",
    "pairwise_logrank",
    "pmf_incidence",
    "pmf_loss",
    "pmf_survival",
    "prepare_risk_sets",
    "proportional_hazards_test",
    "restrict",
    "restricted_mean",
    "restricted_mean_difference",
    "schoenfeld_residuals",
    "shard_risk_sets",
    "sharded_neg_log_partial_likelihood",
    "subset",
    "survival_function",
    "weibull_loss",
    "weibull_survival",
]
