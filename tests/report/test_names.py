"""Names that look like markup are shown letter by letter on the terminal, in figures and on pages."""

import io
import json
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from jaxsurv import plots
from jaxsurv.artifacts import ResultsFolder
from jaxsurv.cli.terminal import Terminal
from jaxsurv.data import read_cohort
from jaxsurv.data.__main__ import main
from jaxsurv.report.cohort import describe
from jaxsurv.report.tables import print_table

ODD = ["[/x]", "[bold]b", "$\\foo$", "\\frac{", "$x", "<script>&", "_under", "a_{b}^c", "{0}%s"]
CONTROL = "\x1b[31m\ud800\u202e"


@pytest.fixture
def cohort(tmp_path):
    folder, n, k = tmp_path / "co[/x]hort", 40, len(ODD)
    folder.mkdir(parents=True)
    rng, index = np.random.default_rng(0), [f"p{i}" for i in range(n - k)] + ODD
    names = pd.Index(index, name="patient")
    outcome = {"[/os]$\\foo$/../b_time": rng.exponential(size=n), "[/os]$\\foo$/../b_event": 1}
    pd.DataFrame(outcome, names).to_csv(folder / "survival.csv")
    pd.DataFrame(rng.normal(size=(n, k)), names, ODD).to_csv(folder / "rna [x] $\\q$.csv")
    stage = np.array(ODD)[np.arange(n) % k]
    pd.DataFrame({"[/stage]": stage}, names).to_csv(folder / "clinical.csv")
    about = {
        "title": f"[/x] $\\foo$ <script> {CONTROL}",
        "time_unit": "[/m] $\\frac{",
        "name": "../../e",
    }
    (folder / "cohort.json").write_text(json.dumps(about))
    return folder


def test_describe_and_convert_show_every_name(cohort, tmp_path, monkeypatch, capsys):
    (work := tmp_path / "a" / "b" / "c").mkdir(parents=True)
    monkeypatch.chdir(work)
    assert main(["describe", str(cohort)]) == 0
    printed = capsys.readouterr().out
    for part in (
        "co[/x]hort: jaxsurv folder",
        "../../e: endpoints",
        "[/m] $\\frac{",
        "[/os]$\\foo$/../b",
    ):
        assert part in printed
    (page,) = tmp_path.rglob("report.html")
    assert page.is_relative_to(work / "results" / "describe")
    text = page.read_text("utf-8")
    assert "<script> " not in text
    assert "[/x] $\\foo$ &lt;script&gt; \\x1b[31m\\ud800" in text
    figures = sorted((page.parent / "figures").iterdir())
    assert len(figures) == 4
    for file in figures[1::2]:
        ET.parse(file)
    assert "[/m] $\\frac{" in figures[1].read_text("utf-8")
    assert main(["convert", str(cohort), "converted[/x]"]) == 0
    assert list(read_cohort("converted[/x]").survival.index)[-len(ODD) :] == ODD


def test_a_console_of_ones_own_shows_every_name_as_well(cohort, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    describe(read_cohort(cohort), ResultsFolder(tmp_path / "[/r]"), console)
    assert "[/r]/report.html" in console.file.getvalue()


@pytest.mark.parametrize("name", [*ODD, CONTROL, ":smile:"])
def test_terminals_print_names_letter_by_letter(name, capsys):
    console = Terminal(100)
    shown = name.encode("unicode_escape").decode() if name == CONTROL else name
    with console.status(name):
        console.print(name)
    print_table(console, name, pd.DataFrame({name: [name]}), name)
    assert capsys.readouterr().out.count(shown) == 5


def interval(rows, names=("",)):
    parts = ("", "_lower", "_upper")
    return pd.DataFrame({f"{n}{p}": 0.5 for n in names for p in parts}, index=rows)


def forest(name):
    runs = pd.DataFrame({"setting": [name], "c": [0.5]})
    summary = pd.DataFrame({"setting": [name], "mean": 0.5, "lower": 0.4, "upper": 0.6})
    return plots.score_forest([plots.Forest(runs, summary, "c", name)], highlight=name, title=name)


def profiles(name):
    rows = pd.DataFrame({"mean": [0.5], "lower": 0.4, "upper": 0.6})
    panel = plots.Profile(name, [name], {name: rows, "b": rows}, 0.5, name)
    return plots.score_profiles([panel], ylabel=name, title=name)


def explanation(name):
    kinds = ("attribution", "c_drop", "c_lost")
    features = interval(pd.MultiIndex.from_tuples([(name, name)]), kinds).assign(direction=1)
    return plots.explanation_panels(features, interval([name], kinds), title=name)


def bars(name):
    rows = pd.DataFrame({"mean": [0.5], "lower": 0.4, "upper": 0.6})
    return plots.importance_bars([name], {name: rows, "b": rows}, xlabel=name)


def curves(name):
    history = {"loss": np.ones((2, 3))}
    settings = np.array([name, "b"])
    return plots.training_curves(history, settings, panels=[("loss", name)], legend=name)


def groups(name):
    e, t = np.ones(6), np.arange(1.0, 7)
    return plots.risk_groups([plots.RiskGroups(t > 3, e, t, name, name)], xlabel=name, title=name)


def patterns(name):
    return plots.modality_patterns(pd.DataFrame({name: [True, False], "b": True}), title=name)


def whole(name):
    e, t = np.ones(6), np.arange(1.0, 7)
    return plots.survival_curve(e, t, xlabel=name, note=name, title=name)


DRAWN = [forest, profiles, explanation, bars, curves, groups, patterns, whole]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", [*ODD, CONTROL])
@pytest.mark.parametrize("draw", DRAWN, ids=lambda d: d.__name__)
def test_figures_draw_names_letter_by_letter(draw, name, tmp_path):
    folder = ResultsFolder(tmp_path / "r")
    folder.figure("f", draw(name))
    svg = ET.parse(folder.path / "figures" / "f.svg")
    texts = ["".join(t.itertext()) for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    shown = name.encode("unicode_escape").decode() if name == CONTROL else name
    expected = {groups: 4, whole: 3, patterns: 2, curves: 3}.get(draw, 3)
    assert sum(shown == t.lstrip("\u200b") for t in texts) >= expected
