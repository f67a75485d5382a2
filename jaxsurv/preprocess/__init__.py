"""Preprocessing: a cohort's tables to standardised arrays, with all estimates from training rows."""

from jaxsurv.preprocess._encode import Encoded, encode
from jaxsurv.preprocess.conditional_gaussian import (
    ConditionalGaussian,
    fit_gaussian,
    impute_gaussian,
)
from jaxsurv.preprocess.harmonise import harmonise_strata
from jaxsurv.preprocess.images import ImageScaler, fit_image_scaler
from jaxsurv.preprocess.imputation import Imputation, fit_imputation, impute_missing
from jaxsurv.preprocess.preprocessing import EncodedRows, Preprocessing, Standardised
from jaxsurv.preprocess.project import fit_projection
from jaxsurv.preprocess.rank_scores import normal_scores
from jaxsurv.preprocess.round_robin import RoundRobin, fit_round_robin, impute_round_robin
from jaxsurv.preprocess.scale import (
    Features,
    Scaler,
    fit_scaler,
    sort_columns,
    transform,
    two_valued,
)
from jaxsurv.preprocess.schema import Schema
from jaxsurv.preprocess.select import (
    drop_correlated,
    select_by_elastic_net,
    select_by_variance,
    top_variance,
)
from jaxsurv.preprocess.stability import Stability, selection_stability
from jaxsurv.preprocess.windows import time_windows

__all__ = [
    "ConditionalGaussian",
    "Encoded",
    "EncodedRows",
    "Features",
    "ImageScaler",
    "Imputation",
    "Preprocessing",
    "RoundRobin",
    "Scaler",
    "Schema",
    "Stability",
    "Standardised",
    "drop_correlated",
    "encode",
    "fit_gaussian",
    "fit_image_scaler",
    "fit_imputation",
    "fit_projection",
    "fit_round_robin",
    "fit_scaler",
    "harmonise_strata",
    "impute_gaussian",
    "impute_missing",
    "impute_round_robin",
    "normal_scores",
    "select_by_elastic_net",
    "select_by_variance",
    "selection_stability",
    "sort_columns",
    "time_windows",
    "top_variance",
    "transform",
    "two_valued",
]
