"""Make the results that the pages show, and write the pages' tables from them.

    python -m docs.results.make                 # all that are out of date
    python -m docs.results.make --list          # their commands and expected hours on two cores
    python -m docs.results.make NAME ...        # these, if they are out of date

The whole output is in results/docs/NAME. A run that was interrupted goes on where it was.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from docs import check
from jaxsurv.artifacts import NUMERICS
from jaxsurv.artifacts.results import comparable

WORK = check.DOCS.parent / "results" / "docs"


class Result(NamedTuple):
    """Results of one command.

    Attributes:
        command: module and options of the experiment.
        files: tables to keep.
        uses: parts of ``NUMERICS`` on which they depend.
        hours: expected hours on two cores.
    """

    command: str
    files: tuple[str, ...]
    uses: tuple[str, ...]
    hours: float


_STUDY = ("random", "survival", "statistics", "recipe")
RESULTS = {
    "latent_structure": Result(
        "experiments.latent_structure --categories 4 --temperatures 0.1 0.5",
        ("alignment.csv", "hazard_ratios.csv", "subtypes.csv", "summary.csv", "temperatures.csv"),
        (*_STUDY, "SurvivalVAE", "MORiskVAE"),
        0.05,
    ),
    "latent_structure_alone": Result(
        "experiments.latent_structure --categories 4 --temperatures 0.1 0.5 --offset none",
        ("alignment.csv", "hazard_ratios.csv", "subtypes.csv", "summary.csv", "temperatures.csv"),
        (*_STUDY, "SurvivalVAE", "MORiskVAE"),
        0.05,
    ),
    "heads": Result(
        "experiments.heads",
        ("calibration.csv", "summary.csv"),
        (*_STUDY, "SurvivalVAE", "heads"),
        0.1,
    ),
    "coverage": Result(
        "experiments.coverage --learners ridge",
        ("small_sets.csv", "summary.csv"),
        ("random", "statistics", "survival", "recipe"),
        0.2,
    ),
    "coverage_networks": Result(
        "experiments.coverage --learners network --replicates 2",
        ("summary.csv",),
        ("random", "statistics", "CoxNnet"),
        0.4,
    ),
}


def manifest_of(folder: Path) -> dict:
    """Manifest of a folder of results; empty if there is none."""
    return check.manifest_of(folder) if (folder / "manifest.json").exists() else {}


def up_to_date(name: str) -> bool:
    """True for results of this command, with today's versions of the numbers."""
    folder, (command, _, uses, _) = check.RESULTS / name, RESULTS[name]
    manifest = manifest_of(folder)
    made_by = (manifest.get("command"), set(manifest.get("numerics", ())))
    return made_by == (f"python -m {command}", set(uses)) and not check.stale(folder)


def make(name: str) -> None:
    """Run the command, or what is left of it, and keep its tables with what is needed of its manifest."""
    command, files, uses, _ = RESULTS[name]
    source, target = WORK / name, check.RESULTS / name
    versions = manifest_of(source).get("numerics", NUMERICS)
    how = "--resume" if versions == NUMERICS else "--overwrite"
    run = [sys.executable, "-m", *command.split(), "--out", str(source), how]
    subprocess.run(run, check=True, cwd=check.DOCS.parent)
    manifest = manifest_of(source)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file in files:
        shutil.copy(source / file, target)
    kept = {
        "command": f"python -m {command}",
        "options": comparable(manifest)["options"],  # seeds, folds and the rest; no paths
        "versions": manifest["versions"],
        "numerics": {part: manifest["numerics"][part] for part in uses},
        "files": {file: manifest["files"][file] for file in files},
    }
    (target / "manifest.json").write_text(json.dumps(kept, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    """Make what is out of date, of all results or of those named."""
    if arguments == ["--list"]:
        for name, result in RESULTS.items():
            state = "" if up_to_date(name) else ", out of date"
            print(f"{name}: {result.hours:g} h{state}: python -m {result.command}")
        print(f"together {sum(r.hours for r in RESULTS.values()):g} h")
        return 0
    if unknown := set(arguments) - set(RESULTS):
        print(f"{', '.join(sorted(unknown))}: no such results; there are {', '.join(RESULTS)}")
        return 2
    todo = [name for name in arguments or RESULTS if not up_to_date(name)]
    for name in todo:
        print(f"{name}: about {RESULTS[name].hours:g} h", flush=True)
        make(name)
    return check.main(["--write"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
