"""Natural cubic splines."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from jaxsurv.survival.splines import natural_spline


@pytest.mark.parametrize("k", [3, 4, 6])
def test_interpolates_as_scipy_and_is_straight_outside(k):
    rng = np.random.default_rng(k)
    knots, values = np.sort(rng.normal(size=k)), rng.normal(size=k)
    coef = np.linalg.solve(np.c_[np.ones(k), natural_spline(np, knots, knots)], values)

    def ours(x):
        return np.c_[np.ones(x.size), natural_spline(np, x, knots)] @ coef

    inside = np.linspace(knots[0], knots[-1], 50)
    spline = CubicSpline(knots, values, bc_type="natural")
    np.testing.assert_allclose(ours(inside), spline(inside), rtol=1e-8, atol=1e-8)
    for far in (knots[-1] + np.arange(4), knots[0] - np.arange(4)):
        np.testing.assert_allclose(np.diff(ours(far), 2), 0, atol=1e-8)
