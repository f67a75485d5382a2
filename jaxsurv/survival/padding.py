"""Rows that are not there, added so that cohorts of similar size have equal shapes and share programs."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from jaxsurv.survival.risk_sets import RiskSets


def padded_length(n: int) -> int:
    """Round n up to one of eight lengths per octave, so that cohorts of similar size share programs."""
    step = 1 << max(0, (n - 1).bit_length() - 4)
    return -(-n // step) * step


def pad_rows(risk_sets: RiskSets, n: int) -> RiskSets:
    """Risk sets on the host with rows that are not there added at the end, up to ``n``.

    Args:
        risk_sets: without delayed entry; arrays may have leading axes.
        n: number of rows of the result.
    """
    rs = jax.tree.map(np.asarray, risk_sets)
    had = rs.start.shape[-1]
    new = np.arange(had, n)

    def longer(a: np.ndarray, fill: Any) -> np.ndarray:
        end = np.broadcast_to(np.asarray(fill, a.dtype), (*a.shape[:-1], n - had))
        return np.concatenate([a, end], -1)

    fills = dict.fromkeys(("time", "event_weight", "mean_weight", "fraction"), 0.0)
    fills |= {"order": new, "position": new, "start": new, "log_weight": -np.inf}
    fills |= {"rest": n, "last": -1, "earlier": -1, "stratum": n}
    columns = {k: longer(a, f) for k, f in fills.items() if (a := getattr(rs, k)) is not None}
    return replace(rs, **columns)
