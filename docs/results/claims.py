"""Claims of the four papers, each with the row of a result that judges it."""

from pathlib import Path
from typing import Any, NamedTuple

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


def claims_table(paper: str, results: Path) -> list[list[str]]:
    """Heading and rows of the table of one paper.

    Args:
        paper: its short name.
        results: folder of all results.

    Raises:
        ValueError: a query that does not leave one row.
    """
    table = [["claim", "published", "here (95 %)", "verdict", "study"]]
    for claim in (c for c in CLAIMS if c.paper == paper):
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


def _vae(
    claim: str,
    published: str,
    study: str,
    setting: str,
    value: str = "reference_mean",
    *,
    file: str = "pooled_summary.csv",
    measure: str | None = None,
    **judged: Any,
) -> Claim:
    """Claim on a row of MO-RiskVAE's family, as a mean over cohorts."""
    row = f"setting == {setting!r}" + (f" and measure == {measure!r}" if measure else "")
    return Claim("MO-RiskVAE", claim, published, study, file, row, value, **judged)


_HYBRID = "hybrid, K = 4, τ = 0.5"
CLAIMS: tuple[Claim, ...] = (
    _vae("β < 1 is better than β = 1, network alone, β chosen per fold", "+0.028", "mo_riskvae_alone",
         "β-KL: chosen per fold", size=0.028),
    _vae("the same with the block ridge as offset", "", "mo_riskvae", "β-KL: chosen per fold", size=0.028),
    _vae("the same in the released code: w = 0.5 minus w = 1", "", "paper", "β = 0.5"),
    _vae("MMD in place of KL brings nothing, network alone", "-0.002", "mo_riskvae_alone",
         "MMD: chosen per fold", expected=0),
    _vae("MMD and HSIC bring nothing, network alone", "+0.000", "mo_riskvae_alone",
         "MMD + HSIC: chosen per fold", expected=0),
    _vae("MO-RiskVAE is better than KL, network alone", "+0.065", "mo_riskvae_alone",
         "MO-RiskVAE: chosen per fold", size=0.065),
    _vae("the same with the block ridge as offset", "", "mo_riskvae", "MO-RiskVAE: chosen per fold",
         size=0.065),
    _vae("a hybrid latent raises C, network alone", "+0.047", "latent_structure_alone", _HYBRID, size=0.047),
    _vae("the first component of μ follows the risk better in a hybrid latent", "+0.121",
         "latent_structure_alone", _HYBRID, file="pooled_alignment.csv", measure="first_component",
         size=0.121),
    _vae("so do the dimensions of μ on average", "+0.049", "latent_structure_alone", _HYBRID,
         file="pooled_alignment.csv", measure="mean_dimension", size=0.049),
    _vae("the categories are no stable subtypes (adjusted Rand index between seeds)", "",
         "latent_structure_alone", _HYBRID, "mean", file="pooled_subtypes.csv", expected=None, style=".2f"),
    _vae("MO-RiskVAE minus ridge Cox (not in the paper), network alone", "", "mo_riskvae_alone",
         "MO-RiskVAE: chosen per fold", "ridge_mean"),
    _vae("the same, stacked, with the block ridge as offset", "", "mo_riskvae", "MO-RiskVAE, stacked",
         "ridge_mean"),
    _vae("MyeVAE as released minus ridge Cox (not in the paper)", "", "mo_riskvae", "MyeVAE as released",
         "ridge_mean"),
)  # fmt: skip
