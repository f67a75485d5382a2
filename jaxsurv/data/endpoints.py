"""Checks of the endpoints of a cohort against each other: who is dead, and in which unit times are."""

import re
from itertools import combinations, permutations

import numpy as np
import pandas as pd

from jaxsurv.data.survival_table import endpoint_names
from jaxsurv.data.tables import few, warn

_DEATH = re.compile(
    r"os(_.*)?|overall(_survival)?|death|(all_cause|overall)(_(death|mortality))?|mortality"
)
_OF_DISEASE = {"dss", "css", "disease_specific_survival", "cancer_specific_survival"}
_UNITS = {
    "days beside months": 365.25 / 12,
    "days beside years": 365.25,
    "months beside years": 12.0,
    "days beside weeks": 7.0,
    "weeks beside months": 365.25 / 84,
    "weeks beside years": 365.25 / 7,
}
_ROUNDING = 0.01  # relative: times of one visit, rounded in two ways
_MONTH = 0.02  # relative: a month of 30 days, 30.4375 or 30.5
_SHARE, _SOME = 0.1, 5  # patients with one ratio of two times, and their least number
_APART = 15.0  # median ratio of two times of one patient that no disease explains


def check_endpoints(survival: pd.DataFrame) -> None:
    """Look for endpoints that contradict each other; ``survival`` is clean.

    Warns:
        DataWarning: patients with a time after their death or last contact, and those who died of the
            disease and are alive; two endpoints whose times look like two units.
    """
    names = endpoint_names(survival)
    for death, other in permutations(names, 2):
        if _is_death(death) and not _is_death(other):
            _check_death(survival, death, other)
    for one, other in combinations(names, 2):
        _check_units(survival[f"{one}_time"], survival[f"{other}_time"], one, other)


def _is_death(endpoint: str) -> bool:
    """True for the name of a death of any cause, in any case and with any separators."""
    return bool(_DEATH.fullmatch(re.sub(r"[\W_]+", "_", endpoint.strip().lower()).strip("_")))


def _check_death(survival: pd.DataFrame, death: str, other: str) -> None:
    last, dead = survival[f"{death}_time"], survival[f"{death}_event"] > 0
    time, event = survival[f"{other}_time"], survival[f"{other}_event"] > 0
    late = time > last * (1 + _ROUNDING)
    told = {
        f"{other} events after death": late & dead & event,
        f"{other} events after the last contact of {death}": late & ~dead & event,
        f"{other} times after {death}_time": late & ~event,
    }
    if other.lower() in _OF_DISEASE:
        told[f"deaths in {other} of patients who are alive in {death}"] = (
            event & ~dead & last.notna()
        )
    found = [
        f"{bad.sum()} {what}: {few(bad.index[bad])}" for what, bad in told.items() if bad.any()
    ]
    if found:
        warn(
            f"{death} and {other} contradict each other: {'; '.join(found)}; check dates and units"
        )


def _check_units(a: pd.Series, b: pd.Series, one: str, other: str) -> None:
    ratio = (a / b)[(a > 0) & (b > 0)]
    if len(ratio) < _SOME:
        return
    ratio = ratio if np.median(ratio) >= 1 else 1 / ratio
    for units, factor in _UNITS.items():
        same = (ratio / factor - 1).abs() < _MONTH
        if same.sum() >= max(_SOME, _SHARE * len(ratio)):
            patients = few(ratio.index[same], 3)
            what = f"{factor:.4g} times as long in {same.sum()} patients ({patients}), as {units}"
            break
    else:
        if np.median(ratio) < _APART:
            return
        what = f"{np.median(ratio):.3g} times as long in the median patient"
    warn(f"times of {one!r} and {other!r} look like two units: one is {what}; give all in one unit")
