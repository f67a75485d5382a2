"""Scikit-learn faces over models and training."""

from jaxsurv.estimators.coxnet import Coxnet
from jaxsurv.estimators.ensemble import NetworkEstimator
from jaxsurv.estimators.explain import Explanation
from jaxsurv.estimators.inva import InVA
from jaxsurv.estimators.networks import HCL, CoxMT, CoxNnet, MORiskVAE, MyeVAE
from jaxsurv.estimators.saved import load
from jaxsurv.estimators.search import Search
from jaxsurv.estimators.survival import SurvivalEstimator

__all__ = [
    "HCL",
    "CoxMT",
    "CoxNnet",
    "Coxnet",
    "Explanation",
    "InVA",
    "MORiskVAE",
    "MyeVAE",
    "NetworkEstimator",
    "Search",
    "SurvivalEstimator",
    "load",
]
