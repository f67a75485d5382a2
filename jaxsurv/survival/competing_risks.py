"""Cumulative incidence of competing causes."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.arguments.columns import first_rows
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.survival.causes import check_competing
from jaxsurv.survival.life_table import life_table, step_at
from jaxsurv.survival.ties import merge_near_ties
from jaxsurv.survival.validation import check_no_nan
from jaxsurv.types import Array, ArrayLike, InputError


class CumulativeIncidence(NamedTuple):
    """Cumulative incidence of each cause: right-continuous, 0 before the first time; NumPy's float64.

    Attributes:
        times: ``[m]``, ascending; event and censoring times.
        incidence: ``[m, causes]``, F_k(t) = P(T <= t, cause k) at and after each time.
        standard_error: ``[m, causes]``, infinitesimal-jackknife standard error of F_k(t).
        event_free: ``[m]``, S(t) = 1 - Σ_k F_k(t).
        lower, upper: ``[m, causes]``, 95 % confidence limits, symmetric for log(-log F); F where the
            standard error is 0.
    """

    times: Array
    incidence: Array
    standard_error: Array
    event_free: Array
    lower: Array
    upper: Array

    @read_arguments
    def __call__(self, times: ArrayLike) -> Array:
        """F(t) ``[..., causes]`` at each of ``times [...]``."""
        check_no_nan(times)
        return step_at(times, self.times, self.incidence, initial=0.0)


@read_arguments
def aalen_johansen(
    code: ArrayLike,
    time: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> CumulativeIncidence:
    """Aalen-Johansen estimate of the probability of each cause, F_k(t) = Σ_{t_j <= t} S(t_j-) d_kj / n_j.

    S is the Kaplan-Meier curve of any cause. ``1 - kaplan_meier(code == k, time)`` is larger than F_k: it
    treats a patient who died of another cause as if the event k could still come. Equals R's
    ``survfit(Surv(time, factor(code)) ~ 1)``, standard errors included; its limits are on another scale by
    default. Runs on the host: not inside ``jit``.

    Args:
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause of the event. A patient censored at t is at risk
            at t.
        time: ``[n]``, >= 0, any unit.
        entry: ``[n]``, delayed entry: the patient is at risk in ``(entry, time]``.
        weights: ``[n]``, case weights.
        where: ``[n]`` booleans, False for patients that are not there.

    Raises:
        InputError: codes that are not 0, 1, ..., K, each with an event; see `check_survival`.

    Reference: Aalen and Johansen, Scand. J. Stat. 5 (1978) 141; Therneau and Grambsch (2000), section 2.

    >>> curve = aalen_johansen(np.array([1, 2, 0, 1]), np.array([1.0, 2.0, 3.0, 4.0]))
    >>> curve(np.array([0.5, 2.0, 4.0])).tolist()
    [[0.0, 0.0], [0.25, 0.25], [0.75, 0.25]]
    """
    codes, here, causes = check_competing(code, time, entry=entry, weights=weights, where=where)
    time, entry = merge_near_ties(time, entry, here)
    codes, time = codes[here], np.asarray(time)[here]
    entry = None if entry is None else np.asarray(entry)[here]
    weight = np.ones(time.size) if weights is None else np.asarray(weights, float)[here]
    table = life_table(codes > 0, time, entry=entry, weights=weight)
    times, at_risk, last = table.times, table.at_risk, table.times.size
    leaves = np.searchsorted(times, time)
    enters = np.zeros(time.size, int)
    if entry is not None:
        enters = np.searchsorted(times, entry, side="right")
    each = range(1, causes + 1)
    failed = np.stack([np.bincount(leaves, weight * (codes == k), last) for k in each], 1)
    rounding = 64 * np.finfo(float).eps * at_risk
    left = at_risk - failed.sum(1)
    left = np.where(left > rounding, left, 0)
    event_free = np.cumprod(left / at_risk)
    before = np.append(1, event_free[:-1])
    steps = before[:, None] * failed / at_risk[:, None]
    incidence = np.cumsum(steps, 0)
    rows = codes, enters, leaves, weight
    error = _standard_error(rows, at_risk, left, before, steps, incidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_f = np.log(incidence)
        spread = np.exp(Z95 * error / (incidence * np.abs(log_f)))
        sure = (error == 0) | (log_f >= 0)
        lower, upper = (np.where(sure, incidence, np.exp(log_f * f)) for f in (spread, 1 / spread))
    return CumulativeIncidence(times, incidence, error, event_free, lower, upper)


@read_arguments
def incidence_from_hazards(cumulative_hazard: ArrayLike) -> np.ndarray:
    """Cumulative incidences ``[n, causes, t]`` from the cumulative hazards of cause-specific models::

        F_k(t_j) = Σ_{i <= j} S(t_{i-1}) (1 - exp(-dH(t_i))) dH_k(t_i) / dH(t_i),   S(t) = exp(-H(t))

    with H the sum of the causes' H_k, so that S + Σ_k F_k = 1. A patient has to be free of *all* causes to
    have one: ``1 - exp(-H_k)``, the curve of one model alone, is larger than F_k. Equals R's
    ``survfit`` of a multi-state ``coxph``. Runs on the host: not inside ``jit``.

    Args:
        cumulative_hazard: ``[n, causes, t]``, H_k(t | x) at ascending times, from time 0 on all times at
            which one of them rises: of Cox models all event times of all causes.

    Raises:
        InputError: another shape; hazards that are missing, negative or that fall.

    Reference: Benichou and Gail, Biometrics 46 (1990) 813; Putter, Fiocco and Geskus, Stat. Med. 26 (2007)
    2389.

    >>> hazards = np.array([[[0.1, 0.1, 0.3], [0.0, 0.2, 0.2]]])  # one patient, two causes, three times
    >>> incidence_from_hazards(hazards)[0].round(4).tolist()
    [[0.0952, 0.0952, 0.2295], [0.0, 0.164, 0.164]]
    """
    hazard = np.asarray(cumulative_hazard, float)
    if hazard.ndim != 3 or not hazard.shape[1]:
        raise InputError(
            f"cumulative_hazard must have shape [n, causes, t], got {list(hazard.shape)}"
        )
    # what is above the logarithm of the largest number is certainty
    hazard = np.minimum(hazard, -np.log(np.finfo(float).tiny))
    step = np.diff(hazard, prepend=0, axis=2)
    if not (bad := ~(step >= -1e-6 * np.maximum(hazard, 1))).any():
        step = np.maximum(step, 0)
    else:
        raise InputError(
            "cumulative_hazard must be >= 0 and not fall from one time to the next; missing, negative or "
            f"falling in {first_rows(bad.any(axis=(1, 2)))}"
        )
    total = step.sum(axis=1, keepdims=True)
    before = np.exp(-(np.cumsum(total, axis=2) - total))
    share = step / np.where(total > 0, total, 1)
    return np.cumsum(before * -np.expm1(-total) * share, axis=2)


def _standard_error(
    rows: tuple[Any, ...], at_risk: Any, left: Any, before: Any, steps: Any, incidence: Any
) -> np.ndarray:
    """Root of the sum over rows of (w ∂F_k(t) / ∂w)², ``[m, causes]``, in O(n).

    While a row is at risk its derivative is drift_k(t) - seen F_k(t) + start, and after it has left,
    slope F_k(t) + end, with constants of the row. So the sum of squares is a quadratic form in
    (drift_k, F_k, 1), whose coefficients are cumulative sums over the rows that entered and left.
    """
    codes, enters, leaves, weight = rows
    m, causes = steps.shape
    with np.errstate(divide="ignore"):
        inverse = np.where(
            left > 0, 1 / left, 0
        )  # where nobody is left S is 0, whatever the weights
    # derivative of log S for a row at risk without an event, up to and including each time
    change = np.cumsum((at_risk - left) / at_risk * inverse)
    earlier = np.append(0, change[:-1])[:, None]
    drift = np.cumsum((earlier - 1 / at_risk[:, None]) * steps, 0)
    seen = np.append(0, change)[enters]
    slope = change[leaves] - seen - (codes > 0) * inverse[leaves]
    variance = np.empty((m, causes))
    for k in range(causes):
        f, d = incidence[:, k], drift[:, k]
        start = seen * np.append(0, f)[enters] - np.append(0, d)[enters]
        own = (codes == k + 1) * (before / at_risk)[leaves]
        end = d[leaves] - seen * f[leaves] + start + own - slope * f[leaves]
        inside = weight * np.stack([np.ones_like(seen), -seen, start])
        outside = weight * np.stack([np.zeros_like(seen), slope, end])
        at = np.stack([d, f, np.ones(m)])
        total = np.zeros(m)
        for i in range(3):
            for j in range(3):
                entered, stayed = inside[i] * inside[j], outside[i] * outside[j]
                added = np.bincount(enters, entered, m) + np.bincount(leaves, stayed - entered, m)
                total += np.cumsum(added) * at[i] * at[j]
        variance[:, k] = total
    return np.sqrt(np.maximum(variance, 0))
