"""Forty simulated patients with two modalities, as a batch for tests of models."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.models import Batch
from jaxsurv.survival import prepare_risk_sets
from jaxsurv.types import Survival

N, SIZES = 40, {"rna": 30, "cnv": 6}


def make_batch(seed=0):
    rng = np.random.default_rng(seed)
    event, time = rng.random(N) < 0.6, rng.exponential(1.0, N).round(1) + 0.1
    presence = {m: (rng.random(N) < 0.8).astype(np.float32) for m in SIZES}
    inputs = {m: rng.normal(size=(N, d)).astype(np.float32) for m, d in SIZES.items()}
    return Batch(
        inputs={m: jnp.asarray(x * presence[m][:, None]) for m, x in inputs.items()},
        presence=jax.tree.map(jnp.asarray, presence),
        clinical=jnp.asarray(rng.normal(size=(N, 3)), jnp.float32),
        offset=jnp.asarray(rng.normal(size=N), jnp.float32),
        outcome=Survival(jnp.asarray(event, jnp.float32), jnp.asarray(time, jnp.float32)),
        where=jnp.ones(N, bool),
        risk_sets=prepare_risk_sets(event, time),
    )


def with_outcome(batch, event, time):
    """The same patients with other outcomes."""
    outcome = Survival(jnp.asarray(event, jnp.float32), jnp.asarray(time, jnp.float32))
    return batch._replace(outcome=outcome, risk_sets=prepare_risk_sets(event, time))


def in_double(batch):
    return jax.tree.map(lambda x: x.astype(float) if x.dtype == jnp.float32 else x, batch)


def leaves(tree):
    return np.concatenate([np.ravel(x) for x in jax.tree.leaves(tree)])
