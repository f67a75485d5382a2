"""Quality of predictions: discrimination, prediction error, calibration, and prediction intervals."""

from jaxsurv.metrics._bootstrap import Bootstrap, bootstrap
from jaxsurv.metrics._calibration_curve import (
    CalibrationCurve,
    CalibrationGroups,
    Recalibration,
    calibration_curve,
    recalibration,
)
from jaxsurv.metrics._hazard_ratio import HazardRatio, hazard_ratio
from jaxsurv.metrics._net_benefit import NetBenefit, NetBenefitDifference, net_benefit
from jaxsurv.metrics._prediction_interval import (
    IntervalCalibration,
    IntervalScale,
    Predictive,
    calibrate_intervals,
    calibrated_scale,
    conformal_scale,
    prediction_interval,
    predictive,
)
from jaxsurv.metrics.alignment import LatentAlignment, latent_alignment
from jaxsurv.metrics.antolini import concordance_td
from jaxsurv.metrics.calibration import (
    CalibrationSlope,
    DCalibration,
    ObservedExpected,
    calibration_slope,
    d_calibration,
    observed_expected,
)
from jaxsurv.metrics.calibration_index import CalibrationIndex, integrated_calibration_index
from jaxsurv.metrics.competing import (
    brier_score_competing,
    concordance_index_competing,
    cumulative_dynamic_auc_competing,
    integrated_brier_score_competing,
)
from jaxsurv.metrics.concordance import (
    ConcordanceDifference,
    compare_concordance,
    concordance_index,
)
from jaxsurv.metrics.conformal import conformal_lower_bound, follow_up_cutoff
from jaxsurv.metrics.dynamic_auc import DynamicAUC, cumulative_dynamic_auc
from jaxsurv.metrics.ipcw import concordance_index_ipcw
from jaxsurv.metrics.prediction_error import brier_score, integrated_brier_score
from jaxsurv.survival.concordance import Concordance
from jaxsurv.survival.landmarks import Landmark, landmark

__all__ = [
    "Bootstrap",
    "CalibrationCurve",
    "CalibrationGroups",
    "CalibrationIndex",
    "CalibrationSlope",
    "Concordance",
    "ConcordanceDifference",
    "DCalibration",
    "DynamicAUC",
    "HazardRatio",
    "IntervalCalibration",
    "IntervalScale",
    "Landmark",
    "LatentAlignment",
    "NetBenefit",
    "NetBenefitDifference",
    "ObservedExpected",
    "Predictive",
    "Recalibration",
    "bootstrap",
    "brier_score",
    "brier_score_competing",
    "calibrate_intervals",
    "calibrated_scale",
    "calibration_curve",
    "calibration_slope",
    "compare_concordance",
    "concordance_index",
    "concordance_index_competing",
    "concordance_index_ipcw",
    "concordance_td",
    "conformal_lower_bound",
    "conformal_scale",
    "cumulative_dynamic_auc",
    "cumulative_dynamic_auc_competing",
    "d_calibration",
    "follow_up_cutoff",
    "hazard_ratio",
    "integrated_brier_score",
    "integrated_brier_score_competing",
    "integrated_calibration_index",
    "landmark",
    "latent_alignment",
    "net_benefit",
    "observed_expected",
    "prediction_interval",
    "predictive",
    "recalibration",
]
