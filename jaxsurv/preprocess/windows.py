"""Measurements at times of each patient's own, as one table per window of time."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from jaxsurv.arguments.columns import numbers
from jaxsurv.types import ArrayLike, InputError


def time_windows(
    measurements: pd.DataFrame, time: ArrayLike, edges: Sequence[float]
) -> dict[str, pd.DataFrame]:
    """Mean of each patient's measurements in each window ``(edges[i], edges[i + 1]]``.

    Each window is a modality for :class:`jaxsurv.data.Cohort` and :mod:`jaxsurv.factors`: a patient who was
    not measured in it lacks it, as a patient lacks any modality. So a latent variable that all windows share
    lasts, one of a single window passes, and modalities that were measured at different times of different
    patients need no common schedule.

    Args:
        measurements: a row per measurement, with the patient as index; NaN where a feature was not measured.
        time: ``[rows]``, in any unit, as the edges.
        edges: increasing limits of the windows.

    Returns:
        ``{"0 to 7": [patients, features], ...}``, the patients who were measured in the window, sorted.

    Raises:
        InputError: times that are missing or outside the edges, edges that do not increase, columns that are
            not numbers, a window without a measurement.

    >>> table = pd.DataFrame({"crp": [4.0, 8.0, 5.0]}, index=["ann", "ann", "bob"])
    >>> windows = time_windows(table, [1, 2, 9], [0, 7, 14])
    >>> {name: table["crp"].to_dict() for name, table in windows.items()}
    {'0 to 7': {'ann': 6.0}, '7 to 14': {'bob': 5.0}}
    """
    at, limits = (np.asarray(numbers(n, v), float) for n, v in (("time", time), ("edges", edges)))
    if limits.ndim != 1 or len(limits) < 2 or not (np.diff(limits) > 0).all():
        raise InputError(f"edges must be two or more increasing numbers, got {list(edges)}")
    if at.shape != (len(measurements),):
        raise InputError(
            f"time must be one number for each of the {len(measurements)} rows, got {list(at.shape)}"
        )
    window = np.searchsorted(limits, at) - 1
    if (outside := ~((at > limits[0]) & (at <= limits[-1]))).any():
        row = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"{int(outside.sum())} of {len(at)} measurements are not within ({limits[0]:g}, {limits[-1]:g}], "
            f"such as one of patient {measurements.index[row]!r} at {at[row]:g}; widen the edges, or leave "
            "these rows out"
        )
    for column, kind in measurements.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            raise InputError(f"column {column!r} must have numbers, has {kind}")
    tables = {}
    for i, (left, right) in enumerate(pairwise(limits)):
        if not (window == i).any():
            raise InputError(f"there is no measurement within ({left:g}, {right:g}]; join windows")
        tables[f"{left:g} to {right:g}"] = measurements[window == i].groupby(level=0).mean()
    return tables
