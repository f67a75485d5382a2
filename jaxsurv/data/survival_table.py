"""Checks of a survival table: times and coded events of one or more endpoints."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

import pandas as pd

from jaxsurv.data.competing import Causes, check_causes, refuse_unused
from jaxsurv.data.problems import listing, refuse_all
from jaxsurv.data.tables import clean_rows, few, refuse_cells, refuse_codes, to_float, to_text
from jaxsurv.survival.validation import recoding
from jaxsurv.types import InputError

_FIELDS = ("time", "event", "entry")
STRATUM = "stratum"  # the column of the labels of strata


def endpoint_names(survival: pd.DataFrame) -> tuple[str, ...]:
    """Endpoints in the order of their columns."""
    return tuple(dict.fromkeys(c.rpartition("_")[0] for c in survival.columns))


def clean_survival(frame: pd.DataFrame, causes: Causes = {}) -> pd.DataFrame:  # noqa: B006
    """Check a survival table; returns it as float64, with the strata as text.

    Columns are ``<endpoint>_time``, ``<endpoint>_event`` and optionally ``<endpoint>_entry``, and
    ``stratum``. A patient whose time *and* event are missing has no label for that endpoint, which is
    allowed. An endpoint with ``causes`` has the codes 1, 2, ... of their names in the place of 1.

    Raises:
        InputError: missing or unknown columns, event codes other than 0/1 and those of causes, causes without
            an event, negative times, time without event or event without time, entry that is missing,
            negative or not before time; a patient with an outcome and without a stratum, where there are
            strata; strata of one patient each.
    """
    label = "survival table"
    frame = clean_rows(frame, label)
    strata = frame.pop(STRATUM) if STRATUM in frame else None
    if frame.empty and not frame.shape[1]:
        raise InputError(
            f"{label} has a column {STRATUM!r} and no outcome; add os_time and os_event"
        )
    other = [c for c in frame.columns if c.rpartition("_")[2] not in _FIELDS or "_" not in c[1:]]
    if other:
        raise InputError(
            f"{label}: column {few(other)} is not <endpoint>_time, <endpoint>_event, <endpoint>_entry or "
            "stratum; rename it (os_time, os_event) or move it to a modality"
        )
    frame = to_float(frame, label, "code events 0/1 and give times as numbers")
    causes = check_causes(causes, endpoint_names(frame))
    problems: list[str] = []
    for endpoint in endpoint_names(frame):
        with listing(problems):
            _check_endpoint(frame, endpoint, len(causes.get(endpoint, ("event",))))
    with listing(problems):
        refuse_unused(frame, causes)
    if strata is not None:
        with listing(problems):
            frame[STRATUM] = _clean_strata(strata, frame.notna().any(axis=1))
    refuse_all(problems)
    return frame


def _clean_strata(strata: pd.Series, labelled: pd.Series) -> pd.Series:
    """Labels as text; of unlabelled patients they may be missing."""
    strata = to_text(strata)
    bad, fix = (strata.isna() & labelled).to_frame(), "give every patient with an outcome a stratum"
    refuse_cells(bad, strata.to_frame(), "survival table", "the missing label", fix)
    if len(strata) > 1 and strata.dropna().is_unique:
        raise InputError(
            f"survival table: every patient is a {STRATUM} of one ({few(strata.dropna(), 3)}), in which "
            "nobody can be compared; give the cohort or centre, or drop the column"
        )
    return strata


def _check_endpoint(frame: pd.DataFrame, endpoint: str, causes: int) -> None:
    label = "survival table"
    for column in (f"{endpoint}_time", f"{endpoint}_event"):
        if column not in frame:
            raise InputError(
                f"{label}: endpoint {endpoint!r} lacks the column {column!r}; it needs both "
                f"{endpoint}_time and {endpoint}_event"
            )
    time, event = frame[f"{endpoint}_time"], frame[f"{endpoint}_event"]
    codes, known, fix = sorted(event.dropna().unique()), tuple(range(causes + 1)), ""
    if causes > 1:
        fix = f"events are 0 (censored) or the number of one of the {causes} causes"
    elif not set(codes) <= {0, 1}:
        fix = f"events are 0 (censored) or 1 (observed). {recoding(codes)}"
        if 0 in codes:
            fix += ". In a cohort, name the causes: Cohort(causes=...), or causes in cohort.json"
    if set(time.dropna()) == {0, 1} and event.nunique() > 2:
        fix = f"{time.name} holds 0 and 1 alone: times and events look swapped"
    refuse_codes(event.to_frame(), known, label, fix)
    _check_times(frame, endpoint)
    half = time.isna() != event.isna()
    if half.any():
        raise InputError(
            f"{label}: only one of {time.name!r} and {event.name!r} is given for "
            f"{few(half.index[half])}; give both, or leave both empty (no label)"
        )


def _check_times(frame: pd.DataFrame, endpoint: str) -> None:
    time = f"{endpoint}_time"
    entry = f"{endpoint}_entry"
    columns = frame[[c for c in (time, entry) if c in frame]]
    refuse_cells(columns < 0, columns, "survival table", "the negative time", "times are >= 0")
    if entry in frame:
        # The test is "not before", so that a missing entry is refused too.
        late = ~(frame[entry] < frame[time]) & frame[time].notna()
        fix = f"it must be given and be before {time}"
        refuse_cells(late.to_frame(), frame[[entry]], "survival table", "the entry", fix)
