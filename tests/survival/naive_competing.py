"""Competing risks from their definitions, by loops over times and dense matrices."""

import numpy as np


def incidence(code, time, causes, at, weight, entry=None):
    """Aalen-Johansen F ``[t, causes]`` just after each of ``at``; weights may be complex."""
    entry = np.full(time.shape, -1.0) if entry is None else entry
    alive, total, rows = 1.0, np.zeros(causes, np.result_type(weight)), []
    for t in np.unique(time):
        at_risk = weight[(entry < t) & (time >= t)].sum()
        steps = [weight[(time == t) & (code == k + 1)].sum() / at_risk for k in range(causes)]
        total = total + alive * np.array(steps)
        alive = alive * (1 - sum(steps))
        rows.append((t, total))
    return np.array([([0 * total] + [f for t, f in rows if t <= query])[-1] for query in at])


def jackknife_error(code, time, causes, at, weight, entry=None):
    """Root of Σ (w ∂F / ∂w)², by complex steps, which are exact."""
    squares = 0
    for i in range(time.size):
        nudged = weight.astype(complex)
        nudged[i] += 1e-20j
        change = incidence(code, time, causes, at, nudged, entry).imag / 1e-20
        squares = squares + (weight[i] * change) ** 2
    return np.sqrt(squares)


def censored_by(code, time, weight, t):
    """G(t-): events come before censorings at one time."""
    g = 1.0
    for s in np.unique(time[time < t]):
        at_risk = weight[(time > s) | ((time == s) & (code == 0))].sum()
        gone = weight[(time == s) & (code == 0)].sum()
        g *= 1 - gone / at_risk if gone else 1
    return g


def risk_set_weights(code, time, cause, weight, stratum):
    """Weight ``[d, n]`` of each row in the subdistribution risk set of each event of the cause."""
    events, n = np.flatnonzero(code == cause), time.size
    matrix = np.zeros((events.size, n))
    for d, i in enumerate(events):
        for j in range(n):
            own = stratum == stratum[j]
            if time[j] >= time[i]:
                matrix[d, j] = 1
            elif code[j] not in (0, cause):
                arguments = code[own], time[own], weight[own]
                matrix[d, j] = censored_by(*arguments, time[i]) / censored_by(*arguments, time[j])
    return matrix


def fine_gray(coef, x, code, time, cause, weight, stratum, cluster):
    """Log likelihood, score, information, robust covariance and baseline steps, at ``coef``."""
    events = np.flatnonzero(code == cause)
    matrix = risk_set_weights(code, time, cause, weight, stratum) * weight
    hazard = matrix * np.exp(x @ coef)
    denominator = hazard.sum(1)
    p = hazard / denominator[:, None]
    mean = p @ x
    w = weight[events]
    value = w @ (x[events] @ coef - np.log(denominator))
    score = w @ (x[events] - mean)
    spread = np.einsum("dn,dnp,dnq->dpq", p, *[x[None] - mean[:, None]] * 2)
    information = np.einsum("d,dpq->pq", w, spread)
    of_row = -np.einsum("d,dn,dnp->np", w, p, x[None] - mean[:, None])
    of_row[events] += w[:, None] * (x[events] - mean)
    of_unit = np.array([of_row[cluster == c].sum(0) for c in np.unique(cluster)])
    change = of_unit @ np.linalg.inv(information)
    return value, score, information, change.T @ change, w / denominator


def gray_statistic(code, time, group, cause, rho=0.0, strata=None):
    """Gray's chi-square and its differences, by loops over times and groups."""
    names = np.unique(group)
    k = names.size
    z, v = np.zeros(k), np.zeros((k, k))
    strata = np.zeros(time.size) if strata is None else strata
    for s in np.unique(strata):
        rows = strata == s
        one_z, one_v = _gray_stratum(code[rows], time[rows], group[rows], names, cause, rho)
        z, v = z + one_z, v + one_v
    return z[:-1] @ np.linalg.solve(v[:-1, :-1], z[:-1]), z


def _gray_stratum(code, time, group, names, cause, rho):
    k, steps = names.size, []
    alive, own, pooled, z = np.ones(k), np.zeros(k), 0.0, np.zeros(k)
    for t in np.unique(time):
        y = np.array([np.sum((group == g) & (time >= t)) for g in names], float)
        at = [(group == g) & (time == t) for g in names]
        d1 = np.array([np.sum(code[a] == cause) for a in at], float)
        d2 = np.array([np.sum((code[a] > 0) & (code[a] != cause)) for a in at], float)
        h = np.where(y > 0, y / np.where(alive > 0, alive, 1), 0)
        risk_set, weight = h * (1 - own), (1 - pooled) ** rho
        z += weight * (d1 - risk_set * d1.sum() / risk_set.sum())
        step = d1.sum() / h.sum()
        weighted = weight * (np.diag(h) - np.outer(h, h) / h.sum())
        hazard = (d1 + d2) / np.where(y > 0, y, 1)
        before, alive_before = pooled, alive
        own, pooled = own + alive * d1 / np.where(y > 0, y, 1), pooled + step
        alive = alive * (1 - hazard)
        steps.append((weighted, step, before, pooled, alive_before, alive, y, h, d1.sum(), d2))
    v = np.zeros((k, k))
    c = np.zeros((k, k))
    for weighted, step, before, after, alive_before, alive, y, h, d1, d2 in reversed(steps):
        for r in range(k):
            if y[r] == 0:
                continue
            ratio = (1 - after) / alive[r] if alive[r] > 0 else 0
            a = weighted[:, r] + (1 - ratio if alive[r] > 0 else 1) * c[:, r]
            b = ratio * c[:, r]
            tied = 1 - (d1 - 1) / (h.sum() * alive_before[r] - 1) if d1 > 1 else 1
            v += np.outer(a, a) * tied * step / h[r]
            if d2[r] > 0:
                tied = 1 - (d2[r] - 1) / (y[r] - 1) if d2[r] > 1 else 1
                v += np.outer(b, b) * tied * alive_before[r] ** 2 * d2[r] / y[r] ** 2
        c = c + weighted * step / (1 - before)
    return z, v
