"""Leading principal components of a modality, fitted on training rows."""

import numpy as np
from sklearn.utils.extmath import randomized_svd


def fit_projection(z: np.ndarray, components: int) -> np.ndarray:
    """Directions of the largest variance, as a matrix to multiply standardised features with.

    The scores ``z @ projection`` are uncorrelated on the fitted rows. The first score has unit variance.
    The standard deviations of the others are smaller, in the proportion of the components' standard
    deviations, so that a component that explains little also weighs little.

    Args:
        z: ``[n, d]`` standardised training rows (mean 0).
        components: number of components.

    Returns:
        ``[d, components]`` float32. Columns beyond the rank are zero; all are zero if z is all zero or
        has no rows.
    """
    projection = np.zeros((z.shape[1], components), np.float32)
    if not z.any():  # nobody has the modality, or no feature was kept
        return projection
    k = min(components, *z.shape)
    _, scale, directions = randomized_svd(z, k, n_iter=7, random_state=0)
    projection[:, :k] = directions.T * (np.sqrt(len(z)) / scale[0]) * (scale > 1e-5 * scale[0])
    return projection
