"""Intervals of C, and comparisons of two risks, on small test sets."""

import jax
import numpy as np

from jaxsurv.metrics import bootstrap, compare_concordance, concordance_index
from jaxsurv.types import InputError

from .simulate import outcome

_NOISE = 0.8  # of each of two equally good risks, in standard deviations of the log hazard


def _c(risk, event, time):
    return concordance_index(risk, event, time).index


def small_sets(n: int, signal: float, censored: float, replicates: int, *, samples: int) -> dict:
    """One row: C, its mean as the truth, and rates over test sets of n patients.

    Args:
        n: number of patients.
        signal: standard deviation of the log hazard, which is the risk.
        censored: share of censored patients.
        replicates: number of test sets.
        samples: bootstrap samples of each.
    """
    rng, c, plain, logit, percentile, p, z = np.random.default_rng(n), *([] for _ in range(6))
    for r in range(replicates):
        risk = signal * rng.normal(size=n)
        event, time = outcome(rng, risk, censored)
        whole = concordance_index(risk, event, time)
        c.append(float(whole.index))
        half = 1.96 * float(whole.standard_error)
        plain.append((c[-1] - half, c[-1] + half))
        logit.append(whole.interval())
        try:
            drawn = bootstrap(_c, jax.random.key(r), risk, event, time, n_samples=samples)
            percentile.append((float(drawn.lower), float(drawn.upper)))
        except InputError:
            percentile.append((np.nan, np.nan))
        equal = [
            concordance_index(risk + _NOISE * rng.normal(size=n), event, time) for _ in range(2)
        ]
        found = compare_concordance(*equal)
        p.append(float(found.p_value))
        z.append(abs(float(found.difference)) > 1.96 * float(found.standard_error))
    truth = np.mean(c)

    def covers(limits: list) -> float:
        lower, upper = np.array(limits).T
        return float(np.mean((lower <= truth) & (truth <= upper)))

    return {
        "patients": n, "events": round(n * (1 - censored)), "C": truth,
        "covered": covers(logit), "covered, bootstrap": covers(percentile),
        "covered, plain": covers(plain),
        "rejected": float(np.mean(np.array(p) < 0.05)), "rejected, normal": float(np.mean(z)),
    }  # fmt: skip
