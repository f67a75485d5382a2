"""Outcomes and clinical columns from tables in common formats."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportIndexIssue=false

import io
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from jaxsurv.data.delimited import EXACT
from jaxsurv.data.event_words import flag_of
from jaxsurv.data.tables import few, refuse_cells, warn
from jaxsurv.types import InputError

Endpoints = Mapping[str, tuple[str, str]]  # endpoint to its columns of time and event

_UNKNOWN = re.compile(
    r"|\[.*\]|n/?a|nan|null|unknown|not (available|applicable|reported|evaluated)|--|\.|\?",
    re.IGNORECASE,
)
# Names of columns that say the opposite of an event, unless they go on to name one.
_WHAT = r"(events?|deaths?|dead|died|relapsed?|recurrence|progression|metastas[ei]s|failure)"
_OPPOSITE = re.compile(
    r"\b(alive|living|surviv(ed|ing|ors?)|remission|ned|cens(or(ed|ing|ship)?)?|withdrawn|drop ?out|"
    r"no evidence( of)? disease|"
    rf"lost( to follow-?up)?|({_WHAT}|disease)[ -]?free|(no|non|without|never)[ -]?{_WHAT})\b"
    rf"(?! *surviv)(?!.*\b{_WHAT}\b)"
)
_WORDS = r"((?:not?[ -])?[a-z]+(?:[ -]free\b)?)"
_CODING = re.compile(rf"\b([01])\s*[=:]\s*{_WORDS}|{_WORDS}\s*[=:]\s*([01])\b")
_BARE = ("0", "1", "0.0", "1.0", "yes", "no", "true", "false")
_UNITS = {
    "days": r"days?",
    "weeks": r"weeks?|wks?",
    "months": r"months?|mos?|mths?",
    "years": r"years?|yrs?",
}
# Columns known when follow-up begins. Any other column of a clinical table may tell the outcome.
_BASELINE = re.compile(
    r"(d_pt_)?(age|sex|gender)([ _.].*diagnosis.*)?|diagnosis[ _.]age"
    r"|(.*[ _.])?(stage|staging|grade|r?[-_]?iss)([ _.](\d+|diagnoses|group))*"
    r"|path(ologic)?_[tnm]([ _.](stage|diagnoses))?"
    r"|histolog[a-z]*([ _.](type|subtype|diagnosis))?",
    re.IGNORECASE,
)


def known(column: pd.Series) -> pd.Series:
    """Text in which the many ways to write "not available" have become missing."""
    text = column.astype(object).where(column.notna(), np.nan)
    return text.where(~text.map(lambda v: bool(_UNKNOWN.fullmatch(str(v).strip()))), np.nan)


def event_flags(column: pd.Series) -> pd.Series:
    """Event flags 0.0, 1.0 or NaN from 0/1, booleans, ``1:DECEASED`` and the usual words.

    Raises:
        InputError: an unknown code, a code against its own word (``1:LIVING``); plain codes in a column
            whose name says the opposite of an event, such as ``alive`` or ``censored``.
    """
    text = known(column).map(lambda v: str(v).strip().lower(), na_action="ignore")
    _refuse_opposite(str(column.name), set(text.dropna()))
    words = text.astype(object).str.extract(r"^([01])\s*[:=]\s*(.*)$")
    against = words[1].map(flag_of, na_action="ignore").astype("float64")
    bad = against.notna() & (against != pd.to_numeric(words[0]))
    fix = "1 is the observed event, such as 1:DECEASED, 0:LIVING; correct the file"
    refuse_cells(bad.to_frame(), column.to_frame(), "", "the code against its word", fix)
    code = text.astype(object).str.replace(r"^([01])(:.*|\.0)$", r"\1", regex=True)
    flags = code.astype(object).map(flag_of, na_action="ignore")
    bad, fix = flags.isna() & code.notna(), "write 1 (observed) or 0 (censored)"
    refuse_cells(bad.to_frame(), column.to_frame(), "", "the unknown event code", fix)
    return flags.astype("float64")


def _said(words: str) -> float:
    """Flag of words such as ``dead``, ``free``, ``event-free`` or ``not dead``."""
    if words.endswith("free"):
        return 0.0
    negated, _, word = words.replace("-", " ").rpartition(" ")
    return 1 - flag_of(word) if negated else flag_of(word)


def _refuse_opposite(name: str, values: set[str]) -> None:
    """Refuse 0/1 and yes/no in a column whose name says that 1 or yes is no event."""
    said = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.]+", " ", name).lower()
    codes = [(a or d, b or c) for a, b, c, d in _CODING.findall(said)]
    opposite = _OPPOSITE.search(_CODING.sub("", said))
    flags = {word: _said(word) for _, word in codes if not (opposite and word in _BARE)}
    if wrong := [word for code, word in codes if flags.get(word) == 1 - int(code)]:
        raise InputError(
            f"column {name!r} says that {wrong[0]!r} is {1 - int(flags[wrong[0]])}, but 1 must be the "
            "observed event; recode the column (1 - code), and rename it"
        )
    if any(np.isfinite(flag) for flag in flags.values()):
        return
    wish = re.search(r"\bsurv(ival)?\b", said) and not re.search(r"event|death|status|censor", said)
    bare = sorted(values & set(_BARE if opposite or wish else ()))
    if bare:
        raise InputError(
            f"column {name!r} reads as the opposite of an event, so {bare[-1]!r} would be taken the wrong "
            "way round; give a column that is 1 where the event was observed, or write words such as "
            "'dead' and 'alive'"
            + (f"; if 1 is the event, rename it {name + ' event'!r}" if wish else "")
        )


def time_unit(times: Sequence[str]) -> str:
    """Unit that the names of all columns of times have, such as ``months``; empty if none has one.

    Raises:
        InputError: different units, since a cohort has one.

    Warns:
        DataWarning: names with a unit beside names without.
    """
    found = {}
    for name in times:
        words = set(re.split(r"[^a-z]+", name.lower()))
        found[name] = [u for u, form in _UNITS.items() if any(re.fullmatch(form, w) for w in words)]
    units = sorted({unit for of in found.values() for unit in of})
    if len(units) > 1:
        raise InputError(f"times are in {few(units)}; a cohort has one unit: read one endpoint")
    if units and (plain := [name for name, of in found.items() if not of]):
        warn(
            f"the column {few(plain)} does not say its unit; read in {units[0]}, as the others are"
        )
    return units[0] if units else ""


def named_endpoint(columns: Iterable) -> str:
    """Request to name the columns of an endpoint, with those that there are."""
    return (
        f"There are {few(list(columns), 40)}; name those of time and event: endpoints={{'os': (TIME, "
        "EVENT)}, or --endpoint os TIME EVENT on the command line"
    )


def outcome_table(frame: pd.DataFrame, endpoints: Endpoints, label: str) -> pd.DataFrame:
    """Build the survival table of a cohort from columns of ``frame``, whose index is the patients.

    A patient with only one of time and event has no label for the endpoint. Patients without any label
    are left out. One ``DataWarning`` counts both.

    Raises:
        InputError: a column that is not there, a time that is no number, an unknown event code.
    """
    columns, told = {}, []
    for endpoint, names in endpoints.items():
        if absent := [c for c in names if c not in frame]:
            raise InputError(
                f"endpoint {endpoint!r} needs the column {few(absent)}; there are "
                f"{few(frame.columns, 30)}"
            )
        text, event = known(frame[names[0]]), event_flags(frame[names[1]])
        time = pd.to_numeric(text, errors="coerce").astype("float64")
        bad = (time.isna() & text.notna()).to_frame()
        fix = "write a number with a decimal point, or empty it"
        refuse_cells(bad, text.to_frame(), "", "the non-numeric time", fix)
        if half := int((time.isna() != event.isna()).sum()):
            told += [
                f"{half} patients with only a time or only an event have no label for {endpoint}"
            ]
        labelled = time.notna() & event.notna()
        columns[f"{endpoint}_time"] = time.where(labelled)
        columns[f"{endpoint}_event"] = event.where(labelled)
    table = pd.DataFrame(columns)
    if len(table) > len(table := table.dropna(how="all")):
        told += [f"{len(frame) - len(table)} patients without any outcome are left out"]
    if table.empty:
        raise InputError("no patient has an outcome")
    if told:
        warn(f"{label}: {'; '.join(told)}")
    return table


def paired_endpoints(columns: pd.Index, time: str, event: str) -> dict[str, tuple[str, str]]:
    """Find endpoints whose two columns differ only in the suffix, as ``OS_MONTHS`` and ``OS_STATUS``."""
    stems = [c.removesuffix(time) for c in columns if c.endswith(time) and c != time]
    return {s.lower(): (s + time, s + event) for s in stems if s + event in columns}


def clinical_table(
    frame: pd.DataFrame, chosen: Sequence[str] | None, label: str
) -> dict[str, pd.DataFrame]:
    """Table ``{"clinical": table}`` of numbers and categories; empty if no column is left.

    Args:
        frame: index = patients, without the columns of the outcome.
        chosen: columns to take (constant ones are left out); None = age, sex, stage, grade and
            histology. Other columns must be asked for, since follow-up fields (days to last
            visit, new tumour events) tell the outcome; a ``DataWarning`` names the columns left out.
        label: name of the table in messages.

    Raises:
        InputError: a chosen column that is not there.
    """
    if chosen is not None and (absent := [c for c in chosen if c not in frame]):
        raise InputError(
            f"there is no column {few(absent)} for the clinical table, but {few(frame.columns, 30)}"
        )
    taken = [c for c in frame if _BASELINE.fullmatch(str(c))] if chosen is None else list(chosen)
    if chosen is None and len(left := [c for c in frame if c not in taken]):
        warn(
            f"{label}: taken as clinical: {few(taken, 20) or 'nothing'}; not taken, since they may tell "
            f"the outcome: {few(left, 20)}; name the columns that you want (--clinical, clinical=)"
        )
    table = frame[taken].apply(known)
    table = table.loc[:, table.nunique() > 1].dropna(how="all")
    if table.empty:
        return {}
    # Round trip through text: values that a file can hold, so that writing and reading changes nothing.
    text = io.StringIO(table.rename_axis("patient").to_csv())
    only_empty: dict = {"keep_default_na": False, "na_values": [""]}  # "None" may be an answer
    return {"clinical": pd.read_csv(text, converters={0: str}, index_col=0, **only_empty, **EXACT)}
