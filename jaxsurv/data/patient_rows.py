"""Patients with several rows ``(entry, time]``: made of tables whose values change, and checked."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false
# pyright: reportCallIssue=false, reportIndexIssue=false

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data.competing import Causes
from jaxsurv.data.names import check_patients, hint
from jaxsurv.data.row_checks import LABEL, ROUNDING, check_rows
from jaxsurv.data.survival_table import STRATUM, clean_survival, endpoint_names
from jaxsurv.data.tables import few, refuse_cells, refuse_repeated, to_float, warn, with_text_names
from jaxsurv.types import InputError

FROM = "from"  # the column of the times from which the values of a row hold


class PatientRows(NamedTuple):
    """Tables with one row per interval in which no value of a patient changes.

    Attributes:
        survival: ``[n, columns]``, index = names of the rows, such as ``"P1 from 50"``.
        modalities: modality to the rows that have it, by the same names.
        patients: ``[n]`` patient of each row; None = every patient has one row.
    """

    survival: pd.DataFrame
    modalities: dict[str, pd.DataFrame]
    patients: pd.Series | None


def has_several_rows(survival: Any, modalities: Mapping[str, Any]) -> bool:
    """Whether patients have several rows with an entry, or a table has the column ``from``."""
    columns = map(str, getattr(survival, "columns", ()))
    entered = any(c.endswith("_entry") for c in columns)
    changing = any(FROM in getattr(table, "columns", ()) for table in modalities.values())
    return changing or (entered and survival.index.has_duplicates)


def patient_rows(
    survival: pd.DataFrame, modalities: Mapping[str, pd.DataFrame], causes: Causes
) -> PatientRows:
    """Cut follow-up where a value changes; rows of a patient that touch and say the same become one.

    So a row that was cut at any time changes nothing.

    Args:
        survival: index = patients, some of them several times, see :class:`jaxsurv.data.Cohort`.
        modalities: with a column ``from``, a patient's rows hold from that time on, each until the next;
            without, a patient has one row, which always holds.
        causes: endpoint to the names of its causes.

    Raises:
        InputError: overlapping rows of a patient, an event before the last row, rows in two strata; a
            patient of a table with ``from`` who has no row in the survival table, two values from one time;
            whatever `clean_survival` refuses.

    Warns:
        DataWarning: gaps between the rows of a patient; values from after the follow-up.
    """
    survival = with_text_names(survival, LABEL)
    survival = _with_entry(survival)
    patients, number = survival.index, survival.groupby(level=0).cumcount().to_numpy() + 1
    twice = patients.duplicated(keep=False)
    names = [f"{p}, row {k}" if t else p for p, k, t in zip(patients, number, twice, strict=True)]
    outcome = clean_survival(survival.set_axis(names, axis=0), causes)
    if (bare := outcome.drop(columns=STRATUM, errors="ignore").isna().all(axis=1)).any():
        raise InputError(
            f"{LABEL}: {few(outcome.index[bare])} has no outcome; where values change, every patient needs "
            "a follow-up in which they do: leave the row out"
        )
    outcome = check_rows(outcome, pd.Series(patients, outcome.index))
    tables = {m: with_text_names(table, f"modality {m!r}") for m, table in modalities.items()}
    check_patients({LABEL: patients} | {repr(m): t.index for m, t in tables.items()})
    changes = {m: _changes(m, t, patients) for m, t in tables.items() if FROM in t.columns}
    outcome, owner = _cut(outcome, patients, changes.values())
    start = _starts(outcome)
    order = np.lexsort((start, pd.factorize(owner)[0]))
    outcome, owner, start = outcome.iloc[order], owner[order], start[order]
    found: dict[str, np.ndarray] = {}
    for m, table in tables.items():
        if m in changes:
            found[m] = _known_at(changes[m], owner, start)
            tables[m] = table.drop(columns=FROM)
        else:
            fix = f"keep one of each, or add a column {FROM!r}: the time from which a row holds"
            refuse_repeated(table.index, f"modality {m!r} has duplicate patients:", fix)
            found[m] = table.index.get_indexer(owner)
    first, outcome = _merged(outcome, owner, tables, found)
    owner, start = owner[first], start[first]
    several = pd.Index(owner).duplicated(keep=False)
    rows = [
        f"{p} from {t:.12g}" if more else p
        for p, t, more in zip(owner, start, several, strict=True)
    ]
    for m, table in tables.items():
        place = found[m][first]
        others = table[~table.index.isin(owner)]  # counted as unmatched
        held = table.iloc[place[place >= 0]].set_axis(np.array(rows, object)[place >= 0], axis=0)
        tables[m] = pd.concat([held, others]) if len(others) else held
    index = pd.Index(rows, name="patient")
    made = pd.Series(owner, index, name="patient") if several.any() else None
    return PatientRows(outcome.set_axis(index, axis=0), tables, made)


def _with_entry(survival: pd.DataFrame) -> pd.DataFrame:
    """The table with an entry at 0 of every endpoint that has none, if each patient has one row."""
    for time in [c for c in map(str, survival.columns) if c.endswith("_time")]:
        entry = f"{time.removesuffix('_time')}_entry"
        if entry in survival:
            continue
        if survival.index.has_duplicates:
            raise InputError(
                f"{LABEL}: patients have several rows, and there is no column {entry!r}; a row holds from "
                f"its entry to its time: give {entry}"
            )
        survival = survival.assign(**{entry: np.where(survival[time].notna(), 0.0, np.nan)})
    return survival


def _changes(m: str, table: pd.DataFrame, patients: pd.Index) -> pd.Series:
    """Times from which the rows of a table hold; index = patients."""
    label = f"modality {m!r}"
    start = to_float(table[[FROM]], label, "give the time from which the values hold, as a number")
    fix = "give the time from which the values hold"
    refuse_cells(start.isna(), start, label, "the missing time", fix)
    if len(absent := start.index[~start.index.isin(patients)].unique()):
        raise InputError(
            f"{label}: patients without a row in the survival table: {few(absent)}{hint(absent, patients)}; "
            "add their follow-up, or leave them out"
        )
    if (twice := start.reset_index().duplicated().to_numpy()).any():
        raise InputError(
            f"{label}: patient {start.index[twice][0]!r} has two rows from "
            f"{start[FROM].to_numpy()[twice][0]:.12g}; keep one of each"
        )
    return start[FROM]


def _cut(
    outcome: pd.DataFrame, patients: pd.Index, changes: Any
) -> tuple[pd.DataFrame, np.ndarray]:
    """Rows cut at the changes inside them, and the patient of each."""
    endpoints = endpoint_names(outcome.drop(columns=STRATUM, errors="ignore"))
    low, high = _starts(outcome), outcome[[f"{e}_time" for e in endpoints]].max(axis=1).to_numpy()
    times = pd.concat([pd.Series(dtype=float), *changes])
    at = {p: np.unique(times.to_numpy()[k]) for p, k in times.groupby(level=0).indices.items()}
    if len(times):
        late = times.to_numpy() >= pd.Series(high).groupby(patients).max().loc[times.index]
        if late.any():
            warn(
                f"{late.sum()} values hold from the end of the follow-up of their patients or later and are "
                f"not used: of {few(times.index[late].unique())}"
            )
    row, lower, upper = [], [], []
    for i, p in enumerate(patients):
        cuts = at.get(p, np.zeros(0))
        edge = ROUNDING * max(abs(low[i]), abs(high[i]))
        inside = cuts[(cuts > low[i] + edge) & (cuts < high[i] - edge)]
        row += [i] * (len(inside) + 1)
        lower += [-np.inf, *inside]
        upper += [*inside, np.inf]
    outcome, lower, upper = outcome.iloc[row].copy(), np.array(lower), np.array(upper)
    for e in endpoints:
        entry, time, event = columns = [f"{e}_{c}" for c in ("entry", "time", "event")]
        last = outcome[time] <= upper
        outcome[event] = outcome[event].where(last | outcome[event].isna(), 0)
        outcome[entry] = np.maximum(outcome[entry], lower)
        outcome[time] = np.minimum(outcome[time], upper)
        outcome.loc[~(outcome[entry] < outcome[time]).to_numpy(), columns] = np.nan
    kept = outcome[[f"{e}_time" for e in endpoints]].notna().any(axis=1).to_numpy()
    return outcome[kept], np.asarray(patients, object)[row][kept]


def _starts(outcome: pd.DataFrame) -> np.ndarray:
    """``[n]``, the first entry of each row."""
    return outcome[[c for c in outcome if str(c).endswith("_entry")]].min(axis=1).to_numpy()


def _known_at(changes: pd.Series, owner: np.ndarray, start: np.ndarray) -> np.ndarray:
    """``[n]`` place of the row that holds at the start of each interval, -1 before a patient's first."""
    times, found = changes.to_numpy(), np.full(len(owner), -1)
    places = {p: at[np.argsort(times[at])] for p, at in changes.groupby(level=0).indices.items()}
    for i, (p, t) in enumerate(zip(owner, start + ROUNDING * np.abs(start), strict=True)):
        if (at := places.get(p)) is not None and (k := np.searchsorted(times[at], t, "right")):
            found[i] = at[k - 1]
    return found


def _merged(
    outcome: pd.DataFrame,
    owner: np.ndarray,
    tables: Mapping[str, pd.DataFrame],
    found: Mapping[str, np.ndarray],
) -> tuple[np.ndarray, pd.DataFrame]:
    """First row of each run of rows of a patient that touch and say the same, and the runs as rows."""
    same = owner[1:] == owner[:-1]
    for m, table in tables.items():
        place = found[m]
        other = np.flatnonzero(same & (place[1:] != place[:-1]))
        a, b = (table.iloc[place[k]].to_numpy(object) for k in (other, other + 1))
        equal = ((a == b) | (pd.isna(a) & pd.isna(b))).all(axis=1)
        same[other] = equal & (place[other] >= 0) & (place[other + 1] >= 0)
    for endpoint in endpoint_names(outcome.drop(columns=STRATUM, errors="ignore")):
        until = outcome[f"{endpoint}_time"].groupby(owner).ffill().to_numpy()[:-1]
        entry = outcome[f"{endpoint}_entry"].to_numpy()[1:]
        same &= np.isnan(until) | np.isnan(entry) | (until == entry)
    run = np.cumsum(np.append(True, ~same)) - 1
    parts = outcome.groupby(run)
    entered = [c for c in outcome if str(c).endswith("_entry")]
    joined = parts.last().assign(**parts[entered].first())[list(outcome.columns)]
    return np.flatnonzero(np.append(True, ~same)), joined


def with_patients(
    tables: Mapping[str, pd.DataFrame], patients: pd.Series
) -> dict[str, pd.DataFrame]:
    """Tables as they are on disk: rows named by their patients, those of modalities with ``from``.

    Args:
        tables: modalities, and the ``survival`` table with its strata, with names of rows.
        patients: ``[n]`` patient of each row.
    """
    start, written = pd.Series(_starts(tables["survival"]), patients.index), {}
    for name, table in tables.items():
        if name != "survival":
            # a row without the modality ends what held before
            held = patients.isin(patients[table.index]).to_numpy()
            table = table.reindex(patients.index[held])
            table = table.assign(**{FROM: start[table.index]})
        written[name] = table.set_axis(pd.Index(patients[table.index], name="patient"), axis=0)
    return written
