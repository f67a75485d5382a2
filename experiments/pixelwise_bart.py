"""BART of each outcome pixel on the input values at that pixel: the nonlinear peer of pixelwise ridge."""

import jax
import numpy as np

from jaxsurv.types import ArrayLike, InputError

TREES, BURN_IN, DRAWS = 50, 200, 300
INTERVAL = (2.5, 97.5)


def pixelwise_bart(
    x: ArrayLike, y: ArrayLike, fit_rows: ArrayLike, pixels: ArrayLike, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bayesian additive regression trees, one model for each of some pixels v::

        y_iv = Σ_{t ≤ 50} tree_tv(x_iv) + e_iv,    e_iv ~ N(0, σ_v²)

    with the priors of Chipman, George & McCulloch (2010), as sampled by bartz: one chain per pixel, of
    which 300 draws follow 200 discarded ones. With 200 rows about half a second per pixel on one core,
    after 15 seconds of compilation; vmapped over pixels it is no faster there. With CUDA and JAX 0.10.2
    or 0.11.0, import bartz before JAX computes anything: it sets an XLA flag, and else refuses.

    Args:
        x: ``[n, K, h, w]`` input images; pixel v of all K is what model v reads.
        y: ``[n, h, w]`` outcome images.
        fit_rows: ``[n]`` booleans, the rows that it is fitted to. BART needs no validation rows.
        pixels: ``[m]`` positions in the flattened ``h * w`` image.
        seed: of the chains; the same for the same pixel whichever others are asked for.

    Returns:
        The posterior mean ``[n, m]`` of all rows, and the bounds ``[n, m]`` of the central 95 % of the
        posterior predictive distribution, which has the residual variance in it.

    Raises:
        InputError: bartz is not installed.
    """
    try:
        from bartz import Bart  # pyright: ignore[reportPrivateImportUsage]
    except ModuleNotFoundError as error:
        raise InputError('pixelwise BART needs bartz: pip install "jaxsurv[bart]"') from error
    rows, pixels = np.asarray(fit_rows), np.asarray(pixels)
    x = np.asarray(x, np.float32).reshape(*np.shape(x)[:2], -1)
    y = np.asarray(y, np.float32).reshape(len(x), -1)
    key = jax.random.key(seed)
    mean, lower, upper = np.empty((3, len(x), len(pixels)))
    for column, pixel in enumerate(pixels):
        chain, noise = jax.random.split(jax.random.fold_in(key, pixel))
        inputs = x[:, :, pixel].T
        # bartz broadcasts ranks as NumPy does
        with jax.numpy_rank_promotion("allow"):
            model = Bart(
                inputs[:, rows], y[rows, pixel], num_trees=TREES, n_burn=BURN_IN, n_save=DRAWS,
                num_chains=None, printevery=None, seed=chain,
            )  # fmt: skip
            draws = np.asarray(model.predict(inputs, kind="mean_samples"))
            residual = np.asarray(model.get_error_sdev())
        mean[:, column] = draws.mean(axis=0)
        outcomes = draws + residual[:, None] * jax.random.normal(noise, draws.shape)
        lower[:, column], upper[:, column] = np.percentile(outcomes, INTERVAL, axis=0)
    return mean, lower, upper
