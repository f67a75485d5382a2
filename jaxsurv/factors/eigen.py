"""The largest eigenpairs of a symmetric matrix."""

import jax
from jax.experimental.sparse.linalg import lobpcg_standard

from jaxsurv.factors.decompositions import eigh
from jaxsurv.types import Array

SMALL = 600  # number of features below which all eigenpairs cost less than a search for some


def largest(matrix: Array, k: int) -> tuple[Array, Array]:
    """Largest ``k`` eigenvalues ``[k]``, in decreasing order, and their vectors ``[d, k]``.

    Large matrices use LOBPCG, nearly all of which is matrix products.

    Args:
        matrix: ``[d, d]``, symmetric; need not be positive.
        k: number of eigenpairs, at most d.
    """
    d = len(matrix)
    if d < SMALL or 5 * k >= d:
        values, vectors = eigh(matrix)
        return values[::-1][:k], vectors[:, ::-1][:, :k]
    start = jax.random.normal(jax.random.key(0), (d, k), matrix.dtype)
    values, vectors, _ = lobpcg_standard(matrix, start)
    return values, vectors
