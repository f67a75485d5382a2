"""Scikit-learn faces over models and training."""

from jaxsurv.estimators.inva import InVA

__all__ = ["InVA"]
