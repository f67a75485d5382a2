"""The package's look does not depend on the user's settings, and leaves them alone."""

import pickle

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots import Forest, RiskGroups, risk_groups, score_forest, training_curves
from jaxsurv.plots.style import ordered_colours, styled


@styled
def draw():
    figure = Figure()
    figure.subplots().set(title="title", xlabel="x")
    return figure


def test_the_style_holds_whatever_the_user_has_set():
    with mpl.rc_context({"font.size": 30, "axes.spines.top": True}):
        ax = draw().axes[0]
        assert mpl.rcParams["font.size"] == 30
    assert ax.xaxis.label.get_fontsize() == 9
    assert not ax.spines["top"].get_visible()
    assert ax.get_title(loc="left") == "title"


def test_a_notebook_shows_a_figure_before_pyplot_is_imported():
    """IPython knows `matplotlib.figure.Figure` only from then on."""
    figure = pickle.loads(pickle.dumps(draw()))  # as between processes
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_nothing_stays_open():
    two = np.arange(2)
    table = pd.DataFrame({"setting": two, "mean": two, "lower": two, "upper": two})
    score_forest([Forest(table, table, "mean", "x")])
    training_curves({"cox": np.ones((2, 3))}, two, panels=[("cox", "Cox loss")], legend="β")
    risk_groups([RiskGroups(two > 0, two, two + 1, "")], xlabel="time")
    assert plt.get_fignums() == []


def test_ordered_colours_go_from_dark_to_light():
    colours = ordered_colours(7)
    lightness = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b, _ in colours]
    assert lightness == sorted(lightness)
    assert len(set(colours)) == 7
