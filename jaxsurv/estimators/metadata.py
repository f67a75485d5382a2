"""Strata and entry that are given beside y, as scikit-learn's metadata routing gives them."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort
from jaxsurv.data.survival_table import STRATUM
from jaxsurv.data.tables import few
from jaxsurv.estimators.inputs import has_names, read_patients
from jaxsurv.estimators.outcome_columns import outcome_columns
from jaxsurv.estimators.patient_rows import PATIENT
from jaxsurv.types import InputError

METADATA = ("strata", "entry")  # arguments of fit and score; entry and "stratum" are columns of y


def with_metadata(X: Any, y: Any, modalities: Any, **given: Any) -> Any:
    """y with the columns ``stratum`` and ``entry``; y itself if none is given.

    Args:
        X, modalities: see :func:`jaxsurv.estimators.inputs.read_patients`.
        y: outcome, see :func:`jaxsurv.estimators.outcomes.read_outcome`.
        **given: ``strata`` and ``entry``, each ``[n]`` or None.

    Raises:
        InputError: X is a cohort; a column that y has too, or of another length; rows of X, y and the columns
            that have other names or another order.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return y
    if isinstance(X, Cohort):
        raise InputError(
            f"a cohort has its own {few(list(given))}: give strata in Cohort(strata=...), entry as the "
            "column <endpoint>_entry of its survival table"
        )
    event, time, entry, stratum, patient = outcome_columns(y)
    own = {"entry": entry, STRATUM: stratum, PATIENT: patient}
    columns = {"event": event, "time": time, **{k: v for k, v in own.items() if v is not None}}
    for name, value in given.items():
        column = STRATUM if name == "strata" else name
        if column in columns:
            raise InputError(f"y has the column {column!r}, and {name} is given too; give one")
        if np.shape(value) != np.shape(event):
            raise InputError(
                f"{name} must be one value per row of y, {list(np.shape(event))}, got shape "
                f"{list(np.shape(value))}"
            )
        columns[column] = value
    patients = read_patients(X, modalities)
    _check_order({"y": event, **given}, patients.names if patients.named else None)
    table = pd.DataFrame({name: np.asarray(column) for name, column in columns.items()})
    if isinstance(event, pd.Series):
        return table.set_axis(event.index, axis=0)
    return table.to_records(index=False)  # whose rows have no names


def _check_order(columns: Mapping[str, Any], names: pd.Index | None) -> None:
    """Refuse columns whose row names are not those of X, or of each other, in the same order."""
    known = [] if names is None else [("X", names)]
    for what, column in columns.items():
        if isinstance(column, pd.Series) and has_names(column.index):
            known.append((what, column.index.astype(str)))
    for (first, one), (second, other) in pairwise(known):
        if not one.equals(other):
            raise InputError(
                f"the rows of {first} ({few(one, 3)}) and {second} ({few(other, 3)}) differ, and strata and "
                "entry are matched by order: give all of them for the same rows, or the two as columns "
                f"'{STRATUM}' and 'entry' of y"
            )


def refuse_forgotten(trained: Any, known: Mapping[str, Any]) -> None:
    """Refuse an outcome without the strata or entry that were given beside y in training.

    Args:
        trained: names of what `fit` was given.
        known: strata and entry of the outcome, None where there is none.
    """
    if lost := [name for name in trained if known[name] is None]:
        raise InputError(
            f"the model was fitted with {few(lost)} beside y, and is scored without: give score the same (in "
            "scikit-learn's functions after sklearn.set_config(enable_metadata_routing=True)), one stratum "
            "and entry 0 if there are none, or give them as columns of y"
        )


def names_given(**given: Any) -> tuple[str, ...]:
    """Names of the arguments that are not None."""
    return tuple(name for name, value in given.items() if value is not None)
