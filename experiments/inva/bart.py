"""BART of each outcome pixel on the input values at the same pixel: pixelwise ridge made nonlinear."""

from collections.abc import Iterable, Iterator

import jax
import numpy as np

from jaxsurv.training import Store
from jaxsurv.types import ArrayLike, InputError

from .images import TESTED, Found, ImageStudy, Replicate, Scores, one_by_one

TREES, BURN_IN, DRAWS = 50, 200, 300
INTERVAL = (2.5, 97.5)


def pixelwise_bart(
    x: ArrayLike, y: ArrayLike, fit_rows: ArrayLike, pixels: ArrayLike, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bayesian additive regression trees, one model for each of some pixels v::

        y_iv = Σ_{t ≤ 50} tree_tv(x_iv) + e_iv,    e_iv ~ N(0, σ_v²)

    with the priors of Chipman, George & McCulloch (2010), as sampled by bartz: one chain per pixel, with
    200 discarded draws and then 300 draws. With 200 rows a pixel takes about half a second on one core,
    after 15 seconds of compilation; ``vmap`` over pixels is no faster there. With CUDA and JAX 0.10.2
    or 0.11.0, import bartz before JAX computes anything: bartz sets an XLA flag, and otherwise refuses.

    Args:
        x: ``[n, K, h, w]`` input images; model v reads pixel v of all K images.
        y: ``[n, h, w]`` outcome images.
        fit_rows: ``[n]`` booleans, training rows. BART needs no validation rows.
        pixels: ``[m]`` positions in the flattened ``h * w`` image.
        seed: seed of the chains; a pixel's chain does not depend on the other pixels that are asked for.

    Returns:
        Posterior mean ``[n, m]`` of all rows, and bounds ``[n, m]`` of the central 95 % of the
        posterior predictive distribution, which includes the residual variance.

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
        # bartz broadcasts arrays of different rank, as NumPy does
        with jax.numpy_rank_promotion("allow"):
            model = Bart(
                inputs[:, rows], y[rows, pixel], num_trees=TREES, n_burn=BURN_IN, n_save=DRAWS,
                num_chains=None, printevery=None, seed=chain,
            )  # fmt: skip
            draws = np.asarray(model.predict(inputs, kind="mean_samples"))
            residual = np.asarray(model.get_error_sdev())
        mean[:, column] = draws.mean(axis=0)
        outcomes = draws + residual[:, None] * jax.random.normal(noise, draws.shape)
        lower[:, column], upper[:, column] = np.percentile(
            outcomes, INTERVAL, axis=0, method="weibull"
        )
    return mean, lower, upper


def chosen_pixels(seeds: Iterable[int], size: int, pixels: int) -> np.ndarray:
    """Positions ``[runs, pixels]`` among ``size``, drawn for each replicate by its seed."""
    draws = (np.random.default_rng(s).choice(size, pixels, replace=False) for s in seeds)
    return np.stack(list(draws))


def run_bart(
    study: ImageStudy, every: Replicate, pixels: int, store: Store | None = None
) -> Iterator[Found]:
    """Scores of pixelwise BART on each replicate; NaN outside its `chosen_pixels`, and no maps.

    BART is fitted to all development rows, the held-out fifth included: it needs no early stopping and no
    calibration. Its intervals are posterior predictive intervals.
    """
    build = jax.jit(study.build, static_argnums=0)

    def found(replicate: Replicate) -> tuple[Scores, None]:
        batch, masks = build(None, replicate, np.uint32(0))
        x = np.stack(list(batch.inputs.values()), axis=1)
        seed = int(replicate.seed)
        (chosen,) = chosen_pixels([seed], batch.outcome[0].size, pixels)
        bounds = pixelwise_bart(x, batch.outcome, masks.develop, chosen, seed=seed)
        mean, lower, upper = (b[-TESTED:] for b in bounds)
        y = np.asarray(batch.outcome).reshape(len(x), -1)[-TESTED:, chosen]
        inside, width = (lower <= y) & (y <= upper), upper - lower
        known = {
            "error": (y - mean) ** 2,
            "square": y**2,
            "normal_coverage": inside,
            "normal_width": width,
        }
        maps = {name: np.full(batch.outcome.shape[1:], np.nan) for name in Scores._fields}
        for name, values in known.items():
            maps[name].reshape(-1)[chosen] = values.mean(axis=0)
        return Scores(**maps), None

    return one_by_one(every, found, store, maps=False)
