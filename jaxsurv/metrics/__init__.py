"""How good is a risk: discrimination, prediction error, calibration, and their intervals."""

from jaxsurv.metrics.concordance import Concordance, concordance_index

__all__ = ["Concordance", "concordance_index"]
