"""Ridge Cox models at several penalties, each started from the last."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from jaxsurv.survival.host.cox import host_cox
from jaxsurv.survival.host.newton import host_iterate, host_maximise
from jaxsurv.survival.linear_cox import cox_fit
from jaxsurv.survival.risk_sets import RiskSets


class RidgePath(NamedTuple):
    """Attributes:
    coef: ``[k, p]``, coefficients at each penalty.
    log_likelihood: ``[k]``, log likelihood there, without the penalty.
    """

    coef: np.ndarray
    log_likelihood: np.ndarray


def ridge_path(x: np.ndarray, risk_sets: RiskSets, penalties: Sequence[float]) -> RidgePath:
    """Coefficients of `cox_fit` at each ``l2``, without its statistics.

    Args:
        x: ``[n, p]``, known, finite, columns of moderate size.
        risk_sets: known outcome with at least one event.
        penalties: ``[k]``, > 0.

    Warns:
        ConvergenceWarning: see `cox_fit`.
    """
    found = _on_host(x, risk_sets, penalties)
    if found is None:  # many rows, or log hazards beyond plain numbers
        fits = [cox_fit(x, risk_sets=risk_sets, l2=l2) for l2 in penalties]
        found = RidgePath(
            np.stack([np.asarray(f.coef) for f in fits]),
            np.stack([np.asarray(f.log_likelihood) for f in fits]),
        )
    return found


def _on_host(x: np.ndarray, risk_sets: RiskSets, penalties: Sequence[float]) -> RidgePath | None:
    cox = host_cox(risk_sets, "efron", x)
    if cox is None:
        return None
    z, order = cox.to_positions(x), np.argsort(penalties)[::-1]
    now = host_iterate(np.zeros(z.shape[1]), z, cox)
    coef, value = np.zeros((len(order), z.shape[1])), np.zeros(len(order))
    for k in order:  # the strongest first: its coefficients are nearest to zero
        found = now and host_maximise(z, cox, np.full(z.shape[1], penalties[k]), now, 0.0)
        if found is None or not found[2]:  # `cox_fit` says what did not converge
            return None
        now = found[0]
        coef[k], value[k] = now.coef, now.moments.log_likelihood
    return RidgePath(coef, value)
