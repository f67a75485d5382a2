"""Breslow's likelihood of several outcomes on the host against that which jit traces, outcome by outcome."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.survival.breslow import Breslow
from jaxsurv.survival.host.breslow import HostBreslow
from jaxsurv.survival.host.cox import host_cox
from jaxsurv.survival.risk_sets import prepare_risk_sets, restrict

N = 40
rng = np.random.default_rng(5)
TIME, EVENT = np.ceil(8 * rng.exponential(size=N)), rng.random(N) < 0.7
COLUMNS = {
    "strata": rng.integers(0, 3, N),
    "weights": rng.integers(0, 3, N) / 2,
    "entry": np.where(rng.random(N) < 0.5, TIME / 2, -1),
}


@pytest.mark.parametrize("names", [[], ["strata"], ["weights"], ["entry"], list(COLUMNS)])
def test_as_the_traced_likelihood(names, x64):
    everyone = prepare_risk_sets(EVENT, TIME, **{k: COLUMNS[k] for k in names})
    outcomes = [everyone, *(restrict(everyone, np.arange(N) % 3 != k) for k in range(3))]
    outcomes = [replace(o, order=None, position=None, labels=None) for o in outcomes]
    cox = host_cox(outcomes[0], "breslow")
    assert cox is not None
    host = HostBreslow.of(cox, outcomes)
    log_hazard, x = 2 * rng.standard_normal((4, N)), rng.standard_normal((5, N))
    loss, residual = host.loss_and_residual(log_hazard)
    for k, outcome in enumerate(outcomes):
        traced = Breslow(outcome)
        right_loss, right_residual = traced.loss_and_residual(jnp.asarray(log_hazard[k]))
        curvature = traced.times_curvature(jnp.asarray(x), jnp.asarray(log_hazard[k]))
        np.testing.assert_allclose(loss[k], right_loss, rtol=1e-12)
        np.testing.assert_allclose(residual[k], right_residual, atol=1e-13)
        found = host.only([k]).hessian(x, log_hazard[k])
        np.testing.assert_allclose(found, x @ curvature.T, atol=1e-12)
