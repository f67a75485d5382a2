"""Maps of predicted images: every method has its column, and error is prediction minus truth."""

import numpy as np

from experiments.inva.maps import image_maps

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=(6, 5))
PREDICTED = {m: np.stack([TRUTH + i, np.full((6, 5), 0.5 + i)]) for i, m in enumerate("ab")}


def test_columns_are_methods_and_rows_what_they_make_of_it():
    figure = image_maps(TRUTH, PREDICTED, title="one patient")
    axes = [a for a in figure.axes if a.images]
    assert [a.get_title() for a in axes if a.get_title()] == ["outcome", "a", "b"]
    shown = {
        (a.get_subplotspec().rowspan.start, a.get_subplotspec().colspan.start): a.images[0]
        for a in axes
    }
    np.testing.assert_array_equal(shown[0, 0].get_array(), TRUTH)
    np.testing.assert_allclose(shown[1, 2].get_array(), 1)
    np.testing.assert_allclose(shown[2, 1].get_array(), 0.5)
    assert shown[0, 0].get_clim() == shown[0, 2].get_clim() == shown[1, 1].get_clim()
    assert shown[2, 1].get_clim() == (0, 1.5)
