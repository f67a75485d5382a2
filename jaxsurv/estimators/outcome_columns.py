"""Columns of an outcome in the forms that people have: structured arrays, tables, pairs."""

from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.data.survival_table import STRATUM
from jaxsurv.data.tables import few
from jaxsurv.estimators.inputs import as_frame, native
from jaxsurv.estimators.patient_rows import PATIENT
from jaxsurv.types import InputError

_NO_MORE = (None, None, None)  # entry, stratum, patient


def outcome_columns(y: Any) -> tuple[Any, Any, Any, Any, Any]:
    """Event, time, entry, stratum and patient (None where there is none), in whatever form.

    Args:
        y: see :func:`jaxsurv.estimators.outcomes.read_outcome`.

    Raises:
        InputError: an unknown form, no pair of columns, unequal lengths.
    """
    if y is None:
        raise InputError(
            "the estimator requires y to be passed, but the target y is None; give a structured array, "
            "a DataFrame with event and time, or a pair (event, time)"
        )
    y = native(y)
    table = y if isinstance(y, np.ndarray) else as_frame(y)
    if isinstance(table, pd.DataFrame):
        event, time, entry = _named_columns(list(table.columns), "the columns of y")
        labelled = isinstance(y, pd.DataFrame)  # the rows of other tables have no names
        events = table[event] if labelled else table[event].to_numpy()
        return events, table[time], table.get(entry), table.get(STRATUM), table.get(PATIENT)
    if names := getattr(getattr(y, "dtype", None), "names", None):
        logical = [name for name in names if y.dtype[name].kind == "b"]
        if len(names) == 2 and len(logical) == 1:
            return y[logical[0]], y[next(n for n in names if n != logical[0])], *_NO_MORE
        event, time, entry = _named_columns(list(names), "the fields of y")
        entry, stratum, who = (y[n] if n in names else None for n in (entry, STRATUM, PATIENT))
        return y[event], y[time], entry, stratum, who
    if isinstance(y, tuple | list) and len(y) == 2 and all(np.ndim(part) == 1 for part in y):
        event, time = (p if isinstance(p, pd.Series) else np.asarray(p) for p in y)
        if len(event) != len(time):
            raise InputError(f"y has {len(event)} events and {len(time)} times; needs as many")
        if isinstance(event, pd.Series) and isinstance(time, pd.Series):
            if not event.index.equals(time.index):
                raise InputError("event and time in y have different indices; give both the same")
        elif isinstance(time, pd.Series):
            event = pd.Series(event, index=time.index)
        return event, time, *_NO_MORE
    raise InputError(
        f"y must be a structured array with a boolean and a float field, a DataFrame with event and "
        f"time, or a pair (event, time); got {type(y).__name__} of shape {np.shape(y)}"
    )


def _named_columns(names: list, what: str) -> tuple:
    """Names of event, time and, if there is one, entry."""
    pairs = [("event", "time")] if {"event", "time"} <= set(names) else []
    if not pairs:
        stems = [str(c).removesuffix("_event") for c in names if str(c).endswith("_event")]
        pairs = [(f"{s}_event", f"{s}_time") for s in stems if f"{s}_time" in names]
    if len(pairs) != 1:
        raise InputError(
            f"{what} must be event and time, or one pair such as os_event and os_time; got {few(names)}"
        )
    event, time = pairs[0]
    entry = "entry" if event == "event" else f"{str(event).removesuffix('_event')}_entry"
    return event, time, entry if entry in names else None
