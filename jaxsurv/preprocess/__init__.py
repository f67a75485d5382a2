"""From a cohort's tables to standardised arrays; everything estimated is fitted on training rows."""

from jaxsurv.preprocess.encode import Encoded, encode
from jaxsurv.preprocess.project import fit_projection
from jaxsurv.preprocess.scale import Features, Scaler, fit_scaler, prepare, transform

__all__ = [
    "Encoded",
    "Features",
    "Scaler",
    "encode",
    "fit_projection",
    "fit_scaler",
    "prepare",
    "transform",
]
