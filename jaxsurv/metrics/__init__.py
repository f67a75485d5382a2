"""How good is a risk: discrimination, prediction error, calibration, and their intervals."""

from jaxsurv.metrics.antolini import concordance_td
from jaxsurv.metrics.concordance import Concordance, compare_concordance, concordance_index
from jaxsurv.metrics.hazard_ratio import HazardRatio, hazard_ratio
from jaxsurv.metrics.ipcw import concordance_index_ipcw

__all__ = [
    "Concordance",
    "HazardRatio",
    "compare_concordance",
    "concordance_index",
    "concordance_index_ipcw",
    "concordance_td",
    "hazard_ratio",
]
