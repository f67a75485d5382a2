"""Matrix decompositions that ``vmap`` runs one after the other.

On a CPU, XLA runs independent operations at the same time, and each batched LAPACK operation waits for
threads of the same small pool: two of them can wait for each other forever (seen with jaxlib 0.10.2 on
two cores). For matrices this large a batch gains nothing anyway.
"""

import jax.numpy as jnp
from jax.custom_batching import sequential_vmap

from jaxsurv.types import Array


@sequential_vmap
def eigh(matrix: Array) -> tuple[Array, Array]:
    """Eigenvalues in increasing order, and eigenvectors."""
    values, vectors = jnp.linalg.eigh(matrix)
    return values, vectors


@sequential_vmap
def svd(matrix: Array) -> tuple[Array, Array, Array]:
    """Thin SVD: left vectors, singular values in decreasing order, right vectors transposed."""
    left, values, right = jnp.linalg.svd(matrix, full_matrices=False)
    return left, values, right


@sequential_vmap
def solve(matrix: Array, right: Array) -> Array:
    """Solution ``matrix⁻¹ right`` of a linear system."""
    return jnp.linalg.solve(matrix, right)


@sequential_vmap
def orthonormal(matrix: Array) -> Array:
    """Orthonormal columns that span those of ``matrix``, from its QR decomposition."""
    return jnp.linalg.qr(matrix)[0]


@sequential_vmap
def cholesky(matrix: Array) -> Array:
    """Lower triangular L with ``L L' = matrix``."""
    return jnp.linalg.cholesky(matrix)


def pinv(matrix: Array) -> Array:
    """Pseudo-inverse of a symmetric positive semidefinite matrix."""
    values, vectors = eigh(matrix)
    seen = values > 10 * len(values) * jnp.finfo(values.dtype).eps * values[-1]
    inverse = jnp.where(seen, 1 / jnp.where(seen, values, 1), 0)
    return (vectors * inverse[None]) @ vectors.T
