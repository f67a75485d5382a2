"""How good is a risk: discrimination, prediction error, calibration, and their intervals."""

from jaxsurv.metrics.concordance import Concordance, concordance_index
from jaxsurv.metrics.hazard_ratio import HazardRatio, hazard_ratio

__all__ = ["Concordance", "HazardRatio", "concordance_index", "hazard_ratio"]
