"""Simulated subtypes: what is asked for is what is there."""

import numpy as np
import pytest

from experiments.unlabelled.simulate import simulate_subtypes
from jaxsurv.metrics import concordance_index
from jaxsurv.types import InputError


def test_truth_and_event_rate():
    simulated = simulate_subtypes(3, 2000, event_rate=0.2, signal=1.5)
    event = simulated.cohort.outcome("os").event
    assert abs(np.mean(event) - 0.2) < 0.001
    by_type = simulated.log_hazard.groupby(simulated.factors["subtype"])
    assert by_type.nunique().tolist() == [1, 1, 1, 1]
    np.testing.assert_allclose(by_type.first().std(ddof=0), 1.5)
    nothing = simulate_subtypes(3, 2000, signal=0.0)
    assert nothing.log_hazard.eq(0).all()
    strong, weak = (
        concordance_index(s.log_hazard.to_numpy(), *s.cohort.outcome("os")[:2]).index
        for s in (simulated, simulate_subtypes(3, 2000, event_rate=0.2, signal=0.5))
    )
    assert strong > weak + 0.1 > 0.6


@pytest.mark.parametrize("separation", [2.0, 20.0])
def test_separation_is_the_distance_of_centres(separation):
    simulated = simulate_subtypes(1, 4000, n_genes=100, subtypes=30, separation=separation)
    x, subtype = simulated.cohort.modalities["rna"], simulated.factors["subtype"]
    centre = x.groupby(subtype).mean().to_numpy()
    apart = np.linalg.norm(centre[:, None] - centre[None], axis=-1)[np.triu_indices(30, 1)]
    np.testing.assert_allclose(apart.mean(), separation, atol=1.6)
    within = x - x.groupby(subtype).transform("mean")
    np.testing.assert_allclose(within.std().mean(), 1, rtol=0.02)


@pytest.mark.parametrize(
    "wrong", [{"n": 5}, {"subtypes": 1}, {"event_rate": 0.0}, {"event_rate": 1.0}, {"n_genes": 0}]
)
def test_refusals(wrong):
    with pytest.raises(InputError, match="needs n >= 10"):
        simulate_subtypes(**wrong)
