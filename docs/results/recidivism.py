"""The recidivism data of lifelines as a folder of tables: survival analysis outside of medicine.

python -m docs.results.recidivism FOLDER
"""

import sys
from pathlib import Path

import pandas as pd
from lifelines.datasets import load_rossi

from jaxsurv.data import Cohort, write_cohort


def write_recidivism(folder: Path) -> None:
    """Write 432 convicts, the weeks from their release to an arrest, and seven covariates.

    Args:
        folder: folder to write, whose name becomes the cohort's.
    """
    table = load_rossi()
    table.index = pd.Index([f"R{i:03d}" for i in range(len(table))], name="patient")
    survival = pd.DataFrame({"arrest_time": table.pop("week"), "arrest_event": table.pop("arrest")})
    cohort = Cohort(
        {"covariates": table},
        survival,
        {"covariates": "mixed"},
        name=folder.name,
        title="Recidivism",
        time_unit="weeks",
        source="Rossi, Berk & Lenihan 1980; lifelines.datasets.load_rossi",
    )
    write_cohort(cohort, folder)


if __name__ == "__main__":
    write_recidivism(Path(sys.argv[1]))
