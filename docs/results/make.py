"""Make the results that the pages show, and write the pages' tables from them.

    python -m docs.results.make                 # all that are out of date
    python -m docs.results.make --list          # their commands and expected hours on two cores
    python -m docs.results.make NAME ...        # these, if they are out of date

The whole output is in results/docs/NAME. A run that was interrupted goes on where it was. Studies of
several cohorts find them in the folder that the environment variable JAXSURV_COHORTS names.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd

from docs import check
from docs.results.recidivism import write_recidivism
from docs.results.studies import STUDIES
from jaxsurv.artifacts import NUMERICS
from jaxsurv.artifacts.results import comparable
from jaxsurv.study.statistics import corrected_t
from jaxsurv.types import InputError

WORK = check.DOCS.parent / "results" / "docs"
KEYS = ("measure", "setting")
PLACE = "$JAXSURV_COHORTS/"


def manifest_of(folder: Path) -> dict:
    """Manifest of a folder of results; empty if there is none."""
    return check.manifest_of(folder) if (folder / "manifest.json").exists() else {}


def up_to_date(name: str) -> bool:
    """True for these tables of this command and these cohorts, with today's versions of the numbers."""
    study, folder = STUDIES[name], check.RESULTS / name
    manifest = manifest_of(folder)
    made_by = (manifest.get("command"), set(manifest.get("numerics", ())))
    same = made_by == (f"python -m {study.command}", set(study.uses))
    same = same and set(manifest["cohorts"]) == set(study.cohorts)
    return same and set(study.files) <= set(manifest["files"]) and not check.stale(folder)


def over_cohorts(table: pd.DataFrame) -> pd.DataFrame:
    """Means over cohorts of the means of a table, with their t intervals.

    Args:
        table: rows of several cohorts, with a column ``cohort``.

    Returns:
        a row per setting (and measure), with ``NAME``, ``NAME_lower`` and ``NAME_upper`` for each column
        ``NAME`` that is a mean of each cohort, and the number of cohorts.
    """
    keys = [k for k in KEYS if k in table]
    names = [c for c in table if c in ("mean", "scale") or c.endswith("_mean")]
    rows = []
    for key, group in table.groupby(keys, sort=False):
        row = dict(zip(keys, map(str, key), strict=True)) | {"cohorts": group["cohort"].nunique()}
        for column in names:
            found = corrected_t(group[column].to_numpy(), 0.0)
            row |= {
                column: found.mean,
                f"{column}_lower": found.lower,
                f"{column}_upper": found.upper,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def run(command: str, out: Path) -> dict:
    """Run a command, or what is left of it; its manifest."""
    versions = manifest_of(out).get("numerics", NUMERICS)
    how = "--resume" if versions == NUMERICS else "--overwrite"
    folders = folders_of(command)
    words = [folders.get(word, word) for word in command.split()]
    line = [sys.executable, "-m", *words, "--out", str(out), how]
    subprocess.run(line, check=True, cwd=check.DOCS.parent)
    return manifest_of(out)


def folders_of(command: str) -> dict[str, str]:
    """Words of a command that stand for the folder of a cohort, and the folders."""
    words = [word for word in command.split() if word.startswith(PLACE)]
    return {word: str(cohort_folder(word.removeprefix(PLACE))) for word in words}


def cohort_folder(name: str) -> Path:
    """Folder of a cohort that is not in this repository; that of lifelines' data is written here."""
    if name == "recidivism":
        if not (folder := WORK / "cohorts" / name).exists():
            write_recidivism(folder)
        return folder
    folder = Path(os.environ.get("JAXSURV_COHORTS", ".")) / name
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}; let JAXSURV_COHORTS name the folder that has {name}"
        )
    return folder


def make(name: str) -> None:
    """Run the command on each of its cohorts, and keep its tables with what is needed of its manifests."""
    study, target = STUDIES[name], check.RESULTS / name
    tables: dict[str, pd.DataFrame] = {}
    if study.cohorts:
        folders = {c: cohort_folder(c) for c in study.cohorts}  # all are there before the first run
        manifests = {
            c: run(f"{study.command} --cohort {PLACE}{c}", WORK / name / c) for c in folders
        }
        for file in study.files:
            parts = {c.removeprefix("tcga_").upper(): WORK / name / c / file for c in folders}
            table = pd.concat({c: pd.read_csv(p) for c, p in parts.items()}, names=["cohort"])
            table = table.droplevel(1).dropna(axis=1, how="all").reset_index()
            tables[file] = table
            if "setting" in table and {"mean", "scale"} & set(table):
                tables[f"pooled_{file}"] = over_cohorts(table)
    else:
        manifests = {"": run(study.command, WORK / name)}
        tables = {file: pd.read_csv(WORK / name / file) for file in study.files}
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for file, table in tables.items():
        table.to_csv(target / file, index=False, float_format="%.5g")
    one = next(iter(manifests.values()))
    text = json.dumps(comparable(one)["options"])  # seeds, folds and the rest; no paths
    for word, folder in folders_of(study.command).items():
        text = text.replace(json.dumps(folder), json.dumps(word))
    options = json.loads(text)
    kept = {
        "command": f"python -m {study.command}",
        "options": {k: v for k, v in options.items() if k != "cohort" or not study.cohorts},
        "cohorts": {c: m["cohort_fingerprint"] for c, m in manifests.items() if c},
        "versions": one["versions"],
        "numerics": {part: one["numerics"][part] for part in study.uses},
        "files": {f: hashlib.sha256((target / f).read_bytes()).hexdigest() for f in tables},
    }
    (target / "manifest.json").write_text(json.dumps(kept, indent=2) + "\n")


def main(arguments: list[str]) -> int:
    """Make what is out of date, of all results or of those named."""
    if arguments == ["--list"]:
        for name, study in STUDIES.items():
            state = "" if up_to_date(name) else ", out of date"
            cohorts = f" on {', '.join(study.cohorts)}" if study.cohorts else ""
            print(f"{name}: {study.hours:g} h{state}: python -m {study.command}{cohorts}")
        print(f"together {sum(s.hours for s in STUDIES.values()):g} h")
        return 0
    if unknown := set(arguments) - set(STUDIES):
        print(f"{', '.join(sorted(unknown))}: no such results; there are {', '.join(STUDIES)}")
        return 2
    todo = [name for name in arguments or STUDIES if not up_to_date(name)]
    for name in todo:
        print(f"{name}: about {STUDIES[name].hours:g} h", flush=True)
        make(name)
    return check.main(["--write"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
