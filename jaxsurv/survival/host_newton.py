"""Newton's method for a linear Cox model on the host; `jaxsurv.survival.cox_newton` is its traced twin."""

from typing import Any

import numpy as np

from jaxsurv.survival.cox_moments import CoxMoments
from jaxsurv.survival.cox_newton import LEAST_STEP, MAX_STEPS
from jaxsurv.survival.host_cox import LINEAR, HostCox, host_cox
from jaxsurv.survival.risk_sets import RiskSets

_TOLERANCE = 1e-12
_MOST = 2**24  # numbers in x


def host_moments(coef: Any, x: Any, cox: HostCox) -> CoxMoments | None:
    """Value and derivatives of the log likelihood, see `cox_moments.moments`; None beyond plain numbers."""
    rs, log_hazard = cox.risk_sets, x @ coef
    found = cox.means(log_hazard, x)
    if found is None:
        return None
    mean, expected = found.mean, found.expected
    return CoxMoments(
        cox.log_likelihood(log_hazard),
        x.T @ (rs.event_weight - expected),
        x.T @ (expected[:, None] * x) - mean.T @ (rs.mean_weight[:, None] * mean),
    )


def host_score_residuals(coef: Any, x: Any, cox: HostCox) -> Any:
    """Contributions ``[n, p]`` of the rows to the score, see `cox_moments.score_residuals`."""
    rs, found = cox.risk_sets, cox.means(x @ coef, x)
    if found is None:
        return None
    pulled = cox.pulled(LINEAR, found.denominator[:, None], rs.mean_weight[:, None] * found.mean)
    happened = rs.event_weight > 0
    _, group, count = np.unique(rs.start[happened], return_inverse=True, return_counts=True)
    tied = np.zeros((count.size, x.shape[1]))
    np.add.at(tied, group, found.mean[happened])
    residuals = found.hazard[:, None] * pulled - found.expected[:, None] * x
    from_mean = x[happened] - tied[group] / count[group, None]
    residuals[happened] += rs.event_weight[happened, None] * from_mean
    return residuals


def host_fit(
    x: Any, risk_sets: RiskSets, cluster: Any, penalty: Any, ties: str
) -> tuple[dict[str, Any], Any] | None:
    """Fields of a `CoxFit` but the baseline, with statistics for tests, and what `linear_cox` warns from.

    Args:
        x: ``[n, p]``, centred columns of moderate size.
        risk_sets: outcome.
        cluster: ``[n]`` integers from 0, or None.
        penalty: ``[p]``; with p > n all are equal.
        ties: treatment of tied events.

    Returns:
        None where `host_cox` is, and if the log hazards spread beyond plain numbers.
    """
    cox = host_cox(risk_sets, ties, x, cluster, penalty)
    if cox is None or x.size > _MOST:
        return None
    x, penalty = cox.to_positions(x), np.asarray(penalty, float)
    (n, p), wide = x.shape, x.shape[1] > x.shape[0]
    z, l2 = x, penalty
    if wide:  # in the space of the rows
        gram, info = x @ x.T, np.finfo(float)
        jitter = np.trace(gram) / n * 8 * info.eps + info.tiny**0.5  # columns may all be zero
        z, l2 = np.linalg.cholesky(gram + np.eye(n) * jitter), np.full(n, penalty[0])

    def expand(b: Any) -> Any:
        """Coefficients ``[p, k]`` of x from coefficients ``[q, k]`` of z."""
        return x.T @ np.linalg.solve(z.T, b) if wide else b

    total = float(cox.risk_sets.total)
    null = host_moments(np.zeros(z.shape[1]), z, cox)
    found = None if null is None else _maximise(z, cox, l2, null)
    if null is None or found is None:
        return None
    b, end, steps, settled = found
    unit = np.eye(b.size)
    inverse = _solve(end.information, l2, unit, null, total)
    covariance = expand(expand(inverse).T)
    if wide:  # directions outside the span of the rows are only penalised
        covariance = covariance + (np.eye(p) - expand(expand(unit).T)) / penalty[0]
    residuals = host_score_residuals(b, z, cox)
    if cluster is not None:
        unit_of = cox.to_positions(cluster).astype(int)
        of_row, residuals = residuals, np.zeros((unit_of.max() + 1, b.size))
        np.add.at(residuals, unit_of, of_row)
    change = expand(inverse @ residuals.T)
    score_step = _solve(null.information, 0 * l2, null.score, null, total)
    fit = {
        "coef": expand(b[:, None])[:, 0],
        "covariance": covariance,
        "robust_covariance": change @ change.T,
        "log_likelihood": end.log_likelihood,
        "log_likelihood_null": null.log_likelihood,
        "likelihood_ratio": 2 * (end.log_likelihood - null.log_likelihood),
        "wald": b @ (end.information + np.diag(l2)) @ b,
        "score": null.score @ score_step,
        "steps": steps,
        "converged": settled,
    }
    next_step = _solve(end.information, l2, end.score - l2 * b, null, total)
    return fit, (null.information + np.diag(l2), next_step)


def _maximise(
    z: Any, cox: HostCox, penalty: Any, null: CoxMoments
) -> tuple[Any, CoxMoments, int, bool] | None:
    """Coefficients, moments there, number of steps, and whether the last step was negligible."""
    coef, now, settled, steps = np.zeros(z.shape[1]), null, False, 0
    rs = cox.risk_sets
    total = float(rs.total)
    one = total / max(np.count_nonzero(rs.event_weight), 1)  # an event, in the unit of the weights

    def value(coef: Any) -> float:
        return cox.log_likelihood(z @ coef) - np.sum(penalty * coef**2) / 2

    while not settled and steps < MAX_STEPS:
        here = now.log_likelihood - np.sum(penalty * coef**2) / 2
        score = now.score - penalty * coef
        step = _solve(now.information, penalty, score, null, total)
        slack, size = _TOLERANCE * (one + abs(here)), 1.0
        settled = bool(score @ step <= 2 * slack)  # there rounding hides which size is better
        if not settled:
            # Halve the step while that is better: far from the maximum a full step falls or overshoots.
            reached, by_half = value(coef + step), value(coef + step / 2)
            while size > LEAST_STEP and (reached < here - slack or reached + slack < by_half):
                size, reached = size / 2, by_half
                by_half = value(coef + size / 2 * step)
        coef, steps = coef + size * step, steps + 1
        there = host_moments(coef, z, cox)
        if there is None:
            return None
        now = there
    return coef, now, steps, settled


def _solve(information: Any, penalty: Any, score: Any, null: CoxMoments, total: float) -> Any:
    """Multiply by the inverse of the penalised information, see `cox_newton.solve_information`."""
    # nothing beside the information at zero, or beside one unit of variance per event
    most = max(np.diagonal(null.information).max(initial=0), total)
    tiny = 64 * np.finfo(float).eps * most + np.finfo(float).tiny
    return np.linalg.solve(information + np.diag(penalty + tiny), score)
