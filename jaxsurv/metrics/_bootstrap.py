"""Bootstrap percentile intervals of any metric, by resampling patients."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.columns import numbers
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.validation import check_rows, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError, Key


class Bootstrap(NamedTuple):
    """Attributes:
    estimate: metric on the original patients.
    lower, upper: percentile limits; samples in which the metric is NaN are left out.
    standard_error: standard deviation over the samples.
    samples: ``[n_samples]``, metric on each sample.
    """

    estimate: Array
    lower: Array
    upper: Array
    standard_error: Array
    samples: Array


@read_arguments
def bootstrap(
    metric: Callable[..., Any],
    key: Key,
    *arrays: ArrayLike,
    n_samples: int = 1000,
    level: float = 0.95,
    batch_size: int = 100,
) -> Bootstrap:
    """Bootstrap a metric over patients drawn with replacement, in one compiled program.

    Args:
        metric: function ``metric(*arrays) -> scalar`` of arrays whose rows are patients; it runs under
            ``vmap``. Close over values that are the same in every sample (e.g. a time grid).
        key: typed key.
        *arrays: ``[n, ...]``, resampled together.
        n_samples: number of samples.
        level: coverage of the interval.
        batch_size: samples computed side by side; only memory and speed depend on it.

    Raises:
        InputError: no arrays, or arrays of unequal length; no rows; a level outside (0, 1); fewer than
            two samples; a metric that is NaN on the patients themselves.

    >>> x = jnp.arange(100.0)
    >>> result = bootstrap(jnp.mean, jax.random.key(0), x, n_samples=500)
    >>> float(result.estimate), bool(result.lower < 49.5 < result.upper)
    (49.5, True)
    """
    arrays = tuple(numbers(f"array {k}", a) for k, a in enumerate(arrays))
    if check_rows(*arrays) == 0:
        raise InputError("there are no rows to draw from")
    if not 0 < level < 1:
        raise InputError(f"level must be between 0 and 1, got {level}")
    with jax.enable_x64(True) if any(map(_needs_double, arrays)) else nullcontext():
        data = [jnp.asarray(a) for a in arrays]
        found = _run(metric, key, data, n_samples, batch_size)
    estimate, samples = (jnp.asarray(np.asarray(x)) if is_concrete(x) else x for x in found)
    if is_concrete(estimate) and np.isnan(np.asarray(estimate)):
        raise InputError(
            "the metric is NaN on the patients themselves; are there NaN in the arrays?"
        )
    tail = (1 - level) / 2
    lower, upper = jnp.nanquantile(samples, jnp.array([tail, 1 - tail]))
    return Bootstrap(estimate, lower, upper, jnp.nanstd(samples, ddof=1), samples)


def _needs_double(x: ArrayLike) -> bool:
    """Whether JAX's default precision loses values: integers wrap, or numbers are rounded or made equal."""
    if not is_concrete(x) or np.asarray(x).dtype.kind not in "fiu":
        return False
    x = np.asarray(x)
    if x.dtype.kind in "iu":
        held = np.iinfo(jax.dtypes.canonicalize_dtype(x.dtype))
        if x.min() < held.min or x.max() > held.max:
            return True
    with np.errstate(over="ignore"):
        narrow = x.astype(jax.dtypes.canonicalize_dtype(float))  # metrics compute with floats
    if np.array_equal(narrow, x, equal_nan=True):
        return False
    finite = np.isfinite(x)
    known, rounded = x[finite].astype(float), narrow[finite].astype(float)
    rounding, spread = np.abs(rounded - known).max(), np.ptp(known)
    return bool(0 < 1e-6 * spread < rounding) or len(np.unique(narrow)) < len(np.unique(x))


@partial(jax.jit, static_argnums=(0, 3, 4))
def _run(
    metric: Callable[..., Any], key: Key, data: list[Array], n_samples: int, batch_size: int
) -> tuple[Array, Array]:
    n = data[0].shape[0]

    def sample(key: Key) -> Array:
        rows = jax.random.randint(key, (n,), 0, n, jnp.int32)
        return jnp.asarray(metric(*(a[rows] for a in data)))

    keys = jax.random.split(key, n_samples)
    return jnp.asarray(metric(*data)), lax.map(sample, keys, batch_size=batch_size)
