"""Integrated gradients: what each feature of a patient adds to the log hazard."""

from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.estimators.fitted import CHUNK, FittedModel, in_chunks
from jaxsurv.estimators.prepared import as_batch
from jaxsurv.models import Batch
from jaxsurv.preprocess import Schema, Standardised
from jaxsurv.preprocess._encode import encoded_columns
from jaxsurv.types import Array, Params


def integrated_gradients(
    model: FittedModel, made: Standardised, *, steps: int
) -> Iterator[np.ndarray]:
    """Attributions ``[n, features]`` of one member of the ensemble after the other::

        a_j = z_j ∫₀¹ ∂η(αz) / ∂z_j dα,    Σ_j a_j = η(z) - η(0)

    η is the log hazard and z the standardised values, so that the path leads from the training mean to
    the patient, who keeps the modalities that there are. A projection is linear, and the gradient is
    pulled back through it: attributions belong to the features as they were measured. Those of a
    category's columns are summed.

    Args:
        model: of any network.
        made: standardised values before projection.
        steps: points of the midpoint rule. The sum is exact for linear models and, for others, as good
            as the rule: worst of HCL, whose encodings of unit length turn around where they are short.

    Reference: Sundararajan, Taly and Yan, ICML 2017.
    """
    preprocessing = model.preprocessing
    projection = preprocessing.projection
    columns = {m: feature_columns(preprocessing.schema, m) for m in made.inputs}
    rows = preprocessing.project(made.inputs), made.presence
    for j in range(len(model.center)):
        member = jax.tree.map(lambda p, j=j: p[j], model.params)
        gradient = in_chunks(
            partial(_mean_gradient, model.predict, steps, member),
            rows,
            min(CHUNK, len(made.patients)),
        )
        gradient |= {m: gradient[m] @ p.T for m, p in projection.items()}
        parts = [per_feature(columns[m], z * gradient[m]) for m, z in made.inputs.items()]
        yield np.concatenate(parts, axis=1)


@partial(jax.jit, static_argnums=(0, 1))
def _mean_gradient(
    predict: Callable[[Params, Batch], Array],
    steps: int,
    params: Params,
    rows: tuple[dict[str, Array], dict[str, Array]],
) -> dict[str, Array]:
    """Modality to ``[n, k]``: the gradient of each row's log hazard, averaged along its path."""
    inputs, presence = rows

    def total(x: dict[str, Array]) -> Array:
        return jnp.sum(predict(params, as_batch(x, presence)))  # rows do not see each other

    def add(so_far: dict[str, Array], at: Array) -> tuple[dict[str, Array], None]:
        here = jax.grad(total)({m: at * x for m, x in inputs.items()})
        return jax.tree.map(jnp.add, so_far, here), None

    zero = jax.tree.map(jnp.zeros_like, inputs)
    summed, _ = lax.scan(add, zero, (jnp.arange(steps) + 0.5) / steps)
    return {m: g / steps for m, g in summed.items()}


def feature_columns(schema: Schema, modality: str) -> np.ndarray:
    """``[features, w]``: the encoded columns of each feature.

    Where a feature has fewer than w, the number of all of them fills up, at which there is no column.
    """
    owners = encoded_columns(schema, modality)
    own: dict[str, list[int]] = {feature: [] for feature in schema.features[modality]}
    for column, feature in enumerate(owners):
        own[feature].append(column)
    width = max(map(len, own.values()))
    filled = [columns + [len(owners)] * (width - len(columns)) for columns in own.values()]
    return np.array(filled, np.int32)


def per_feature(columns: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``[n, columns]`` summed to ``[n, features]``; ``columns`` are of `feature_columns`."""
    filled = np.pad(x, ((0, 0), (0, 1)))
    return filled[:, columns].sum(axis=2)
