"""The forest of methods: every setting has its row, its interval and its runs."""

import numpy as np
import pandas as pd

from jaxsurv.plots import score_forest

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
    figure = score_forest(RUNS, SUMMARY, score="c", xlabel="C", highlight="ridge Cox", title="acc")
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
    figure = score_forest(RUNS, SUMMARY, score="c", xlabel="C", highlight="KL, β = 1")
    (rows,) = figure.axes[0].containers
    np.testing.assert_array_equal(rows.lines[0].get_ydata(), [0, 1, 2])
