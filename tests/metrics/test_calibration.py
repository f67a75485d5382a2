"""Calibration of predictions that are right, and of some that are wrong by a known amount."""

import jax
import numpy as np
import pytest
from scipy import stats

from jaxsurv.metrics import (
    calibration_slope,
    d_calibration,
    integrated_calibration_index,
    observed_expected,
)
from jaxsurv.survival import nelson_aalen
from jaxsurv.types import InputError


@pytest.fixture(scope="module")
def cohort():
    """Exponential lives of known hazards: log hazard, event, time."""
    rng = np.random.default_rng(2)
    log_hazard = rng.standard_normal(4000)
    life, censoring = rng.exponential(np.exp(-log_hazard)), rng.exponential(2, 4000)
    return log_hazard, life <= censoring, np.minimum(life, censoring)


def test_d_calibration_against_its_definition():
    rng = np.random.default_rng(1)
    survival, event, where = rng.random(200), rng.random(200) < 0.5, rng.random(200) < 0.8
    counts = np.zeros(5)
    for s, died in zip(survival[where], event[where], strict=True):
        own = int(np.ceil(s * 5)) - 1
        if died:
            counts[own] += 1
        else:
            counts[own] += (s - own / 5) / s
            counts[:own] += 1 / 5 / s
    result = d_calibration(survival, event, bins=5, where=where)
    np.testing.assert_allclose(result.proportions, counts / where.sum(), rtol=1e-12)
    expected = stats.chisquare(counts)
    np.testing.assert_allclose(result[:2], expected, rtol=1e-9)
    traced = jax.jit(lambda s, e, w: d_calibration(s, e, bins=5, where=w))(survival, event, where)
    np.testing.assert_allclose(traced.p_value, result.p_value, rtol=1e-3)


def test_d_calibration_tells_right_from_wrong(cohort):
    log_hazard, event, time = cohort
    right = np.exp(-np.exp(log_hazard) * time)
    assert d_calibration(right, event).p_value > 0.05
    assert d_calibration(right**2, event).p_value < 1e-6


@pytest.mark.usefixtures("x64")
def test_slope_equals_r_and_knows_the_spread(reference):
    # aml, coxph(Surv(time, event) ~ maintained, ties = "efron"), R 4.5.0, survival 3.8-3
    table, _ = reference("aml")
    group, event, time = (table[k].to_numpy() for k in ("maintained", "event", "time"))
    expected = np.array([-0.915532575014718, 0.511934275172005])
    np.testing.assert_allclose(calibration_slope(group, event, time), expected, rtol=1e-9)
    np.testing.assert_allclose(calibration_slope(2 * group, event, time), expected / 2, rtol=1e-9)


def test_observed_expected(cohort):
    log_hazard, event, time = cohort
    hazard = np.exp(log_hazard) * time
    right = observed_expected(hazard, event)
    assert right.lower < 1 < right.upper
    double = observed_expected(2 * hazard, event, where=np.arange(4000) < 2000)
    np.testing.assert_allclose(double.ratio, event[:2000].sum() / (2 * hazard[:2000].sum()))
    observed = event[:2000].sum()  # a Poisson count, whatever was expected
    factor = np.exp(1.959963984540054 / np.sqrt(observed))
    np.testing.assert_allclose(
        double[1:],
        [double.ratio / factor, double.ratio * factor, observed, 2 * hazard[:2000].sum()],
    )
    # The Nelson-Aalen hazards of a cohort add up to its events.
    own = observed_expected(nelson_aalen(event, time)(time), event)
    np.testing.assert_allclose(own.ratio, 1, rtol=1e-12)
    width = np.exp(1.959963984540054 / np.sqrt(event.sum()))
    np.testing.assert_allclose([own.lower, own.upper], [1 / width, width], rtol=1e-9)


def test_calibration_index_finds_the_error(cohort):
    log_hazard, event, time = cohort
    right = np.exp(-np.exp(log_hazard) * 0.5)
    index = integrated_calibration_index(right, event, time, tau=0.5)
    assert index.ici < 0.015
    np.testing.assert_allclose(index.observed, 1 - right, atol=0.05)
    wrong = right**2  # doubled hazards
    index = integrated_calibration_index(wrong, event, time, tau=0.5)
    off = np.abs(right - wrong)
    np.testing.assert_allclose(index[:3], [off.mean(), *np.quantile(off, [0.5, 0.9])], atol=0.015)
    half = np.arange(4000) < 2000
    masked = integrated_calibration_index(wrong, event, time, tau=0.5, where=half)
    other = np.where(half, wrong, 0.9), event & half, np.where(half, time, 1.0)
    np.testing.assert_allclose(
        masked[:3], integrated_calibration_index(*other, tau=0.5, where=half)[:3], rtol=1e-5
    )
    assert abs(masked.ici - index.ici) > 1e-4


def test_refusals():
    ones, time = np.ones(3), np.arange(3.0)
    with pytest.raises(InputError, match=r"survival must be in \[0, 1\]; NaN or outside in row 1"):
        d_calibration(np.array([0.5, np.nan, 0.1]), ones)
    with pytest.raises(InputError, match="cumulative_hazard must be >= 0"):
        observed_expected(-ones, ones)
    with pytest.raises(InputError, match=r"log_hazard must have shape \[n\], got \[3, 1\]"):
        calibration_slope(ones[:, None], ones, time)
    for survival, tau, message in [
        (ones, 1.0, r"survival must be inside \(0, 1\)"),
        (ones / 2, 1.0, "at least three distinct predictions"),
        (ones / 2, 3.0, "tau = 3 is beyond the follow-up of 2"),
    ]:
        with pytest.raises(InputError, match=message):
            integrated_calibration_index(survival, ones, time, tau=tau)
