"""Simulated gains: both networks learn from the same patients, and only from them."""

import numpy as np

from experiments.unlabelled.gain import CohortCondition, _replicates, gains

SMALL = CohortCondition(labelled=40, unlabelled=30, event_rate=0.3)


def test_roles():
    cohorts = _replicates(SMALL, (5, 6))
    assert cohorts.x.shape == (2, 1070, 50)
    np.testing.assert_allclose(cohorts.x[:, :40].mean(axis=1), 0, atol=1e-5)
    np.testing.assert_array_equal(cohorts.risk_sets.total, cohorts.event[:, :40].sum(axis=1))
    assert not cohorts.validation[:, 40:].any()
    died = cohorts.validation & (cohorts.event > 0)
    np.testing.assert_array_equal(died.sum(axis=1), np.ceil(cohorts.event[:, :40].sum(axis=1) / 5))


def test_without_weight_there_is_no_gain():
    found = gains(SMALL, (0, 1), hidden=(4,), weight=0.0, epochs=3)
    np.testing.assert_array_equal(found["Cox-MT"], found["network"])
    assert found["truth"].between(0.6, 1).all()
    assert found["network"].nunique() == 2
