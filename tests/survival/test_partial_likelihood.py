"""The Cox partial likelihood."""

import jax
import numpy as np

from jaxsurv.survival import neg_log_partial_likelihood, prepare_risk_sets, restrict


def test_folds_share_one_order():
    rng = np.random.default_rng(0)
    n = 60
    time, event = np.ceil(rng.exponential(1, n) * 9), rng.random(n) < 0.6
    eta = rng.normal(size=(4, n)).astype(np.float32)
    masks = rng.random((4, n)) < 0.7
    risk_sets = prepare_risk_sets(event, time)
    folds = jax.vmap(restrict, in_axes=(None, 0))(risk_sets, masks)
    loss = jax.vmap(lambda x, r: neg_log_partial_likelihood(x, risk_sets=r))(eta, folds)
    alone = [
        neg_log_partial_likelihood(x[m], event[m], time[m]) for x, m in zip(eta, masks, strict=True)
    ]
    np.testing.assert_allclose(loss, alone, rtol=1e-6)
