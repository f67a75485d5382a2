"""HCL-SVD: loadings block by block, from the smallest subsets to the largest."""

import jax.numpy as jnp
import numpy as np

from jaxsurv.factors.eigen import largest
from jaxsurv.factors.structure import Structure
from jaxsurv.types import Array


def hcl_svd(signal: Array, structure: Structure) -> Array:
    """Compute loadings ``[D, R]`` of a noise-free covariance, without iterations::

        R_S = S_SS - S_SC pinv_k(S_CC) S_CS,    W_S = U sqrt(s) of its r_S largest eigenvalues,
        S_SS <- S_SS - W_S W_S',                for the subsets S in the order of their size

    C is the set of modalities outside S. k is the number of latent variables in blocks at least as large
    as S in which C has a part. Variation that C explains is shared with C; the rest is shared within S
    alone. The method was published for three modalities; here it takes any number, and any set of
    subsets. In the paper each modality's part of W_S comes from its own rows of R_S, which leaves their
    rotation against each other open. Here all rows of the block are factored together. The result is
    exact for the covariance of the model itself.

    Args:
        signal: ``[D, D]``, see :func:`jaxsurv.factors.denoise`.
        structure: blocks and their ranks.
    """
    loadings = jnp.zeros((structure.features, structure.rank), signal.dtype)
    for subset, columns in sorted(structure.blocks.items(), key=lambda item: len(item[0])):
        inside = structure.rows(subset)
        outside = np.setdiff1d(np.arange(structure.features), inside)
        rest = signal[np.ix_(inside, inside)]
        k = structure.shared_with(subset)
        if k:
            values, vectors = largest(signal[np.ix_(outside, outside)], k)
            shared = signal[np.ix_(inside, outside)] @ vectors
            # directions without signal explain nothing
            inverse = jnp.where(values > 0, 1 / jnp.where(values > 0, values, 1), 0)
            rest = rest - (shared * inverse[None]) @ shared.T
        values, vectors = largest(rest, columns.stop - columns.start)
        block = vectors * jnp.sqrt(jnp.maximum(values, 0))[None]
        loadings = loadings.at[inside, columns].set(block)
        signal = signal.at[np.ix_(inside, inside)].add(-block @ block.T)
    return loadings
