"""The stability index by hand, against its definition, and its interval by the delta method."""

import jax
import numpy as np
import pytest

from jaxsurv.preprocess import selection_stability
from jaxsurv.types import InputError


def test_by_hand():
    found = selection_stability(np.array([[1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]))
    # p = 1, 2/3, 1/3, 0; mean of 3/2 p (1 - p) = 1/6; k/d (1 - k/d) = 1/4
    assert found.index == pytest.approx(1 - (1 / 6) / (1 / 4))
    np.testing.assert_allclose(found.frequency, [1, 2 / 3, 1 / 3, 0])
    assert found.size == 2


def test_equal_selections_are_stable_and_random_ones_are_not():
    same = np.tile(np.arange(30) < 7, (10, 1))
    found = selection_stability(same)
    assert (found.index, found.lower, found.upper) == pytest.approx((1, 1, 1))
    rng = np.random.default_rng(0)
    found = selection_stability(rng.random((50, 400)) < 0.1)
    assert abs(found.index) < 0.01
    assert found.lower < found.index < found.upper


def test_interval_is_the_delta_method():
    """The index as a function of the weight of each selection, differentiated."""
    z = np.random.default_rng(1).random((12, 40)) < np.linspace(0.05, 0.9, 40)
    found = selection_stability(z)

    def index(weight):
        p = weight @ z.astype(np.float32)
        share = p.mean()
        return 1 - (p * (1 - p)).mean() / (share * (1 - share))

    pull = np.asarray(jax.grad(index)(np.full(12, 1 / 12, np.float32)))
    error = pull.std() / np.sqrt(12)
    # the index corrects by m / (m - 1), its published variance only in the index itself
    assert (found.upper - found.lower) / 2 / 1.96 == pytest.approx(error, rel=0.15)


def test_what_has_no_stability_is_nan():
    for z in (np.zeros((3, 4)), np.ones((3, 4)), np.eye(1, 4)):
        assert np.isnan(selection_stability(z).index)
    with pytest.raises(InputError, match=r"selected must be \[selections, features\], got shape"):
        selection_stability(np.ones(4))
