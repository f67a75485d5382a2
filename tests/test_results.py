"""Tables of the pages and the results behind them: none is out of date, and what is out of date is told."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from docs import check
from docs.results import make
from docs.results.claims import CLAIMS
from docs.results.studies import STUDIES, Study
from docs.results.verdicts import Claim, verdict
from jaxsurv.artifacts import NUMERICS
from jaxsurv.data import read_cohort
from jaxsurv.types import InputError

PAGE = """Text.

<!-- results: a/scores.csv where cohort != "LUAD"
cohort: {cohort}
C (95 %): {mean:.2f} ({lower, 95:+.1f})
share: {share:.0%}
-->

| old |

<!-- end -->

More.
"""
TABLE = """| cohort | C (95 %) | share |
| --- | --- | --- |
| ACC | 0.71 (+0.6) | 50% |
"""


@pytest.fixture
def results(tmp_path, monkeypatch):
    """A page with one table and its results, in the place of the real ones."""
    folder = tmp_path / "results" / "a"
    folder.mkdir(parents=True)
    frame = pd.DataFrame(
        {"cohort": ["LUAD", "ACC"], "mean": [0.6, 0.71], "lower, 95": 0.6, "share": 0.5}
    )
    frame.to_csv(folder / "scores.csv", index=False)
    digest = hashlib.sha256((folder / "scores.csv").read_bytes()).hexdigest()
    manifest = {"numerics": {"random": NUMERICS["random"]}, "files": {"scores.csv": digest}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "page.md").write_text(PAGE)
    monkeypatch.setattr(check, "DOCS", tmp_path)
    monkeypatch.setattr(check, "RESULTS", tmp_path / "results")
    return folder


def test_pages_and_results_are_up_to_date():
    assert not check.problems()


@pytest.mark.parametrize(
    "name", sorted(p.parent.name for p in check.RESULTS.glob("*/manifest.json"))
)
def test_results_are_of_the_command_that_is_declared(name):
    assert make.up_to_date(name)


def test_every_part_that_results_use_has_a_version():
    for study in STUDIES.values():
        assert set(study.uses) <= set(NUMERICS)


def test_a_study_of_cohorts_is_one_table_and_its_means(results, tmp_path, monkeypatch):
    scores = {"tcga_acc": (0.8, 0.1), "tcga_luad": (0.6, 0.3)}

    def run(command, out):
        cohort = command.rpartition("/")[2]
        mean, gain = scores[cohort]
        out.mkdir(parents=True)
        frame = pd.DataFrame({"setting": ["a", "b"], "mean": mean, "ridge_mean": [0.0, gain]})
        frame.to_csv(out / "s.csv", index=False)
        options = {"seeds": 3, "cohort": cohort}
        return {
            "options": options, "cohort_fingerprint": cohort[-3:], "versions": {}, "numerics": NUMERICS
        }  # fmt: skip

    study = Study("experiments.any --seeds 3", ("s.csv",), ("random",), 0.1, tuple(scores))
    monkeypatch.setitem(STUDIES, "any", study)
    monkeypatch.setattr(make, "WORK", tmp_path / "work")
    monkeypatch.setattr(make, "run", run)
    monkeypatch.setenv("JAXSURV_COHORTS", str(tmp_path / "none"))
    with pytest.raises(InputError, match="JAXSURV_COHORTS name the folder that has tcga_acc"):
        make.make("any")
    for cohort in scores:
        (tmp_path / "none" / cohort).mkdir(parents=True)
    make.make("any")
    folder = check.RESULTS / "any"
    assert list(pd.read_csv(folder / "s.csv")["cohort"]) == ["ACC", "ACC", "LUAD", "LUAD"]
    pooled = pd.read_csv(folder / "pooled_s.csv").set_index("setting").loc["b"]
    half = 0.1 * 12.7062  # standard error of two scores, t with one degree of freedom
    expected = {"cohorts": 2, "mean": 0.7, "ridge_mean": 0.2, "ridge_mean_lower": 0.2 - half}
    assert pooled[list(expected)].to_dict() == pytest.approx(expected, rel=1e-4)
    assert make.manifest_of(folder)["options"] == {"seeds": 3}
    assert make.up_to_date("any")
    for change in ({"cohorts": ("tcga_acc",)}, {"files": ("s.csv", "t.csv")}, {"uses": ()}):
        monkeypatch.setitem(STUDIES, "any", study._replace(**change))
        assert not make.up_to_date("any")


def test_folders_outside_the_repository_stay_out_of_its_files(results, tmp_path, monkeypatch):
    command = "experiments.any --cohort $JAXSURV_COHORTS/recidivism --platform $JAXSURV_COHORTS/b"

    def run(command, out):
        out.mkdir(parents=True)
        pd.DataFrame({"mean": [0.6]}).to_csv(out / "s.csv", index=False)
        folders = make.folders_of(command)
        options = dict(zip(("cohort", "platform"), folders.values(), strict=True))
        assert all(str(tmp_path) in folder for folder in folders.values())
        return {"options": options, "versions": {}, "numerics": NUMERICS}

    monkeypatch.setitem(STUDIES, "any", Study(command, ("s.csv",), ("random",), 0.1))
    monkeypatch.setattr(make, "WORK", tmp_path / "work")
    monkeypatch.setattr(make, "run", run)
    monkeypatch.setenv("JAXSURV_COHORTS", str(tmp_path))
    (tmp_path / "b").mkdir()
    make.make("any")
    manifest = (check.RESULTS / "any" / "manifest.json").read_text()
    assert str(tmp_path) not in manifest
    assert json.loads(manifest)["options"] == {
        "cohort": "$JAXSURV_COHORTS/recidivism", "platform": "$JAXSURV_COHORTS/b"
    }  # fmt: skip
    made = read_cohort(tmp_path / "work" / "cohorts" / "recidivism")
    outcome = made.outcome("arrest")
    assert (len(outcome.event), int(np.sum(outcome.event)), float(np.max(outcome.time))) == (
        432, 114, 52
    )  # fmt: skip
    assert list(made.modalities["covariates"]) == [
        "fin",
        "age",
        "race",
        "wexp",
        "mar",
        "paro",
        "prio",
    ]


def test_a_table_is_written_and_then_stays(results):
    page = results.parents[1] / "page.md"
    assert check.problems() == ["docs/page.md: tables differ; python -m docs.check --write"]
    assert check.main([]) == 1
    assert check.main(["--write"]) == 0
    assert TABLE in page.read_text()
    assert "old" not in page.read_text()
    assert page.read_text().startswith("Text.\n\n<!-- results: ")
    assert page.read_text().endswith("<!-- end -->\n\nMore.\n")
    assert check.written(page.read_text()) == page.read_text()


def test_a_heading_may_be_spread_over_columns():
    frame = pd.DataFrame({"n": [5, 5, 9], "method": ["a", "b", "b"], "mean": [0.1, 0.2, 0.3]})
    made = check.table(frame, "n: {n}\n{method}: {mean:.2f}\n{method}, twice: {mean}")
    assert made == (
        "| n | a | a, twice | b | b, twice |\n| --- | --- | --- | --- | --- |\n"
        "| 5 | 0.10 | 0.1 | 0.20 | 0.2 |\n| 9 |  |  | 0.30 | 0.3 |\n"
    )
    assert check.table(frame, "n: {n}").count("| 5 |") == 2  # equal rows stay two


def test_two_files_are_joined_by_the_names_of_their_rows(results):
    frame = pd.DataFrame({"cohort": ["ACC", "LUAD"], "mean": 9.0, "events": [34, 158]})
    frame.to_csv(results / "counts.csv", index=False)
    manifest = json.loads((results / "manifest.json").read_text())
    manifest["files"]["counts.csv"] = ""
    (results / "manifest.json").write_text(json.dumps(manifest))
    text = "<!-- results: a/scores.csv + a/counts.csv\nc: {cohort}\nx: {mean} {events}\n-->\n<!-- end -->"
    assert "| LUAD | 0.6 158 |\n| ACC | 0.71 34 |" in check.written(text)


def test_numbers_of_an_older_version_are_told(results, monkeypatch):
    check.main(["--write"])
    monkeypatch.setitem(NUMERICS, "random", NUMERICS["random"] + 1)
    (told,) = check.problems()
    assert "docs/results/a: numbers of 'random' have version" in told
    assert "python -m docs.results.make a" in told


def test_a_table_that_was_edited_by_hand_is_told(results):
    check.main(["--write"])
    file = results / "scores.csv"
    file.write_text(file.read_text().replace("0.71", "0.91"))
    assert [line.partition(": ")[2] for line in check.problems()] == [
        "scores.csv is not the file that the command wrote; python -m docs.results.make a",
        "tables differ; python -m docs.check --write",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<!-- end -->", "", "lacks its lines of columns"),
        ("scores.csv", "lost.csv", r"no docs/results/a/lost\.csv"),
        ("scores.csv", "manifest.json", r"manifest\.json"),
        ("{mean:.2f}", "{median:.2f}", "median"),
        ('cohort != "LUAD"', 'city != "LUAD"', "city"),
        ("{cohort}", "{cohort:.2f}", "scores.csv"),
    ],
)
def test_a_table_that_cannot_be_made_is_told(results, old, new, message):
    text = PAGE.replace(old, new)
    with pytest.raises(InputError, match=message):
        check.written(text)
    (results.parents[1] / "page.md").write_text(text)
    assert check.main(["--write"]) == 1


CLAIM = Claim("P", "a gain", "+.2", "a", "scores.csv", 'cohort == "ACC"', "gain_mean", 1, 0.2)


@pytest.mark.parametrize(
    ("expected", "limits", "told"),
    [
        (1, (0.1, 0.3), "supported"),
        (1, (0.1, 0.15), "supported, smaller than published"),
        (1, (-0.1, 0.3), "not told from 0"),
        (1, (-0.1, 0.1), "not told from 0; the published size is ruled out"),
        (1, (-0.3, -0.1), "contradicted"),
        (-1, (-0.3, -0.1), "supported"),
        (-1, (-0.1, 0.1), "not told from 0; the published size is ruled out"),
        (-1, (0.1, 0.3), "contradicted"),
        (0, (-0.1, 0.3), "agrees"),
        (0, (0.1, 0.3), "contradicted"),
        (None, (0.1, 0.3), "shown, not tested"),
    ],
)
def test_a_claim_is_judged_by_its_interval(expected, limits, told):
    assert verdict(CLAIM._replace(expected=expected), *limits) == told


def test_claims_are_a_table_of_the_page(results, monkeypatch):
    frame = pd.DataFrame(
        {"cohort": ["ACC", "LUAD"], "gain_mean": 0.1, "gain_lower": -0.1, "gain_upper": 0.15}
    )
    frame.to_csv(results / "scores.csv", index=False)
    monkeypatch.setattr(check, "CLAIMS", (CLAIM, CLAIM._replace(paper="Q")))
    made = check.written("<!-- claims: P -->\nwas here\n<!-- end -->")
    assert "| a gain | +.2 | +0.100 (-0.100 to +0.150) | not told from 0; the pub" in made
    assert "was here" not in made
    assert check.written(made) == made
    monkeypatch.setattr(check, "CLAIMS", (CLAIM._replace(row="gain_mean > 0"),))
    with pytest.raises(InputError, match=r"claims of P: a/scores\.csv: .* has 2 rows, not 1"):
        check.written("<!-- claims: P -->\n<!-- end -->")


def test_what_was_not_measured_is_said(results, monkeypatch):
    monkeypatch.setitem(STUDIES, "b", STUDIES["coverage"])
    monkeypatch.setattr(check, "CLAIMS", (CLAIM._replace(study="b"),))
    assert "| a gain | +.2 | not measured yet |  | `b` |" in check.written(
        "<!-- claims: P -->\n<!-- end -->"
    )
    made = check.written("<!-- results: b/x.csv\nC: {mean}\n-->\nold\n<!-- end -->")
    assert "Not measured yet: `python -m docs.results.make b`." in made
    assert check.written(made) == made


def test_every_claim_has_a_study_and_a_page():
    page = (check.DOCS / "papers.md").read_text()
    for claim in CLAIMS:
        assert claim.file.removeprefix("pooled_") in STUDIES[claim.study].files
        assert f"<!-- claims: {claim.paper} -->" in page
