"""Times that are equal but for rounding count as one: 0.1 + 0.2 is 0.3, as R's ``timefix`` has it.

Two times are one if they differ by no more than 1.5e-8 (the root of float64's epsilon) of the mean
distance of the times from the earliest, or by a few units in their last place. R takes the mean of
the times instead, and would merge UNIX seconds that are 25 s apart. Integers are exact, and values
that ``jit`` traces are compared as they are.
"""

from typing import Any

import numpy as np

from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import InputError

_SHARE = np.finfo(float).eps ** 0.5
_LAST_PLACES = 4 * np.finfo(float).eps


def _slack(ordered: np.ndarray) -> float:
    """Largest difference of two of the ascending times that are one; infinity pads curves made by ``jit``."""
    ordered = ordered[np.isfinite(ordered)]
    if not ordered.size:
        return 0.0
    first, last = float(ordered[0]), float(ordered[-1])
    spread = float(ordered.mean(dtype=float)) - first
    return _SHARE * spread + _LAST_PLACES * max(abs(first), abs(last))


def merge_near_ties(time: Any, entry: Any = None, where: Any = None) -> tuple[Any, Any]:
    """Times and entry times with those that are equal but for rounding set to the earliest of them.

    Args:
        time: ``[n]``.
        entry: ``[n]`` or None; compared with the times as well as with each other.
        where: ``[n]`` booleans or None; rows that are not there keep their times and change no others.

    Raises:
        InputError: a row whose entry and time are one.
    """
    if not (is_concrete(time) and is_concrete(entry)):
        return time, entry
    time, entry = np.asarray(time), None if entry is None else np.asarray(entry)
    if where is not None and is_concrete(where) and not (here := np.asarray(where, bool)).all():
        merged, merged_entry = time.copy(), None if entry is None else entry.copy()
        of_those = merge_near_ties(time[here], None if entry is None else entry[here])
        for whole, part in zip((merged, merged_entry), of_those, strict=True):
            if whole is not None:
                whole[here] = part
        return merged, merged_entry
    every = time.copy() if entry is None else np.concatenate([time, entry])
    if every.dtype.kind != "f" or not every.size:
        return time, entry
    ordered = np.sort(every)
    gaps = np.diff(ordered)
    near = gaps <= _slack(ordered)
    if not (near & (gaps > 0)).any():
        return time, entry
    earliest = ordered[np.append(True, ~near)]
    every[np.argsort(every)] = earliest[np.cumsum(np.append(False, ~near))]
    merged, merged_entry = every[: time.size], every[time.size :]
    if entry is None:
        return merged, None
    if (bad := np.flatnonzero(merged_entry >= merged)).size:
        raise InputError(
            f"entry and time of row {bad[0]} are equal but for rounding, {entry[bad[0]]:g}; leave it out"
        )
    return merged, merged_entry


def in_ranks(time: Any, entry: Any = None) -> tuple[Any, Any]:
    """Ranks of known times and entry times, which ``jit`` compares in float32; others as they are."""
    if not (is_concrete(time) and is_concrete(entry)):
        return time, entry
    every = (
        np.asarray(time) if entry is None else np.concatenate([np.asarray(time), np.asarray(entry)])
    )
    rank = np.unique(every, return_inverse=True)[1].astype(np.int32)
    n = np.shape(time)[0]
    return rank[:n], None if entry is None else rank[n:]


def rounding(times: Any, known: Any) -> Any:
    """Distance within which ``times [...]`` are one of ``known [m]``, which ascends; for NumPy arrays.

    The rounding may be that of float32: eager JAX arrays are float32 by default.
    """
    kinds = [a.dtype for a in (times, known) if a.dtype.kind == "f"]
    if not kinds or not known.size:
        return 0
    return _slack(known) + max(np.finfo(k).eps for k in kinds) * np.abs(times)


def at_known_times(times: Any, known: Any) -> Any:
    """Times ``[...]``, each that equals one of ``known [m]``, but for rounding, replaced by it.

    Values that ``jit`` traces are returned as they are.
    """
    if not (is_concrete(times) and is_concrete(known)):
        return times
    times, known = np.asarray(times), np.sort(known)
    if not known.size:
        return times
    place = np.searchsorted(known, times)
    below, above = known[np.maximum(place - 1, 0)], known[np.minimum(place, known.size - 1)]
    nearest = np.where(np.abs(times - below) < np.abs(above - times), below, above)
    return np.where(np.abs(nearest - times) <= rounding(times, known), nearest, times)
