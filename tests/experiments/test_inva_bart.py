import sys

import numpy as np
import pytest

from experiments.inva.bart import pixelwise_bart
from jaxsurv.types import InputError

N, FIT = 300, np.arange(300) < 200
NOISE = 1.0


def toy():
    """``[n, 2, 2, 2]`` inputs, of which pixel v's outcome is a bump of its own first input alone."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, 2, 2, 2))
    signal = np.exp(-(x[:, 0] ** 2)) * np.array([[6, -6], [3, 9]])
    return x, signal, signal + NOISE * rng.normal(size=signal.shape)


@pytest.mark.slow
def test_it_finds_a_nonlinear_signal_and_its_intervals_cover_new_outcomes():
    x, signal, y = toy()
    pixels = np.array([3, 1])
    mean, lower, upper = pixelwise_bart(x, y, FIT, pixels, seed=0)
    truth, outcome = (a.reshape(N, 4)[:, pixels] for a in (signal, y))
    constant = outcome[FIT].mean(0)
    error, chance = (np.mean((truth - p)[~FIT] ** 2, axis=0) for p in (mean, constant))
    assert np.all(error < 0.15 * chance)
    covered = np.mean((lower <= outcome)[~FIT] & (outcome <= upper)[~FIT])
    assert 0.88 < covered < 1
    assert np.mean((upper - lower)[~FIT]) > 3.5 * NOISE
    assert np.all((lower < mean) & (mean < upper))


def test_a_pixel_is_the_same_alone_and_sees_no_outcome_but_those_of_its_fit_rows():
    x, _, y = toy()
    both = pixelwise_bart(x, y, FIT, np.array([0, 2]), seed=1)
    hidden = np.where(FIT[:, None, None], y, np.nan)
    alone = pixelwise_bart(x, hidden, FIT, np.array([2]), seed=1)
    for one, two in zip(alone, both, strict=True):
        np.testing.assert_array_equal(one[:, 0], two[:, 1])


def test_without_bartz_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "bartz", None)
    x, _, y = toy()
    with pytest.raises(InputError, match=r"jaxsurv\[bart\]"):
        pixelwise_bart(x, y, FIT, np.array([0]), seed=0)
