"""Newton's method for a linear Cox model on the host; `jaxsurv.survival.cox_newton` is its traced twin."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.survival.cox_moments import CoxMoments
from jaxsurv.survival.cox_newton import LEAST_STEP, MAX_STEPS
from jaxsurv.survival.host.cox import LINEAR, HostCox, RiskSetMeans

_TOLERANCE = 1e-12


class Iterate(NamedTuple):
    """Coefficients with the means of the risk sets and the derivatives of the log likelihood there."""

    coef: Any
    means: RiskSetMeans
    moments: CoxMoments


def host_iterate(coef: Any, x: Any, cox: HostCox) -> Iterate | None:
    """The derivatives are those of `cox_moments.moments`; None beyond plain numbers."""
    rs, found = cox.risk_sets, cox.means(x @ coef, x)
    if found is None:
        return None
    mean, expected = found.mean, found.expected
    moments = CoxMoments(
        found.log_likelihood,
        x.T @ (rs.event_weight - expected),
        x.T @ (expected[:, None] * x) - mean.T @ (cox.mean_weight[:, None] * mean),
    )
    return Iterate(coef, found, moments)


def score_residuals(found: RiskSetMeans, x: Any, cox: HostCox) -> Any:
    """Contributions ``[n, p]`` of the rows to the score, see `cox_moments.score_residuals`."""
    rs, events = cox.risk_sets, cox.events
    pulled = cox.pulled(LINEAR, found.denominator[:, None], cox.mean_weight[:, None] * found.mean)
    _, group, count = np.unique(rs.start[events], return_inverse=True, return_counts=True)
    tied = np.zeros((count.size, x.shape[1]))
    np.add.at(tied, group, found.mean)
    residuals = found.hazard[:, None] * pulled - found.expected[:, None] * x
    from_mean = x[events] - tied[group] / count[group, None]
    residuals[events] += rs.event_weight[events, None] * from_mean
    return residuals


def host_fit(x: Any, cox: HostCox, cluster: Any, penalty: Any) -> tuple[dict[str, Any], Any] | None:
    """Fields of a `CoxFit` but the baseline, with statistics for tests, and what `linear_cox` warns from.

    Args:
        x: ``[n, p]``, centred columns of moderate size.
        cox: likelihood of the outcome.
        cluster: ``[n]`` integers from 0, or None.
        penalty: ``[p]``; with p > n all are equal.

    Returns:
        None if the log hazards spread beyond plain numbers.
    """
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

    start = host_iterate(np.zeros(z.shape[1]), z, cox)
    if start is None:
        return None
    # nothing beside the information at zero, or beside one unit of variance per event
    null = start.moments
    most = max(np.diagonal(null.information).max(initial=0), float(cox.risk_sets.total))
    least = 64 * np.finfo(float).eps * most + np.finfo(float).tiny
    found = host_maximise(z, cox, l2, start, least)
    if found is None:
        return None
    (b, means, end), steps, settled = found
    unit = np.eye(b.size)
    inverse = _solve(end.information, l2, unit, least)
    covariance = expand(expand(inverse).T)
    if wide:  # directions outside the span of the rows are only penalised
        covariance = covariance + (np.eye(p) - expand(expand(unit).T)) / penalty[0]
    residuals = score_residuals(means, z, cox)
    if cluster is not None:
        unit_of = cox.to_positions(cluster).astype(int)
        of_row, residuals = residuals, np.zeros((unit_of.max() + 1, b.size))
        np.add.at(residuals, unit_of, of_row)
    change = expand(inverse @ residuals.T)
    score_step = _solve(null.information, 0 * l2, null.score, least)
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
    next_step = _solve(end.information, l2, end.score - l2 * b, least)
    return fit, (null.information + np.diag(l2), next_step)


def host_maximise(
    z: Any, cox: HostCox, penalty: Any, start: Iterate, least: float
) -> tuple[Iterate, int, bool] | None:
    """The maximum, number of steps, and whether the last step was negligible."""
    now, settled, steps = start, False, 0
    # an event, in the unit of the weights
    one = float(cox.risk_sets.total) / max(len(cox.events), 1)

    def value(coef: Any) -> float:
        return cox.log_likelihood(z @ coef) - np.sum(penalty * coef**2) / 2

    while not settled and steps < MAX_STEPS:
        coef, moments = now.coef, now.moments
        here = moments.log_likelihood - np.sum(penalty * coef**2) / 2
        score = moments.score - penalty * coef
        step = _solve(moments.information, penalty, score, least)
        slack, size = _TOLERANCE * (one + abs(here)), 1.0
        settled = bool(score @ step <= 2 * slack)  # there rounding hides which size is better
        if not settled:
            # Halve the step while that is better: far from the maximum a full step falls or overshoots.
            reached, by_half = value(coef + step), value(coef + step / 2)
            while size > LEAST_STEP and (reached < here - slack or reached + slack < by_half):
                size, reached = size / 2, by_half
                by_half = value(coef + size / 2 * step)
        there, steps = host_iterate(coef + size * step, z, cox), steps + 1
        if there is None:
            return None
        now = there
    return now, steps, settled


def _solve(information: Any, penalty: Any, score: Any, least: float) -> Any:
    """Multiply by the inverse of the penalised information, see `cox_newton.solve_information`.

    Args:
        least: information that counts as none.
    """
    return np.linalg.solve(information + np.diag(penalty + least), score)
