"""Convert other people's files into a cohort folder, or describe a cohort.

python -m jaxsurv.data convert acc_tcga_pan_can_atlas_2018 cohorts/acc
python -m jaxsurv.data describe cohorts/acc --out results/acc
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True, kw_only=True)
class Source:
    """Source of a cohort.

    Attributes:
        source: a cBioPortal study folder, a folder of UCSC Xena files, MyeVAE's input folder, a MuData
            file (.h5mu), a GEO series matrix, a MAGE-TAB experiment of ArrayExpress, or a cohort folder. The
            files tell which one it is.
        endpoint: name of an endpoint, column of its time, column of its event (MuData, GEO and MAGE-TAB
            only). Can be repeated, as in --endpoint os os_days os_status pfs pfs_days pfs_status.
        clinical: columns of the clinical table; age, sex, stage, grade and histology if not given.
        annotation: platform table that maps probes to genes (GEO and MAGE-TAB only).
        semi_supervised: keep patients without an outcome, as rows without a label.
        deaths: one more endpoint, death, with the causes disease and other, from the endpoints os and dss.
    """

    source: Annotated[Path, Positional, arg(metavar="SOURCE")]
    endpoint: tuple[tuple[str, str, str], ...] = ()
    clinical: tuple[str, ...] = ()
    annotation: Path | None = None
    semi_supervised: bool = False
    deaths: bool = False


@dataclass(frozen=True, kw_only=True)
class Convert(Source):
    """Write a cohort in the folder format of jaxsurv, and say what is in it.

    Attributes:
        destination: folder to write; new or empty.
        name: name of the cohort; the name of the source if not given.
    """

    destination: Annotated[Path, Positional, arg(metavar="DESTINATION")]
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Describe(Source):
    """Report modalities per patient, follow-up, survival, outliers and constant columns.

    Attributes:
        out: folder for tables, figures and report; results/describe/NAME if not given.
        overwrite: replace the report in that folder.
    """

    out: Path | None = None
    overwrite: bool = False


def run(options: Convert | Describe) -> None:
    """Read the source, then write the folder or the report."""
    from jaxsurv.artifacts import ResultsFolder
    from jaxsurv.cli.terminal import Terminal
    from jaxsurv.data import competing_deaths, write_cohort
    from jaxsurv.data.formats import detect_format, read_any
    from jaxsurv.data.safe_text import file_stem
    from jaxsurv.report.cohort import describe, print_summary

    console = Terminal(170)
    with console.status(f"reading {options.source}"):
        console.print(f"{options.source}: {detect_format(options.source)}")
        cohort = read_any(
            options.source,
            endpoints={name: (time, event) for name, time, event in options.endpoint} or None,
            clinical=options.clinical or None,
            annotation=options.annotation,
            semi_supervised=options.semi_supervised or None,
        )
        cohort = competing_deaths(cohort) if options.deaths else cohort
    if isinstance(options, Describe):
        out = options.out or Path("results/describe") / file_stem(cohort.name)
        describe(cohort, ResultsFolder(out, overwrite=options.overwrite), console)
        return
    with console.status(f"writing {options.destination}"):
        cohort = cohort.renamed(options.name) if options.name else cohort
        write_cohort(cohort, options.destination)
    print_summary(cohort, console)
    console.print(f"cohort: {options.destination}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    from jaxsurv.cli.command import subcommands

    commands = {"convert": Convert, "describe": Describe}
    return subcommands(run, commands, "python -m jaxsurv.data", __doc__, arguments)


if __name__ == "__main__":
    sys.exit(main())
