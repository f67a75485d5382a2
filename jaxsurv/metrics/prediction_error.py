"""Brier score of survival curves under censoring, and its integral over time."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.censoring import (
    censoring_curve,
    check_follow_up,
    inverse_censoring_weights,
)
from jaxsurv.survival.ties import at_known_times, merge_near_ties
from jaxsurv.survival.validation import (
    array_module,
    check_curves,
    check_probabilities,
    check_survival,
    is_concrete,
)
from jaxsurv.types import Array, ArrayLike, InputError, taking


def case_control_weights(
    times: Any, event: Any, time: Any, train_event: Any, train_time: Any, where: Any
) -> tuple[Any, Any, Any]:
    """Inverse-probability weights of cases and controls at each time, in a compact form.

    A patient with an event at or before ``times[k]`` is a case, of weight 1 / G(time-). A patient who
    is alive at ``times[k]``, or censored at this time, is a control, of weight 1 / G(times[k]-).
    Other patients have weight 0.

    Returns:
        ``case [n]``: weight as a case, 0 for a patient who never is one; ``until [n]``: the patient
        is a control at ``times[k]`` for k < until, and then a case; ``control [t]``: weight of
        controls.

    Raises:
        InputError: a time beyond the follow-up of the training set or of the patients.
    """
    curve = censoring_curve(train_event, train_time)
    xp = array_module(times, event, time, where, *curve)
    time = merge_near_ties(time, where=where)[0]
    times = at_known_times(times, time)
    times, time, event = xp.asarray(times), xp.asarray(time), xp.asarray(event).astype(bool)
    check_follow_up(curve, times[-1], "time")
    if xp is np:
        last = np.max(time, where=True if where is None else np.asarray(where, bool), initial=0)
        if times[-1] > last:
            raise InputError(f"time {times[-1]:g} is beyond the follow-up, which ends at {last:g}")
    until = xp.searchsorted(times, time)  # times before the patient's own
    alive_then = ~event & (times[xp.minimum(until, times.size - 1)] == time)
    until = until + alive_then
    is_case = event & (until < times.size)
    if where is not None:
        here = xp.asarray(where).astype(bool)
        is_case, until = is_case & here, xp.where(here, until, 0)
    control = inverse_censoring_weights(curve, times, xp.ones(times.shape, bool))
    return inverse_censoring_weights(curve, time, is_case), until, control


@read_arguments
def brier_score(
    survival: ArrayLike,
    times: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    train_event: ArrayLike,
    train_time: ArrayLike,
    where: ArrayLike | None = None,
) -> Array:
    """Mean squared error of S(t | x) as a prediction of being alive at t, for each of ``times``.

    BS(t) = 1/n Σ_i [ S_i(t)² 1{case} / G(t_i-) + (1 - S_i(t))² 1{alive at t} / G(t-) ]

    with G the censoring distribution in the training set. A patient censored at t is alive at t, as
    in R's ``survival::brier``. riskRegression leaves such patients out. scikit-survival takes G(t_i),
    which at tied times changes the score by up to 2 % (docs/differences.md).

    Args:
        survival: ``[n, t]``, predicted S(times | x).
        times: ``[t]``, ascending, without repeats.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, follow-up time in the unit of ``times``.
        train_event, train_time: ``[m]``, outcome of the training set.
        where: ``[n]`` booleans, False for patients that are not there.

    Returns:
        Scores ``[t]``.

    Raises:
        InputError: malformed input (see `check_survival`); survival not ``[n, t]`` or outside
            [0, 1] (while ``jit`` traces the score is NaN then); a time beyond the follow-up of the
            training set or of the patients.

    Reference: Graf et al., Stat. Med. 18 (1999) 2529; Gerds and Schumacher, Biom. J. 48 (2006).

    >>> event, time = np.ones(4), np.array([1.0, 2.0, 3.0, 4.0])
    >>> curves = np.full((4, 1), 0.5)
    >>> brier_score(
    ...     curves, np.array([2.0]), event, time, train_event=event, train_time=time
    ... ).tolist()
    [0.25]
    """
    n = check_survival(event, time, where=where)
    survival = check_curves(survival, times, n)
    weights = case_control_weights(times, event, time, train_event, train_time, where)
    return mean_squared_error(survival, weights, where)


def mean_squared_error(
    survival: Any, weights: tuple[Any, Any, Any], where: Any, after: Any = None
) -> Any:
    """Brier scores ``[t]`` of curves ``[n, t]``.

    Args:
        survival: ``[n, t]``.
        weights: result of `case_control_weights`.
        where: ``[n]`` booleans or None.
        after: ``[n]``, right value after the patient's event, 0 or 1; None = 0.
    """
    count = (
        len(survival) if where is None else array_module(where).asarray(where).astype(bool).sum()
    )
    known = all(map(is_concrete, (survival, *weights)))
    squares = _squares_on_host if known and np.size(survival) <= _HOST_SIZE else weighted_squares
    score = squares(survival, *weights, after) / count
    if is_concrete(score) and np.isnan(score).any():
        check_probabilities("survival", survival)
    return score


_ROWS = 1024
_HOST_SIZE = 2**22  # of curves that are scored in NumPy, which compiles nothing


def _squares_on_host(survival: Any, case: Any, until: Any, control: Any, after: Any) -> Any:
    """Twin of `weighted_squares` for known values, in float64."""
    s = np.asarray(survival, float)
    controls = np.arange(s.shape[1]) < until[:, None]
    gone = s if after is None else s - after[:, None]
    square = np.where(controls, (1 - s) ** 2 * control, gone**2 * case[:, None])
    return np.where(np.abs(s - 0.5) <= 0.5 + 1e-6, square, np.nan).sum(0)


@jax.jit
def weighted_squares(
    survival: Array, case: Array, until: Array, control: Array, after: Array | None = None
) -> Array:
    """Sum over patients of the weighted squared errors at each time, ``[t]``.

    Rows are added in blocks: XLA's own column sum is 5 times slower.

    Args:
        survival: ``[n, t]``.
        case, until, control: see `case_control_weights`.
        after: see `mean_squared_error`.
    """
    n, t = survival.shape
    rows = min(_ROWS, n)
    number = jnp.result_type(float)

    def add(step: Array, total: Array) -> Array:
        start = jnp.minimum(step * rows, n - rows)  # the last rows may come twice

        def take(x: Array) -> Array:
            return lax.dynamic_slice_in_dim(x, start, rows).reshape(rows, -1).astype(number)

        new = (start + jnp.arange(rows) >= step * rows)[:, None]
        s = take(survival)
        controls = jnp.arange(t)[None] < take(until)
        gone = s if after is None else s - take(after)
        square = jnp.where(
            controls, (1 - s) ** 2 * control.astype(number)[None], gone**2 * take(case)
        )
        square = jnp.where(jnp.abs(s - 0.5) <= 0.5 + 1e-6, square, jnp.nan)
        return total + jnp.where(new, square, 0)

    return lax.fori_loop(0, -(-n // rows), add, jnp.zeros((rows, t), number)).sum(0)


@read_arguments
@taking(brier_score)
def integrated_brier_score(
    survival: ArrayLike, times: ArrayLike, *outcome: ArrayLike, **options: ArrayLike | None
) -> Array:
    """Brier score averaged over ``[times[0], times[-1]]`` by the trapezoid rule.

    Arguments as in `brier_score`.

    Raises:
        InputError: any error of `brier_score`; fewer than two times.

    A prediction of 1/2 for every patient scores 1/4 at every time:

    >>> event, time = np.ones(4), np.array([1.0, 2.0, 3.0, 4.0])
    >>> curves, times = np.full((4, 2), 0.5), np.array([1.5, 3.5])
    >>> score = integrated_brier_score(
    ...     curves, times, event, time, train_event=event, train_time=time
    ... )
    >>> float(score)
    0.25
    """
    check_integral(times)
    return time_average(brier_score(survival, times, *outcome, **options), times)  # type: ignore[misc]


def check_integral(times: Any) -> None:
    """Refuse fewer than two times."""
    if np.size(times) < 2:
        raise InputError("an integral needs at least two times")


def time_average(score: Any, times: Any) -> Any:
    """Average of scores ``[t]`` over ``[times[0], times[-1]]`` by the trapezoid rule."""
    # known times may be far from zero: float32 would make them equal
    times = np.asarray(times) if array_module(times) is np else times.astype(score.dtype)
    share = (times - times[0]) / (times[-1] - times[0])
    xp = array_module(score, share)
    return xp.trapezoid(score, xp.asarray(share, score.dtype))
