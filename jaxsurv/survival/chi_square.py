"""Upper tail of the chi-square distribution, for p-values."""

from typing import Any

import jax
import numpy as np

from jaxsurv.survival.validation import array_module


def chi_square_tail(statistic: Any, freedom: Any) -> Any:
    """Probability of a statistic at least as large, by degrees of freedom > 0; NumPy's if they are known."""
    if array_module(statistic, freedom) is np:
        from scipy import special  # not needed by those who train with the losses
    else:
        special = jax.scipy.special
    return special.gammaincc(freedom / 2, statistic / 2)
