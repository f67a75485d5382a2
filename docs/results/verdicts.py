"""Verdicts on claims of papers, read from intervals of results by rule."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from docs.results.studies import STUDIES


class Claim(NamedTuple):
    """A claim of a paper and the number that judges it.

    Attributes:
        paper: short name of the paper.
        claim: what it says, as a difference that can be measured.
        published: its own figure; empty if there is none.
        study, file, row: results, table, and the query that leaves one row of it.
        value: column of the number; its limits are in ``value_lower`` or in the column with ``lower`` in
            the place of ``mean``.
        expected: sign that the claim gives to the number; 0 = the claim is that there is nothing; None =
            no test, the number is shown.
        size: published size of the number, if the claim has one that this number can be compared with.
        style: format of the number.
    """

    paper: str
    claim: str
    published: str
    study: str
    file: str
    row: str
    value: str
    expected: int | None = 1
    size: float | None = None
    style: str = "+.3f"


def limits(row: dict, value: str) -> tuple[float, float, float]:
    """Number and limits of a row."""
    lower = f"{value}_lower" if f"{value}_lower" in row else value.replace("mean", "lower")
    return row[value], row[lower], row[lower.replace("lower", "upper")]


def verdict(claim: Claim, lower: float, upper: float) -> str:
    """What the interval says of the claim."""
    if claim.expected is None:
        return "shown, not tested"
    if claim.expected == 0:
        return "agrees" if lower <= 0 <= upper else "contradicted"
    if claim.expected < 0:
        lower, upper = -upper, -lower
    size = abs(claim.size) if claim.size else None
    smaller = size is not None and upper < size
    if lower > 0:
        return "supported, smaller than published" if smaller else "supported"
    if upper < 0:
        return "contradicted"
    return "not told from 0; the published size is ruled out" if smaller else "not told from 0"


def unmade(study: str, results: Path) -> bool:
    """True for a study that is declared, and of which there is no result."""
    return study in STUDIES and not (results / study).exists()


def claims_table(claims: Iterable[Claim], results: Path) -> list[list[str]]:
    """Heading and rows of a table of claims.

    Args:
        claims: claims, a row each.
        results: folder of all results.

    Raises:
        ValueError: a query that does not leave one row.
    """
    table = [["claim", "published", "here (95 %)", "verdict", "study"]]
    for claim in claims:
        if unmade(claim.study, results):
            table.append([claim.claim, claim.published, "not measured yet", "", f"`{claim.study}`"])
            continue
        found = pd.read_csv(results / claim.study / claim.file).query(claim.row)
        if len(found) != 1:
            raise ValueError(
                f"{claim.study}/{claim.file}: {claim.row!r} has {len(found)} rows, not 1"
            )
        value, lower, upper = limits(found.to_dict("records")[0], claim.value)
        s = claim.style
        here = f"{value:{s}} ({lower:{s}} to {upper:{s}})"
        table.append(
            [claim.claim, claim.published, here, verdict(claim, lower, upper), f"`{claim.study}`"]
        )
    return table


def studies_table() -> list[list[str]]:
    """Heading and rows of the table of all studies."""
    table = [["study", "command", "cohorts", "hours"]]
    for name, study in STUDIES.items():
        cohorts = ", ".join(c.removeprefix("tcga_").upper() for c in study.cohorts)
        table.append([f"`{name}`", f"`python -m {study.command}`", cohorts, f"{study.hours:g}"])
    hours = sum(s.hours for s in STUDIES.values())
    return [*table, ["all", "`python -m docs.results.make`", "", f"{hours:.1f}"]]
