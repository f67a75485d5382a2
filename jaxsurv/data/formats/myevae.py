"""The input folder of MyeVAE: one table of all features, whose prefixes are the modalities."""

import re
from pathlib import Path

import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.delimited import by_first_column, read_table
from jaxsurv.data.files import naming, open_text, require_file, require_folder
from jaxsurv.data.formats.matrix import as_numbers, measured_kind
from jaxsurv.data.formats.outcomes import outcome_table
from jaxsurv.data.identifiers import gene_name
from jaxsurv.data.readers import found_cohort
from jaxsurv.data.table_files import read_parquet, warn_of_workbooks
from jaxsurv.data.tables import few, refuse_repeated, warn
from jaxsurv.types import InputError

LABELS = "train_labels.csv"
# Raw features come first: the others were selected with the outcomes of all training patients.
FEATURES = (
    "train_features.csv",
    "train_features_os_processed.csv",
    "train_features_pfs_processed.csv",
)
_ENDPOINTS = {"os": ("oscdy", "censos"), "pfs": ("pfscdy", "censpfs")}
_PREFIXES = {
    "rna": "Feature_exp_?",
    "cnv": "Feature_CNA_(?=ENSG)",
    "gistic": "Feature_CNA_(?=Amp|Del)",
    "fish": "Feature_fish_?",
    "sbs": "Feature_(?=SBS)",
    "igh": "Feature_SeqWGS_",
    "clinical": "Feature_clin_?",
}


def read_myevae(path: str | Path, *, semi_supervised: bool = False) -> Cohort:
    """Read MyeVAE's input folder: ``train_labels.csv`` and the features of the same patients.

    Each file may also be Parquet (which needs pyarrow), with ``.parquet`` in place of ``.csv`` or not. The
    patients are its index or its first column.

    Features are read from the first of these files that exists: ``train_features.csv`` (raw, with its
    missing values), ``train_features_os_processed.csv``, ``train_features_pfs_processed.csv``. Processed
    features were selected, scaled and imputed with all training patients and their outcomes, so that
    cross-validated scores on them are optimistic; a ``DataWarning`` says so.

    Column prefixes are modalities: ``Feature_exp`` rna, ``Feature_CNA_ENSG...`` cnv,
    ``Feature_CNA_(Amp|Del)`` gistic, ``Feature_fish`` fish, ``Feature_SBS`` sbs, ``Feature_SeqWGS_``
    igh, ``Feature_clin`` clinical. Endpoints, in days: os (``oscdy``, ``censos`` 1 = died), pfs
    (``pfscdy``, ``censpfs``). If an endpoint has negative times, all its times are shifted so that the
    smallest is 0, as MyeVAE does, with a ``DataWarning``.

    Args:
        path: path of the folder.
        semi_supervised: keep patients without an outcome, as rows without a label.

    Raises:
        InputError: a file that is missing or not valid; the message names it and the problem.

    Reference: Chang et al., BMC Artificial Intelligence 1 (2025) 8.
    """
    folder = Path(path)
    require_folder(folder)
    warn_of_workbooks(folder)
    file = found(folder, LABELS) or folder / LABELS
    with naming(file):
        labels = _table(file)
        there = {e: c for e, c in _ENDPOINTS.items() if set(c) <= set(labels.columns)}
        if not there:
            raise InputError(
                f"needs the columns oscdy and censos, or pfscdy and censpfs; there are "
                f"{few(labels.columns, 20)}"
            )
        survival = outcome_table(labels, there, LABELS)
        for endpoint in there:
            time = survival[f"{endpoint}_time"]
            if (time < 0).any():
                survival[f"{endpoint}_time"] = time - time.min()
                warn(
                    f"{LABELS}: {(time < 0).sum()} negative times of {endpoint}; all its times are "
                    f"shifted by {-time.min():g} days, as MyeVAE does"
                )
    file = next(filter(None, (found(folder, name) for name in FEATURES)), None)
    if file is None:
        raise InputError(f"{folder} has none of {few(FEATURES)}")
    if "processed" in file.name:
        warn(
            f"{file.name}: these features were selected and imputed with all training patients and their "
            "outcomes, so cross-validated scores are optimistic; train_features.csv has the raw ones"
        )
    with naming(file):
        modalities = _modalities(_table(file), file.name)
    kinds = {m: measured_kind(table) for m, table in modalities.items()}
    about = {"name": folder.resolve().name, "time_unit": "days", "source": "MyeVAE inputs"}
    return found_cohort(folder, modalities, survival, kinds, semi_supervised, **about)


def found(folder: Path, name: str) -> Path | None:
    """Path of the file of this name, or of the Parquet file beside it; None if there is neither."""
    places = folder / name, (folder / name).with_suffix(".parquet")
    return next((place for place in places if place.exists()), None)


def _table(file: Path) -> pd.DataFrame:
    require_file(file)
    with file.open("rb") as handle:
        parquet = handle.read(4) == b"PAR1"
    if parquet:  # some releases wrote Parquet under the name .csv
        table = read_parquet(file)
    else:
        with open_text(file) as text:
            table = by_first_column(read_table(enumerate(text, 1), ",", converters={0: str}))
    refuse_repeated(table.index, "duplicate patients", "keep one row each")
    return table


def _modalities(features: pd.DataFrame, label: str) -> dict[str, pd.DataFrame]:
    made, left = {}, list(features.columns)
    for name, pattern in _PREFIXES.items():
        columns = [c for c in features if re.match(pattern, c)]
        left = [c for c in left if c not in set(columns)]
        if columns:
            names = [gene_name(re.sub(f"^{pattern}", "", c)) for c in columns]
            made[name] = as_numbers(features[columns]).set_axis(names, axis=1)
    if not made:
        raise InputError(
            f"has no column that begins with Feature_exp, Feature_CNA_ ...: {few(left)}"
        )
    if left:
        warn(f"{label}: {len(left)} columns without a known prefix left out ({few(left, 3)})")
    return made
