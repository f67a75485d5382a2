"""Scikit-learn faces over models and training."""

from jaxsurv.estimators.coxnet import Coxnet
from jaxsurv.estimators.inva import InVA
from jaxsurv.estimators.networks import HCL, CoxMT, CoxNnet, MORiskVAE, MyeVAE, NetworkEstimator
from jaxsurv.estimators.survival import SurvivalEstimator

__all__ = [
    "HCL",
    "CoxMT",
    "CoxNnet",
    "Coxnet",
    "InVA",
    "MORiskVAE",
    "MyeVAE",
    "NetworkEstimator",
    "SurvivalEstimator",
]
