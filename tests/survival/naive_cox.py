"""The partial likelihood from its definition, one risk set after the other, in extended precision."""

import numpy as np


def naive_loss(
    log_hazard, event, time, *, ties="efron", entry=None, strata=None, weights=None, where=None
):
    """Summed negative log partial likelihood and its gradient ``[n]``."""
    n = len(time)
    e = np.asarray(log_hazard, np.longdouble)
    w = np.ones(n, np.longdouble) if weights is None else np.asarray(weights, np.longdouble)
    w = w * (np.ones(n) if where is None else np.asarray(where))
    entry = np.full(n, -np.inf) if entry is None else np.asarray(entry)
    strata = np.zeros(n) if strata is None else np.asarray(strata)
    died = np.asarray(event).astype(bool) & (w > 0)
    loss, gradient = np.longdouble(0), np.zeros(n, np.longdouble)
    for s, t in sorted(set(zip(strata[died], np.asarray(time)[died], strict=True))):
        at_risk = (w > 0) & (strata == s) & (time >= t) & (entry < t)
        tied = died & (strata == s) & (time == t)
        m, v = tied.sum(), w[tied].mean()
        top = e[at_risk].max()
        hazard = np.where(at_risk, w * np.exp(np.minimum(e - top, 0)), 0)
        loss -= (w * e)[tied].sum()
        gradient -= np.where(tied, w, 0)
        for k in range(m):
            fraction = k / np.longdouble(m) if ties == "efron" else 0
            kept = hazard * np.where(tied, 1 - fraction, 1)
            loss += v * (top + np.log(kept.sum()))
            gradient += v * kept / kept.sum()
    return float(loss), gradient.astype(float)
