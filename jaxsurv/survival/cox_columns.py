"""Covariates of a Cox model, centred and scaled in float64, and results in the units as given."""

from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.columns import as_real
from jaxsurv.survival.baseline import StepFunction
from jaxsurv.survival.partial_likelihood import rows_there
from jaxsurv.survival.risk_sets import RiskSets
from jaxsurv.survival.validation import array_module, is_concrete
from jaxsurv.types import Array


class ScaledColumns(NamedTuple):
    """Covariates of moderate size.

    Attributes:
        x: ``[n, p]``, ``(given - centre) / scale``, in the precision of the fit.
        centre, scale: ``[p]``; NumPy's float64 if the covariates are known.
    """

    x: Array
    centre: Any
    scale: Any

    def in_given_units(self, fit: dict[str, Any], baseline: StepFunction) -> dict[str, Any]:
        """Fit and baseline of the covariates as they were given; float64 if the values are known."""
        xp = array_module(self.scale, fit["coef"])
        coef, covariance, robust = (
            xp.asarray(fit[name], float if xp is np else fit["coef"].dtype)
            for name in ("coef", "covariance", "robust_covariance")
        )
        coef, centre = coef / self.scale, xp.asarray(self.centre)
        each = xp.outer(self.scale, self.scale)
        log_values = baseline.log_values - centre @ coef
        with np.errstate(over="ignore"):
            baseline = baseline._replace(values=xp.exp(log_values), log_values=log_values)
        return fit | {
            "coef": coef,
            "covariance": covariance / each,
            "robust_covariance": robust / each,
            "baseline": baseline,
        }


def standardised_columns(x: Any, rs: RiskSets, l2: Any) -> ScaledColumns:
    """Centre and scale the columns: on the host in float64, if they are known.

    With p <= n each column has its own scale, which includes a known penalty, so that ``l2 / scale²``
    <= n. With p > n one scale serves all columns. Any constants would do: the coefficients of x do not
    depend on where the columns have their zero and unit, so these are not differentiated.
    """
    (n, p), known, dtype = x.shape, is_concrete(x), x.dtype
    xp, x = (np, x.astype(float)) if known else (jnp, as_real(x))
    rows = x if known else lax.stop_gradient(x)
    if known and (here := rows_there(rs)) is not None and here.any():
        rows = x[here]  # the others may hold any values
    centre = rows.mean(0, keepdims=True)
    size = xp.max(xp.abs(rows - centre), 0, keepdims=True, initial=0)
    # What the rounding of a constant leaves is no variation.
    constant = size <= 8 * np.finfo(float).eps * xp.abs(centre) if known else size == 0
    unit = xp.where(constant, 1, size)
    scale = unit * xp.sqrt(xp.mean(((rows - centre) / unit) ** 2, 0, keepdims=True))
    if p > n:
        most = xp.max(xp.where(constant, 0, size))
        most = xp.where(most > 0, most, 1)
        common = most * xp.sqrt(xp.mean(xp.where(constant, 0, scale / most) ** 2))
        scale = xp.full((1, p), xp.where(common > 0, common, 1))
    else:
        scale = xp.where(constant, 1, scale)
    if known and is_concrete(l2):
        scale = np.hypot(scale, np.sqrt(np.asarray(l2, float) / n))
    z = xp.where(constant, 0, (x - centre) / scale)
    z = z if known else jnp.asarray(z, as_real(np.zeros(0, dtype)).dtype)
    return ScaledColumns(z, centre[0], scale[0])
