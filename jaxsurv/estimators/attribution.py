"""Integrated gradients: what each feature of a patient adds to the log hazard."""

from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.estimators.fitted import CHUNK, FittedModel, in_chunks
from jaxsurv.preprocess import Preprocessing, Schema
from jaxsurv.preprocess._encode import encoded_columns
from jaxsurv.recipe import Rows, Terms
from jaxsurv.types import Array


def integrated_gradients(
    model: FittedModel, rows: Rows, unprojected: dict[str, np.ndarray], *, steps: int
) -> Iterator[np.ndarray]:
    """Attributions ``[n, features]`` of one member of the ensemble after the other::

        a_j = z_j ∫₀¹ ∂η(αz) / ∂z_j dα,    Σ_j a_j = η(z) - η(0)

    η is the log hazard and z the standardised values, so that the path leads from the training mean to
    the patient, who keeps the modalities that there are. A projection is linear, and the gradient is
    pulled back through it: attributions belong to the features as they were measured. Those of a
    category's columns are summed, and so are those of a network and of Cox models that read one feature.

    Args:
        model: fitted model.
        rows: patients as the members read them.
        unprojected: modality to ``[n, d]``, what networks read, before selection and projection.
        steps: points of the midpoint rule. The sum is exact for linear models and, for others, as good
            as the rule: worst of HCL, whose encodings of unit length turn around where they are short.

    Reference: Sundararajan, Taly and Yan, ICML 2017.
    """
    preprocessing, n = model.preprocessing, len(next(iter(unprojected.values())))
    columns = {m: feature_columns(preprocessing.schema, m) for m in unprojected}
    for j in range(len(model.center)):
        member = jax.tree.map(lambda p, j=j: p[j], model.params)
        program = partial(_mean_gradient, model.predict, steps, member)
        read, plain = in_chunks(program, rows, min(CHUNK, n))
        parts = []
        for m, x in unprojected.items():
            a = x * pulled_back(preprocessing, m, read[m])
            parts.append(per_feature(columns[m], a + rows.z[m] * plain[m] if m in plain else a))
        yield np.concatenate(parts, axis=1)


def pulled_back(preprocessing: Preprocessing, modality: str, gradient: np.ndarray) -> np.ndarray:
    """``[n, d]`` gradient by the columns of a modality, from that by what a network reads, ``[n, k]``."""
    if (projection := preprocessing.projection.get(modality)) is not None:
        return gradient @ projection.T
    if (chosen := preprocessing.chosen.get(modality)) is not None:
        columns = preprocessing.columns[modality]
        full = np.zeros((len(gradient), columns.stop - columns.start), gradient.dtype)
        full[:, chosen] = gradient
        return full
    return gradient


@partial(jax.jit, static_argnums=(0, 1))
def _mean_gradient(
    predict: Callable[[Terms, Rows], Array], steps: int, terms: Terms, rows: Rows
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Gradients of each row's log hazard by inputs and by scaled features, averaged along its path."""
    ends = (rows.inputs, rows.z)

    def total(x: tuple[dict[str, Array], dict[str, Array]]) -> Array:
        inputs, z = x
        return jnp.sum(
            predict(terms, rows._replace(inputs=inputs, z=z))
        )  # rows do not see each other

    def add(so_far: tuple, at: Array) -> tuple[tuple, None]:
        here = jax.grad(total)(jax.tree.map(lambda x: at * x, ends))
        return jax.tree.map(jnp.add, so_far, here), None

    zero = jax.tree.map(jnp.zeros_like, ends)
    summed, _ = lax.scan(add, zero, (jnp.arange(steps) + 0.5) / steps)
    return jax.tree.map(lambda g: g / steps, summed)


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
