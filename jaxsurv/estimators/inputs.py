"""Features in the forms that people have them, as tables by modality."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array

from jaxsurv.data import Cohort
from jaxsurv.data.frames import as_frame, has_names, native
from jaxsurv.data.tables import few, to_text, with_text_names
from jaxsurv.types import InputError

FEATURES = "features"  # the one modality of a table whose columns are not assigned

Modalities = Mapping[str, Sequence[str]]


class Patients(NamedTuple):
    """Tables of features and names of patients, without the outcome.

    Attributes:
        tables: modality to ``[patients who may have it, features]``.
        names: ``n`` patients in the order of the rows.
        named: whether the names are the user's, by which an outcome may be matched.
        ordered: whether rows have an order, by which an outcome may be matched.
        labelled: whether rows have labels at all, be they numbers.
        strata: labels of the patients' strata, by name, or None.
    """

    tables: dict[str, pd.DataFrame]
    names: pd.Index
    named: bool
    ordered: bool
    labelled: bool = True
    strata: pd.Series | None = None

    @property
    def labels(self) -> np.ndarray | None:
        """``[n]`` labels of the strata, NaN where unknown; None = nothing is known of any."""
        return None if self.strata is None else self.strata.reindex(self.names).to_numpy(object)


def is_mudata(X: Any) -> bool:
    """True for a MuData, which need not be installed. NumPy takes one for a sequence without end."""
    return hasattr(X, "mod") and hasattr(X, "obs_names")


def read_patients(X: Any, modalities: Modalities | None) -> Patients:
    """Tables by modality.

    Args:
        X: an array ``[n, d]`` (columns x0, x1, ...), a table (see `as_frame`), a dict of tables by modality,
            whose patients may differ, a :class:`jaxsurv.data.Cohort` or a MuData. The columns of a
            DataFrame may be pairs (modality, feature).
        modalities: modality to its columns, for a table or an array; columns that none names are
            not read. None = one modality, ``"features"``.

    Raises:
        InputError: a column that is not there, tables without rows, and what scikit-learn's
            ``check_array`` refuses in an array.
    """
    if isinstance(X, Cohort):
        return Patients(dict(X.modalities), X.survival.index, True, True, strata=X.strata)
    if is_mudata(X):
        tables = {m: table.to_df() for m, table in X.mod.items()}
        return Patients(tables, pd.Index(X.obs_names.astype(str)), True, True)
    if isinstance(X, Mapping) and not issparse(X):  # one kind of sparse matrix is a mapping
        return _read_dict(X)
    if isinstance(X, str | os.PathLike):
        raise InputError(
            f"X is the path {str(X)!r}: read it with jaxsurv.data.read_cohort, or without outcomes with "
            "read_features(path, model.fitted().preprocessing.schema.kinds)"
        )
    if isinstance(X, pd.Series):
        raise InputError(
            "X is a Series; give a table, for one patient X.iloc[[0]] instead of X.iloc[0]"
        )
    X = native(X)
    labelled, X = isinstance(X, pd.DataFrame), as_frame(X)
    table = X if isinstance(X, pd.DataFrame) else _read_array(X)
    if not len(table) or not table.shape[1]:
        raise InputError(f"X has {len(table)} patients and {table.shape[1]} columns; needs both")
    if table.columns.nlevels == 2 and modalities is None:
        return _read_dict({str(m): table[m] for m in table.columns.unique(0)})
    named = has_names(table.index)
    table = with_text_names(table)
    if modalities is None:
        return Patients({FEATURES: table}, table.index, named, True, labelled)
    check_modalities(modalities)
    parts = {m: [c for c in columns if c in table.columns] for m, columns in modalities.items()}
    tables = {m: table[columns] for m, columns in parts.items() if columns}
    if not tables:
        raise InputError(
            f"none of the columns of the modalities {few(list(modalities))} is in X, which has "
            f"{few(table.columns)}"
        )
    return Patients(tables, table.index, named, True, labelled)


def in_strata(patients: Patients, strata: Any) -> Patients:
    """Patients in the strata ``[n]`` of these labels; None = those that they have.

    Raises:
        InputError: another number of labels.
    """
    if strata is None:
        return patients
    cells = np.asarray(strata, object)
    if cells.shape != patients.names.shape:
        raise InputError(
            f"strata must be one label per row of X, [{len(patients.names)}], got shape {list(cells.shape)}"
        )
    return patients._replace(strata=to_text(pd.Series(cells, patients.names)))


def check_modalities(modalities: Any) -> None:
    """Refuse what is no mapping of modalities to lists of columns."""
    if not isinstance(modalities, Mapping) or any(
        isinstance(c, str) or not isinstance(c, Iterable) for c in modalities.values()
    ):
        raise InputError(
            'modalities must give each modality a list of its columns, such as {"clinical": ["age", '
            f'"sex"]}}, got {modalities!r}'
        )


def _read_array(X: Any) -> pd.DataFrame:
    X = X.filled(np.nan) if isinstance(X, np.ma.MaskedArray) else X
    try:
        x = check_array(X, ensure_all_finite="allow-nan")
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    return pd.DataFrame(x, columns=[f"x{j}" for j in range(x.shape[1])])


def _read_dict(X: Mapping[str, Any]) -> Patients:
    if not X:
        raise InputError("X has no modality; give {modality: DataFrame}")
    X = {m: as_frame(table) for m, table in X.items()}
    for m, table in X.items():
        if not isinstance(table, pd.DataFrame):
            raise InputError(f"X[{m!r}] must be a DataFrame, got {type(table).__name__}")
    first = next(iter(X.values())).index
    together = all(table.index.equals(first) for table in X.values())
    bare = {m: len(table) for m, table in X.items() if not has_names(table.index)}
    if len(set(bare.values())) > 1:
        raise InputError(
            f"the tables {few(list(bare))} have {few(list(bare.values()))} rows without names: which belong "
            "to one patient? give each table the patients as its index"
        )
    named = not together or has_names(first)
    tables = {m: with_text_names(table) for m, table in X.items()}
    names = pd.Index([], dtype=object).append([t.index for t in tables.values()])
    return Patients(tables, names.unique(), named, together)
