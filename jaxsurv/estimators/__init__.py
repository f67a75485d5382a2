"""Scikit-learn faces over recipe, models and training."""

from jaxsurv.estimators._annotated import annotated
from jaxsurv.estimators.cause_specific import CauseSpecific
from jaxsurv.estimators.coxnet import Coxnet
from jaxsurv.estimators.ensemble import NetworkEstimator
from jaxsurv.estimators.explanation import Explanation
from jaxsurv.estimators.fitted_estimator import load
from jaxsurv.estimators.inva import InVA
from jaxsurv.estimators.model_selection import Scorer, SurvivalKFold, cross_validate
from jaxsurv.estimators.networks import HCL, CoxMT, CoxNnet, MORiskVAE, MyeVAE, Network
from jaxsurv.estimators.search import Search
from jaxsurv.estimators.stack import SurvivalStack
from jaxsurv.estimators.survival import SurvivalEstimator

__all__ = [
    "HCL",
    "CauseSpecific",
    "CoxMT",
    "CoxNnet",
    "Coxnet",
    "Explanation",
    "InVA",
    "MORiskVAE",
    "MyeVAE",
    "Network",
    "NetworkEstimator",
    "Scorer",
    "Search",
    "SurvivalEstimator",
    "SurvivalKFold",
    "SurvivalStack",
    "annotated",
    "cross_validate",
    "load",
]
