"""The forest of methods: every setting has its row, its interval and its runs."""

import numpy as np
import pandas as pd

from jaxsurv.plots import Forest, score_forest

RUNS = pd.DataFrame({"setting": np.repeat(["KL", "MMD"], 4), "c": np.linspace(0.5, 0.8, 8)})
SUMMARY = pd.DataFrame(
    {
        "setting": ["ridge Cox", "KL", "MMD"],
        "mean": [0.7, 0.6, 0.65],
        "lower": [0.6, 0.5, 0.6],
        "upper": [0.8, 0.7, 0.7],
    }
)


def axes():
    figure = score_forest([Forest(RUNS, SUMMARY, "c", "C")], highlight="ridge Cox", title="acc")
    return figure.axes[0], figure.legends[0]


def test_rows_are_named_top_to_bottom():
    ax, legend = axes()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["ridge Cox", "KL", "MMD"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    names = [t.get_text() for t in legend.get_texts()]
    assert names == ["single runs (n = 8)", "mean, 95 % interval", "ridge Cox"]


def test_runs_and_intervals_are_in_their_rows():
    ax, _ = axes()
    dots = ax.lines[0]
    np.testing.assert_array_equal(np.round(dots.get_ydata()), np.repeat([1, 2], 4))
    np.testing.assert_array_equal(dots.get_xdata(), RUNS["c"])
    others, highlighted = ax.containers
    np.testing.assert_array_equal(others.lines[0].get_ydata(), [1, 2])
    np.testing.assert_array_equal(highlighted.lines[0].get_ydata(), [0])
    (segment,) = highlighted.lines[2][0].get_segments()
    np.testing.assert_allclose(segment, [[0.6, 0], [0.8, 0]])


def test_the_reference_need_not_be_there():
    figure = score_forest([Forest(RUNS, SUMMARY, "c", "C")], highlight="KL, β = 1")
    (rows,) = figure.axes[0].containers
    np.testing.assert_array_equal(rows.lines[0].get_ydata(), [0, 1, 2])


def test_panels_share_their_rows_and_explain_their_marks_once():
    other = SUMMARY.assign(mean=0.1, lower=np.nan, upper=np.nan)
    marks = ((0.0, 1.0), "0: chance, 1: equal")
    panels = [Forest(RUNS, SUMMARY, "c", "C"), Forest(RUNS.assign(a=-RUNS["c"]), other, "a", "A")]
    figure = score_forest(
        [p._replace(marks=marks[0], marked=marks[1]) for p in panels], dots="pairs"
    )
    left, right = figure.axes
    assert [ax.get_xlabel() for ax in (left, right)] == ["C", "A"]
    assert right.get_ylim() == left.get_ylim()
    np.testing.assert_array_equal(right.lines[0].get_xdata(), -RUNS["c"])
    (means,) = right.containers
    np.testing.assert_array_equal(means.lines[0].get_xdata(), [0.1] * 3)
    dotted = [line.get_xdata()[0] for line in right.lines if line.get_linestyle() == ":"]
    assert dotted == [0, 1]
    names = {t.get_text() for t in figure.legends[0].get_texts()}
    assert names == {"pairs (n = 8)", "mean, 95 % interval", "0: chance, 1: equal"}
