"""Profiles of a score: one panel per axis, one legend for all."""

import pandas as pd

from jaxsurv.plots import Profile, score_profiles


def test_several_series_have_a_legend_and_one_has_none():
    scores = pd.DataFrame({"mean": [0.5, 0.6], "lower": [0.4, 0.5], "upper": [0.6, 0.7]})
    for series in ({"": scores}, {"one": scores, "other": scores + 0.1}):
        figure = score_profiles([Profile("n", ["1", "2"], series, 0.5, "line")], ylabel="score")
        ax = figure.axes[0]
        assert len(ax.containers) == len(series)
        assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "2"]
        assert [t.get_text() for t in ax.get_legend().get_texts()] == ["line"]
        names = [t.get_text() for legend in figure.legends for t in legend.get_texts()]
        assert names == (list(series) if len(series) > 1 else [])
