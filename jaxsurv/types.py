"""The few types that every part shares: array aliases, the outcome, a model, and the input error."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

Array = jax.Array
ArrayLike = jax.Array | np.ndarray
Key = jax.Array  # a typed key from jax.random.key
Params = Any  # a pytree of arrays


class InputError(ValueError):
    """Input that cannot be analysed. The message names the column, the rows, the value and the fix."""


class Survival(NamedTuple):
    """A right-censored outcome, one row per patient (or per ``(entry, time]`` interval).

    Attributes:
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, follow-up time in any unit, >= 0.
        entry: ``[n]`` or None, delayed entry: the row is at risk in ``(entry, time]``.
        weight: ``[n]`` or None, case weights >= 0.
        stratum: ``[n]`` integers or None; risk sets never cross strata.
    """

    event: ArrayLike
    time: ArrayLike
    entry: ArrayLike | None = None
    weight: ArrayLike | None = None
    stratum: ArrayLike | None = None


class Model(NamedTuple):
    """A network as two pure functions.

    Attributes:
        init: ``init(key, batch) -> params``.
        apply: ``apply(params, batch, ...) -> outputs``.
    """

    init: Callable[..., Params]
    apply: Callable[..., Any]
