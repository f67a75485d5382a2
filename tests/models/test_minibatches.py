"""Minibatches of labelled and unlabelled patients: who is in them, and their risk sets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models.minibatches import labelled_and_unlabelled
from jaxsurv.survival import neg_log_partial_likelihood, prepare_risk_sets
from tests.models.patients import N, make_batch

SIZE = 8
WHERE = np.arange(N) % 5 != 0


def without_outcome(batch, labelled):
    """The batch with outcomes only where ``labelled``."""
    event, time = (np.where(labelled, x, 0) for x in batch.outcome[:2])
    return batch._replace(
        outcome=batch.outcome._replace(event=jnp.asarray(event), time=jnp.asarray(time)),
        labelled=jnp.asarray(labelled),
        risk_sets=prepare_risk_sets(event, time, where=labelled),
    )


def numbered(labelled=None):
    """Some rows of a cohort; each patient's number is their clinical value."""
    batch = make_batch()._replace(clinical=jnp.arange(N, dtype=jnp.float32)[:, None])
    if labelled is not None:
        batch = without_outcome(batch, labelled)
    return batch.restrict(WHERE)


@jax.jit
def epoch(batch, key):
    """All minibatches that an epoch could have, and how many it has."""
    steps, minibatch = labelled_and_unlabelled(batch, key, SIZE)
    return steps, jax.vmap(minibatch)(jnp.arange(-(-N // SIZE)))


def drawn(batch, key=0):
    steps, batches = epoch(batch, jax.random.key(key))
    return [jax.tree.map(lambda x, i=i: x[i], batches) for i in range(int(steps))]


def patients(batch, where):
    return np.asarray(batch.clinical)[np.asarray(where), 0].astype(int)


@pytest.mark.parametrize("labelled", [None, np.arange(N) % 3 != 0])
def test_every_labelled_row_once_and_events_in_every_step(labelled):
    batch = numbered(labelled)
    expected = np.flatnonzero(WHERE if labelled is None else WHERE & labelled)
    batches = drawn(batch)
    assert len(batches) == -(-len(expected) // SIZE)
    rows = [patients(b, b.with_outcome) for b in batches]
    assert all(len(r) == SIZE for r in rows[:-1])
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), expected)
    event = np.asarray(batch.outcome.event)
    share = event[expected].mean()
    assert all(abs(event[r].sum() - share * len(r)) <= 1.5 for r in rows)
    others = [patients(b, b.with_outcome) for b in drawn(batch, key=1)]
    assert any(set(a) != set(b) for a, b in zip(rows, others, strict=True))


def test_unlabelled_rows_come_in_every_step_and_begin_anew():
    labelled = np.arange(N) % 3 != 0
    unlabelled = set(np.flatnonzero(WHERE & ~labelled))
    batches = drawn(numbered(labelled))
    rows = [patients(b, b.where & ~b.labelled) for b in batches]
    assert all(len(set(r)) == SIZE for r in rows)
    assert set(np.concatenate(rows)) == unlabelled
    few = np.arange(N) >= 4  # 1, 2 and 3 have no outcome, and 0 is not in the batch
    for b in drawn(numbered(few)):
        assert sorted(patients(b, b.where & ~b.labelled)) == [1, 2, 3]


@pytest.mark.parametrize("labelled", [None, np.arange(N) % 3 != 0, np.ones(N, bool)])
def test_risk_sets_are_those_of_the_labelled_rows(labelled):
    batch = numbered(labelled)
    for b in drawn(batch):
        rows = patients(b, b.with_outcome)
        risk = jnp.sin(b.clinical[:, 0])
        event, time = (np.asarray(x)[rows] for x in batch.outcome[:2])
        np.testing.assert_allclose(
            neg_log_partial_likelihood(risk, risk_sets=b.risk_sets),
            neg_log_partial_likelihood(np.sin(np.float32(rows)), event, time),
            rtol=1e-5,
        )


def test_a_step_sorts_nothing():
    batch = numbered(np.arange(N) % 3 != 0)
    minibatch = labelled_and_unlabelled(batch, jax.random.key(0), SIZE)[1]
    assert " sort[" not in str(jax.make_jaxpr(minibatch)(0))
