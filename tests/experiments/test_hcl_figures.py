"""Figures of the recovery of linear factors."""

import numpy as np
import pandas as pd

from experiments.hcl.curves import error_curves
from experiments.hcl.maps import loading_maps
from jaxsurv.factors import Structure


def rows(method, means):
    n = [100, 400]
    lower, upper = np.array(means) - 2, np.array(means) + 2
    return pd.DataFrame({"method": method, "n": n, "mean": means, "lower": lower, "upper": upper})


def test_error_curves_survive_intervals_below_zero():
    table = pd.concat([rows("A", [1.0, 0.5]), rows("B", [3.0, 3.0])])
    figure = error_curves(
        {"one": table, "two": table, "three": table}, ylabel="e", xlabel="n", root=True
    )
    figure.draw_without_rendering()
    assert len(figure.axes) == 3
    ax = figure.axes[0]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert [line.get_label() for line in ax.lines] == ["A", "B", "slope -1/2"]
    assert ax.get_ylim()[0] > 0
    assert len(error_curves({"one": table}, ylabel="e", xlabel="n").axes[0].lines) == 2


def test_maps_are_turned_towards_the_truth_inside_blocks():
    structure = Structure.of({"a": 5, "b": 6}, {("a", "b"): 2, ("b",): 1})
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(11, 3)) * structure.mask
    turn, _ = np.linalg.qr(rng.normal(size=(2, 2)))
    other = truth.copy()
    other[:, :2] = truth[:, :2] @ turn
    other[:, 2] *= -1
    figure = loading_maps({"truth": truth, "estimate": other}, structure)
    figure.draw_without_rendering()
    left, right = (ax.images[0].get_array() for ax in figure.axes[:2])
    np.testing.assert_allclose(left, right, atol=1e-12)
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["a+b", "b"]
    assert not left[:5, 2].any()


def test_maps_without_a_truth_show_principal_axes():
    """However an estimate is rotated inside its blocks, its map is the same, and so are the others."""
    structure = Structure.of({"a": 5, "b": 6}, {("a", "b"): 2, ("b",): 1})
    rng = np.random.default_rng(3)
    w = rng.normal(size=(11, 3)) * structure.mask
    other = w.copy()
    other[:, :2] = w[:, :2] @ np.linalg.qr(rng.normal(size=(2, 2)))[0]
    other[:, 2] *= -1
    figure = loading_maps({"one": other, "two": w}, structure, truth_known=False)
    left, right = (ax.images[0].get_array() for ax in figure.axes[:2])
    again = loading_maps({"one": w}, structure, truth_known=False).axes[0].images[0].get_array()
    np.testing.assert_allclose(left, right, atol=1e-12)
    np.testing.assert_allclose(left, again, atol=1e-12)
    assert abs(left[:, 0] @ left[:, 1]) < 1e-12
    assert np.linalg.norm(left[:, 0]) > np.linalg.norm(left[:, 1])
    assert (left.max(axis=0) >= -left.min(axis=0)).all()
