"""Detection of a file's or folder's format, for the command line, which is given only a path."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.files import WORKBOOKS, naming, require_file
from jaxsurv.data.formats.cbioportal import read_cbioportal
from jaxsurv.data.formats.geo import read_geo
from jaxsurv.data.formats.h5mu import read_h5mu
from jaxsurv.data.formats.mage_tab import read_mage_tab
from jaxsurv.data.formats.myevae import LABELS, found, read_myevae
from jaxsurv.data.formats.xena import is_survival_table, read_xena
from jaxsurv.data.readers import read_cohort
from jaxsurv.data.tables import few
from jaxsurv.types import InputError

READERS: dict[str, Callable[..., Cohort]] = {
    "jaxsurv folder": read_cohort,
    "cBioPortal study": read_cbioportal,
    "UCSC Xena folder": read_xena,
    "MyeVAE inputs": read_myevae,
    "MuData file": read_h5mu,
    "GEO series matrix": read_geo,
    "MAGE-TAB experiment": read_mage_tab,
}


def detect_format(path: str | Path) -> str:
    """Find the key of ``READERS`` for a file or folder.

    Raises:
        InputError: no such path, or an unknown format.
    """
    place = Path(path)
    if not place.exists():
        raise InputError(f"{place} does not exist")
    if not place.is_dir():
        with naming(place):
            require_file(place)
        if place.suffix == ".h5mu":
            return "MuData file"
        if "series_matrix" in place.name:
            return "GEO series matrix"
        if place.name.endswith(".idf.txt"):
            return "MAGE-TAB experiment"
        raise InputError(
            f"{place} is neither a MuData file (.h5mu) nor a GEO series matrix (..._series_matrix.txt) nor a "
            "MAGE-TAB experiment (.idf.txt)"
        )
    if (place / "data_clinical_patient.txt").exists():
        return "cBioPortal study"
    if any(place.glob("*.idf.txt")):
        return "MAGE-TAB experiment"
    if found(place, LABELS):
        return "MyeVAE inputs"
    files = [f for f in sorted(place.iterdir()) if not f.is_dir() and f.name[0] != "."]
    text = [f for f in files if f.suffix.lower() not in (".npy", ".parquet", *WORKBOOKS)]
    if any(is_survival_table(f) for f in text):
        return "UCSC Xena folder"
    if any(
        f.name.startswith(("survival.csv", "survival.tsv", "survival.parquet"))
        for f in place.iterdir()
    ):
        return "jaxsurv folder"
    raise InputError(
        f"{place} has none of survival.csv (jaxsurv), data_clinical_patient.txt (cBioPortal), an .idf.txt "
        f"(MAGE-TAB), {LABELS} (MyeVAE), a survival table with OS and OS.time (UCSC Xena); there are "
        f"{few([f.name for f in files], 10) or 'no files'}"
    )


def read_any(path: str | Path, **options: Any) -> Cohort:
    """Read whatever ``detect_format`` finds; options of the reader that are None are not passed.

    Raises:
        InputError: an option that the format does not have.
    """
    name = detect_format(path)
    reader = READERS[name]
    given = {key: value for key, value in options.items() if value is not None}
    if unknown := [key for key in given if key not in inspect.signature(reader).parameters]:
        raise InputError(f"{path} is a {name}, which does not take {few(unknown)}")
    return reader(path, **given)
