"""Tables of the pages and the results behind them: none is out of date, and what is out of date is told."""

import hashlib
import json

import pandas as pd
import pytest

from docs import check
from docs.results.make import RESULTS, up_to_date
from jaxsurv.artifacts import NUMERICS
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
    assert up_to_date(name)


def test_every_part_that_results_use_has_a_version():
    for result in RESULTS.values():
        assert set(result.uses) <= set(NUMERICS)


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
