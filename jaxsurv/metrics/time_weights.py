"""Weights of the events in a concordance, by their time."""

from typing import Any, Literal

from jaxsurv.survival._kaplan_meier import kaplan_meier
from jaxsurv.survival.censoring import censoring_curve, inverse_censoring_weights
from jaxsurv.survival.life_table import life_table, step_at
from jaxsurv.survival.validation import array_module
from jaxsurv.types import InputError

TimeWeight = Literal["n", "S", "S/G", "n/G2", "I"]


def event_weights(
    kind: TimeWeight, event: Any, time: Any, *, entry: Any, weights: Any, where: Any
) -> Any:
    """Weights ``[n]`` of pairs, by the time t of the event.

    N(t) is the weight at risk at t, and W the total weight. ``n``: 1 (Harrell). ``S``:
    W S(t-) / N(t), the Peto-Wilcoxon weight. ``S/G``: W S(t-) / (G(t-) N(t)) (Schemper). ``n/G2``:
    1 / G(t-)² (Uno). ``I``: 1 / N(t), the weight of the Cox score. Without tied times ``S/G`` and
    ``n/G2`` are the same.

    Raises:
        InputError: an unknown kind, or G with delayed entry.
    """
    if kind == "n":
        return 1.0
    if kind not in ("S", "S/G", "n/G2", "I"):
        raise InputError(f"time_weight must be n, S, S/G, n/G2 or I, got {kind!r}")
    if entry is not None and "G" in kind:
        raise InputError(
            f"time_weight {kind!r} with delayed entry: the censoring distribution cannot be "
            "estimated from patients who enter late; leave out entry, or use 'n', 'S' or 'I'"
        )
    xp = array_module(event, time, entry, weights, where)
    time = xp.asarray(time)
    result = xp.ones(time.shape)
    if "G" in kind:
        needed = xp.asarray(event).astype(bool)
        needed = needed if where is None else needed & xp.asarray(where).astype(bool)
        curve = censoring_curve(event, time, weights=weights, where=where)
        inverse = inverse_censoring_weights(curve, time, needed)
        result = inverse**2 if kind == "n/G2" else inverse
    if kind == "n/G2":
        return result
    table = life_table(event, time, entry=entry, weights=weights, where=where)
    at_risk = step_at(time, table.times, table.at_risk, initial=1.0)
    result = result / xp.where(at_risk > 0, at_risk, 1)
    if kind == "I":
        return result
    curve = kaplan_meier(event, time, entry=entry, weights=weights, where=where)
    alive = step_at(time, curve.times, curve.survival, initial=1.0, left=True)
    return result * alive * xp.sum(table.events + table.censored)
