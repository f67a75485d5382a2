import jax.numpy as jnp
import numpy as np

from jaxsurv.models import features, table_batch
from jaxsurv.survival import neg_log_partial_likelihood

from .patients import N, make_batch


def test_restrict_is_the_subset():
    batch, where = make_batch(), np.arange(N) % 2 == 0
    risk = jnp.linspace(-1, 1, N)
    np.testing.assert_allclose(
        neg_log_partial_likelihood(risk, risk_sets=batch.restrict(where).risk_sets),
        neg_log_partial_likelihood(
            risk[where], batch.outcome.event[where], batch.outcome.time[where]
        ),
        rtol=1e-6,
    )


def test_take_keeps_only_the_masked_rows_of_a_minibatch():
    batch = make_batch().restrict(jnp.arange(N) < 20)
    rows = jnp.array([3, 25, 7, 19, 30, 0, 11, 12])
    part = batch.take(rows)
    kept = np.asarray(rows)[np.asarray(rows) < 20]
    risk = jnp.linspace(-1, 1, N)
    np.testing.assert_allclose(
        neg_log_partial_likelihood(risk[rows], risk_sets=part.risk_sets),
        neg_log_partial_likelihood(risk[kept], batch.outcome.event[kept], batch.outcome.time[kept]),
        rtol=1e-6,
    )
    np.testing.assert_array_equal(part.inputs["rna"], batch.inputs["rna"][rows])


def test_take_keeps_delayed_entry():
    batch = make_batch()
    outcome = batch.outcome._replace(entry=batch.outcome.time * 0.5)
    batch = batch._replace(outcome=outcome)
    rows = jnp.arange(0, N, 3)
    risk = jnp.linspace(-1, 1, N)[rows]
    np.testing.assert_allclose(
        neg_log_partial_likelihood(risk, risk_sets=batch.take(rows).risk_sets),
        neg_log_partial_likelihood(
            risk, outcome.event[rows], outcome.time[rows], entry=outcome.entry[rows]
        ),
        rtol=1e-6,
    )


def test_restrict_twice_is_the_intersection():
    batch, i = make_batch(), np.arange(N)
    twice = batch.restrict(i < 30).restrict(i >= 10)
    np.testing.assert_array_equal(twice.where, (i >= 10) & (i < 30))
    assert twice.risk_sets.total == batch.restrict((i >= 10) & (i < 30)).risk_sets.total


def test_a_table_is_a_batch_of_one_modality_sorted_on_the_host():
    rng = np.random.default_rng(0)
    x, event, time = rng.normal(size=(30, 2)), rng.random(30) < 0.5, rng.integers(0, 9, 30)
    batch = table_batch(x, event, time)
    np.testing.assert_allclose(features(batch), x, rtol=1e-6)
    risk = np.float32(x[:, 0])
    for b in (batch, batch.take(np.arange(30))):  # taking sorts anew, on the device
        np.testing.assert_allclose(
            neg_log_partial_likelihood(risk, risk_sets=b.risk_sets),
            neg_log_partial_likelihood(risk, event, time),
            rtol=1e-6,
        )
