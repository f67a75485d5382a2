"""Baseline hazards as a model file holds them, and back."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jaxsurv.arguments.labels import Labels
from jaxsurv.recipe.curves import Baselines
from jaxsurv.survival import StepFunction
from jaxsurv.types import InputError


def pack_baselines(baselines: Baselines) -> dict[str, Any]:
    """The baseline hazards; each label has the steps of its stratum."""
    pooled, own = baselines
    entries: dict[str, Any] = {"times": pooled.times, "values": pooled.values}
    if own is None:
        return entries
    steps = {
        str(label): np.asarray(own.stratum) == code for code, label in enumerate(own.labels or ())
    }
    entries["strata"] = {
        label: {"times": np.asarray(own.times)[at], "values": np.asarray(own.values)[at]}
        for label, at in steps.items()
    }
    return entries


def read_baselines(entries: Mapping[str, Any]) -> Baselines:
    """Baseline hazards from the entries of `pack_baselines`; refuses steps that are no cumulative hazard."""
    pooled, own = _baseline(entries), entries.get("strata")
    if own is None:
        return Baselines(pooled)
    names = sorted(own)
    each = [_baseline(own[name]) for name in names]
    times, values = (np.concatenate([getattr(b, k) for b in each]) for k in ("times", "values"))
    codes = np.repeat(np.arange(len(names), dtype=np.int32), [len(b.times) for b in each])
    return Baselines(pooled, StepFunction(times, values, codes, Labels(names)))


def _baseline(entries: Mapping[str, Any]) -> StepFunction:
    times, values = (np.asarray(entries[k], float) for k in ("times", "values"))
    rising = all(np.all(np.diff(a) >= 0) and np.all(a >= 0) for a in (times, values))
    if times.ndim != 1 or times.shape != values.shape or not times.size or not rising:
        raise InputError("the baseline hazard must be nondecreasing over ascending times")
    return StepFunction(times, values)
