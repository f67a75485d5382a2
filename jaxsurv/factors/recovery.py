"""Distance of estimated loadings from the true ones, whatever the rotation inside a block."""

import jax.numpy as jnp

from jaxsurv.factors.structure import Structure, Subset
from jaxsurv.types import Array


def block_errors(loadings: Array, truth: Array, structure: Structure) -> dict[Subset, Array]:
    """Distance ``|W_S W_S' - T_S T_S'|_F`` per block; a rotation of W_S does not change W_S W_S'.

    Args:
        loadings, truth: ``[D, R]``.
        structure: the blocks.
    """
    return {
        subset: gram_distance(loadings[:, columns], truth[:, columns])
        for subset, columns in structure.blocks.items()
    }


def gram_distance(w: Array, t: Array) -> Array:
    """Distance ``|W W' - T T'|_F``; its square is ``|W'W|² + |T'T|² - 2 |W'T|²``, products with R columns.

    Args:
        w: W ``[D, R]``.
        t: T ``[D, R]``.
    """
    square = jnp.sum((w.T @ w) ** 2) + jnp.sum((t.T @ t) ** 2) - 2 * jnp.sum((w.T @ t) ** 2)
    return jnp.sqrt(jnp.maximum(square, 0))
