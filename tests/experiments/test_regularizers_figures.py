"""Scores against the effective scale: one line per method, on a log axis."""

import numpy as np
import pandas as pd

from experiments.regularizers.figures import score_against_scale


def test_one_line_per_method():
    summary = pd.DataFrame(
        {
            "method": ["KL", "KL", "MMD"],
            "scale": [0.1, 0.01, 1.0],
            "mean": [0.6, 0.7, 0.65],
            "lower": [0.5, 0.6, 0.6],
            "upper": [0.7, 0.8, 0.7],
        }
    )
    base = pd.DataFrame({"setting": ["ridge Cox"], "mean": [0.68]})
    figure = score_against_scale(summary, base, ylabel="C", title="acc")
    (ax,) = figure.axes
    kl, mmd = ax.containers
    np.testing.assert_allclose(kl.lines[0].get_xydata(), [[0.01, 0.7], [0.1, 0.6]])
    np.testing.assert_allclose(mmd.lines[0].get_xydata(), [[1.0, 0.65]])
    assert ax.get_xscale() == "log"
    names = {t.get_text() for t in figure.legends[0].get_texts()}
    assert names == {"KL", "MMD", "ridge Cox, mean"}
