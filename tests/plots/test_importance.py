"""Explanations as points with intervals, features above modalities."""

import numpy as np
import pandas as pd

from jaxsurv.plots import explanation_panels, importance_bars


def table(index, **columns):
    """Every quantity with an interval of 0.1 at both sides."""
    made = {}
    for name, values in columns.items():
        values = np.asarray(values, float)
        made |= {name: values, f"{name}_lower": values - 0.1, f"{name}_upper": values + 0.1}
    return pd.DataFrame(made, index)


NAMES = pd.MultiIndex.from_tuples([("rna", "A"), ("rna", "B"), ("cnv", "A"), ("cnv", "none")])
FEATURES = table(
    NAMES,
    attribution=[0.2, 0.5, 0.4, 0.0],
    direction=[1, -1, np.nan, np.nan],
    c_drop=[0, 0.1, 0, 0],
)
MODALITIES = table(
    pd.Index(["rna", "cnv"]), attribution=[0.6, 0.4], c_drop=[0.1, 0.0], c_lost=[0.2, -0.01]
)


def places(ax):
    return [(c.lines[0].get_xdata()[0], c.lines[0].get_ydata()[0]) for c in ax.containers]


def test_features_stand_by_size_in_the_colour_of_their_modality():
    figure = explanation_panels(FEATURES, MODALITIES, title="acc")
    figure.draw_without_rendering()
    features, c, modalities, c_modalities = figure.axes
    assert [t.get_text() for t in features.get_yticklabels()] == ["B", "A", "A"]
    assert places(features) == [(0.5, 0), (0.4, 1), (0.2, 2)]
    assert places(c) == [(0.1, 0), (0.0, 1), (0.0, 2)]
    colours = [container.lines[0].get_color() for container in features.containers]
    assert colours[0] == colours[2] != colours[1]
    assert colours[:2] == [x.lines[0].get_color() for x in modalities.containers]
    # more is better, not known, more is worse
    assert [container.lines[0].get_marker() for container in features.containers] == list("vo^")
    (segment,) = features.containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose(segment, [[0.4, 0], [0.6, 0]])
    np.testing.assert_allclose([x for x, _ in places(c_modalities)], [0.1, 0.0, 0.2, -0.01])
    assert features.get_ylim()[0] > features.get_ylim()[1]


def test_without_an_outcome_there_is_one_column():
    attribution = ["attribution", "attribution_lower", "attribution_upper"]
    figure = explanation_panels(
        FEATURES[[*attribution, "direction"]],
        MODALITIES[attribution].assign(attribution=np.nan),
        top=1,
    )
    figure.draw_without_rendering()
    features, _ = figure.axes
    assert places(features) == [(0.5, 0)]


def test_importance_is_one_line_per_part():
    table = pd.DataFrame({"mean": [1.0, 0.0], "lower": [0.5, 0.0], "upper": [1.5, 0.2]})
    figure = importance_bars(["x", "y"], {"m": table}, xlabel="norm", truth=[0.9, 0.0])
    figure.draw_without_rendering()
    ax = figure.axes[0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["x", "y"]
    assert ax.yaxis_inverted()
    segments = ax.collections[0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in segments], [[0.5, 1.5], [0.0, 0.2]])
