"""The Gumbel-Softmax relaxation of a categorical variable, and its temperature."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.types import Array, ArrayLike, InputError, Key


def gumbel_softmax(
    key: Key, logits: Array, temperature: ArrayLike | float, *, hard: bool = False
) -> Array:
    """Draw ``y = softmax((logits + g) / temperature)``, ``g ~ Gumbel(0, 1)``.

    The largest entry is category k with probability ``softmax(logits)_k``, at every temperature. As
    the temperature goes to 0 the rows become one-hot; as it goes to infinity, uniform. With ``hard``
    the value is the one-hot row, and the derivative that of the soft row (straight-through). Jang,
    Gu & Poole; Maddison, Mnih & Teh (both ICLR 2017).

    Args:
        key: typed key.
        logits: ``[..., K]``, log probabilities up to a constant.
        temperature: a number > 0; may be traced.
        hard: return one-hot values.

    Returns:
        ``[..., K]``, rows that sum to 1.

    Raises:
        InputError: logits without categories, a temperature that is no number > 0.

    >>> drawn = gumbel_softmax(jax.random.key(0), jnp.zeros((4, 3)), 0.5, hard=True)
    >>> drawn.shape, drawn.sum(axis=-1).tolist()
    ((4, 3), [1.0, 1.0, 1.0, 1.0])
    """
    if np.ndim(logits) == 0 or np.shape(logits)[-1] == 0:
        raise InputError(f"logits must have shape [..., K], got {list(np.shape(logits))}")
    if np.ndim(temperature) != 0:
        raise InputError(f"temperature must be a number, got shape {list(np.shape(temperature))}")
    _check_positive(temperature=temperature)
    noisy = logits + jax.random.gumbel(key, logits.shape, logits.dtype)
    soft = jax.nn.softmax(noisy / temperature)
    if not hard:
        return soft
    # argmax of the noisy logits: at low temperature the soft row can be tied by rounding
    one_hot = jax.nn.one_hot(jnp.argmax(noisy, axis=-1), logits.shape[-1], dtype=logits.dtype)
    return one_hot + (soft - lax.stop_gradient(soft))


def exponential_temperature(
    start: ArrayLike | float, end: ArrayLike | float, steps: ArrayLike | int
) -> Callable[[ArrayLike | int], Array]:
    """Annealing: ``temperature(step) = start (end / start)^(step / steps)``, then ``end``.

    Args:
        start: temperature at step 0 (and before), > 0.
        end: temperature at ``steps`` and after, exactly, > 0.
        steps: number of steps, >= 1; epochs or updates. All arguments may be traced.

    Returns:
        A function of the step: a number or an array.

    Raises:
        InputError: a number that is not > 0.

    >>> temperature = exponential_temperature(1.0, 0.25, steps=10)
    >>> [float(temperature(step)) for step in (0, 5, 10, 20)]
    [1.0, 0.5, 0.25, 0.25]
    """
    _check_positive(start=start, end=end, steps=steps)

    def temperature(step: ArrayLike | int) -> Array:
        decay = jnp.power(end / start, jnp.clip(step / steps, 0, 1))
        return jnp.where(step >= steps, end, start * decay)

    return temperature


def _check_positive(**numbers: Any) -> None:
    for name, x in numbers.items():
        if not isinstance(x, jax.core.Tracer) and not np.all(np.asarray(x) > 0):
            raise InputError(f"{name} must be > 0, got {x}")
