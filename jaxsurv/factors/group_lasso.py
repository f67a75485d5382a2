"""Coefficients of latent variables, penalised by block, so that whole blocks can drop out."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.labels import dense
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.factors.decompositions import eigh
from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, ConvergenceWarning, InputError

INNER, OUTER = 200, 30  # largest numbers of cycles over the blocks, and of Newton steps
TOLERANCE = 1e-5  # largest change by the last Newton step, relative to the coefficients


class Loss(NamedTuple):
    """Convex loss of coefficients and its derivatives, summed over patients.

    Attributes:
        value: scalar.
        gradient: ``[R]``.
        curvature: ``[R, R]``, the Hessian.
        size: divisor of a mean: number of patients, or of events.
    """

    value: Array
    gradient: Array
    curvature: Array
    size: Array


# function of the patients to use, [n] booleans, that returns the loss as a function of coefficients [R]
LossOn = Callable[[Array], Callable[[Array], Loss]]


class GroupFit(NamedTuple):
    """Coefficients along a path of penalties, with their cross-validated losses.

    Attributes:
        penalties: ``[L]``, lambda, decreasing.
        path: ``[L, R]``, coefficients at each penalty.
        held_out: ``[L]``, mean loss of the held-out rows; smaller is better.
        standard_error: ``[L]``, standard error of ``held_out`` over the folds; for a Cox model, over the
            folds with events.
        change: ``[folds + 1, L]``, change by the last Newton step, relative to the coefficients; the last row
            is ``path``, the others the fits without a fold. Above 1e-5 (1.2e-4 in float32) a fit has not
            converged.
    """

    penalties: Array
    path: Array
    held_out: Array
    standard_error: Array
    change: Array

    @property
    def coef(self) -> Array:
        """Coefficients ``[R]`` at the smallest ``held_out``."""
        return self.path[jnp.argmin(self.held_out)]


def block_norms(coef: Array, groups: np.ndarray) -> Array:
    """Euclidean norms ``[..., S]`` of ``coef [..., R]`` by block; ``groups [R]`` numbers blocks from 0."""
    member = groups[:, None] == np.arange(groups.max() + 1)
    return jnp.sqrt(coef**2 @ member.astype(coef.dtype))


@read_arguments
def group_path(loss: Callable[[Array], Loss], groups: np.ndarray, penalties: Array) -> Array:
    """Minimisers ``[L, R]`` of ``loss / size + lambda sum_S |coef_S|``, one per penalty.

    Newton steps solve quadratic problems by block coordinate descent, each block with its own bound of
    the curvature (Yang & Zou, Statistics and Computing 25, 2015). A step is halved where the objective
    would rise. Each penalty starts from the solution of the one before.

    Args:
        loss: function of coefficients ``[R]``.
        groups: ``[R]``, static: the number of each coefficient's block, from 0.
        penalties: ``[L]``, decreasing.

    Warns:
        ConvergenceWarning: names the first penalty whose fit still moved after the last step (not while
            ``jit`` traces).
    """
    path, change = _fit_path(loss, groups, penalties)
    _warn_late(penalties, change)
    return path


def _fit_path(
    loss: Callable[[Array], Loss], groups: np.ndarray, penalties: Array
) -> tuple[Array, Array]:
    """Minimisers ``[L, R]`` of `group_path`, and how far the last step of each would go, ``[L]``."""
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]

    def objective(at: Loss, coef: Array, penalty: Array) -> Array:
        return at.value / at.size + penalty * jnp.sum(block_norms(coef, groups))

    def descend(curvature: Array, target: Array, coef: Array, penalty: Array) -> Array:
        """Minimise ``1/2 c'Ac - b'c + lambda sum |c_S|`` from ``coef``."""
        bounds = [eigh(curvature[np.ix_(at, at)])[0][-1] for at in members]

        def cycle(state):
            i, coef, _ = state
            before = coef
            for at, bound in zip(members, bounds, strict=True):
                bound = jnp.maximum(bound, jnp.finfo(coef.dtype).tiny)
                free = coef[at] + (target[at] - curvature[at] @ coef) / bound
                keep = jnp.maximum(
                    1 - penalty / (bound * jnp.maximum(jnp.sqrt(jnp.sum(free**2)), 1e-30)), 0
                )
                coef = coef.at[at].set(keep * free)
            return i + 1, coef, _moved(coef, before)

        def proceed(state):
            return (state[0] < INNER) & (state[2] > 0.1 * TOLERANCE)

        return lax.while_loop(proceed, cycle, (0, coef, jnp.inf))[1]

    def newton(coef: Array, penalty: Array) -> tuple[Array, Array]:
        def step(state):
            i, coef, _ = state
            at = loss(coef)
            a, g = at.curvature / at.size, at.gradient / at.size
            direction = descend(a, a @ coef - g, coef, penalty) - coef
            now = objective(at, coef, penalty)

            def rises(t):
                new = coef + t * direction
                worse = objective(loss(new), new, penalty) > now + 1e-6 * jnp.abs(now)
                return worse & (t > 1e-4)

            t = lax.while_loop(rises, lambda t: t / 2, jnp.ones_like(now))
            # the whole step, since a short one would pass for an arrival
            return i + 1, coef + t * direction, _moved(coef + direction, coef)

        def proceed(state):
            return (state[0] < OUTER) & (state[2] > _tolerance(state[2].dtype))

        _, coef, change = lax.while_loop(proceed, step, (0, coef, jnp.asarray(jnp.inf, coef.dtype)))
        return coef, change

    def along(coef: Array, penalty: Array) -> tuple[Array, tuple[Array, Array]]:
        coef, change = newton(coef, penalty)
        return coef, (coef, change)

    return lax.scan(along, jnp.zeros(len(groups), penalties.dtype), penalties)[1]


def _tolerance(dtype: Any) -> float:
    """TOLERANCE, or what rounding leaves: 1.2e-4 in float32."""
    return max(TOLERANCE, 1e3 * float(jnp.finfo(dtype).eps))


def _warn_late(penalties: Array, change: Array) -> None:
    """Warn of fits without convergence; ``change [..., L]`` by the last step, known or traced."""
    tolerance = _tolerance(change.dtype)
    if not is_concrete(change) or not (late := ~(np.asarray(change) <= tolerance)).any():
        return
    first = np.argmax(late.reshape(-1, late.shape[-1]).any(0))
    warnings.warn(
        f"{late.sum()} of {late.size} fits did not converge in {OUTER} Newton steps, the first at penalty "
        f"{float(penalties[first]):.4g}: the last step changed coefficients by up to "
        f"{np.max(np.asarray(change)[late]):.2g} of their size, tolerance {tolerance:.2g}; end the path at "
        "a larger penalty, or drop columns that nearly determine each other",
        ConvergenceWarning,
        stacklevel=4,
    )


def largest_penalty(loss: Callable[[Array], Loss], groups: np.ndarray) -> Array:
    """Smallest lambda at which all coefficients are zero."""
    start = loss(jnp.zeros(len(groups)))
    return jnp.max(block_norms(start.gradient / start.size, groups))


@read_arguments
def group_penalised(
    loss_on: LossOn,
    where: Array,
    fold: Array,
    groups: np.ndarray,
    *,
    folds: int,
    n_penalties: int = 40,
    ratio: float = 1e-3,
) -> GroupFit:
    """Fit a path to all rows, and cross-validate its penalties among them.

    The loss on a fold is the loss of all rows minus that of the training rows, at coefficients fitted to
    the training rows (Verweij & van Houwelingen, 1993). This serves losses that are no sum over rows.

    Args:
        loss_on: function of the rows to use, ``[n]`` booleans, that returns their loss.
        where: ``[n]`` booleans, the rows to use.
        fold: ``[n]``, labels of any type, the fold in which a row is held out; integers from 0 while
            ``jit`` traces.
        groups: ``[R]``, static: the block of each coefficient.
        folds: number of folds, static.
        n_penalties: length of the path, which ends at ``ratio`` times the largest penalty that matters.
        ratio: last over first penalty.

    Raises:
        InputError: a missing label, or more labels than folds.

    Warns:
        ConvergenceWarning: see `group_path`, of the fit to all rows and of each fold.
    """
    fold = dense(fold)
    if is_concrete(fold) and (found := len(np.unique(fold))) > folds:
        raise InputError(f"fold has {found} labels, more than folds = {folds}")
    every = loss_on(where)
    penalties = largest_penalty(every, groups) * jnp.geomspace(1.0, ratio, n_penalties)

    def held_out(k: Array) -> tuple[Array, Array, Array]:
        known = loss_on(where & (fold != k))

        def added(coef: Array) -> tuple[Array, Array]:
            whole, part = every(coef), known(coef)
            return whole.value - part.value, whole.size - part.size

        path, change = _fit_path(known, groups, penalties)
        return *jax.vmap(added)(path), change

    losses, sizes, changes = lax.map(held_out, jnp.arange(folds))
    total = jnp.sum(sizes, axis=0)
    mean = jnp.sum(losses, axis=0) / total
    # a fold without events costs something too, but has no mean to compare with those of the others
    counts = sizes > 0
    squares = (losses - sizes * mean[None]) ** 2 / jnp.where(counts, sizes, 1)
    spread = jnp.sum(jnp.where(counts, squares, 0), axis=0) / total
    freedom = jnp.maximum(jnp.sum(counts, axis=0) - 1, 1)
    path, change = _fit_path(every, groups, penalties)
    change = jnp.concatenate([changes, change[None]])
    _warn_late(penalties, change)
    return GroupFit(penalties, path, mean, jnp.sqrt(spread / freedom), change)


def _moved(new: Array, old: Array) -> Array:
    return jnp.max(jnp.abs(new - old)) / (1e-3 + jnp.max(jnp.abs(new)))
