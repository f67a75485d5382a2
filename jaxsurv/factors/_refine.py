"""Masked least squares: loadings whose products come nearest to a covariance."""

import warnings
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, ConvergenceWarning


class Refined(NamedTuple):
    """Refined loadings and their convergence.

    Attributes:
        loadings: ``[D, R]``.
        steps: number of steps taken.
        gradient: largest element of the last gradient, divided by that of ``S W``; small = converged.
    """

    loadings: Array
    steps: Array
    gradient: Array


@read_arguments
def refine(
    loadings: Array, signal: Array, mask: Array, *, most: int = 500, tolerance: float = 1e-4
) -> Refined:
    """Minimise ``1/2 |W W' - S|_F²`` over W with ``W = W * mask``.

    L-BFGS with an exact line search: along a direction the objective is a polynomial of degree four. Its
    coefficients need only products with R columns, so that a step costs one product of S.

    Args:
        loadings: ``[D, R]``, starting point.
        signal: ``[D, D]``, S.
        mask: ``[D, R]``, 1 where a loading may differ from zero.
        most: largest number of steps; 0 = none, ``loadings`` as they are.
        tolerance: value of ``Refined.gradient`` at which the search stops.

    Warns:
        ConvergenceWarning: ``most`` steps were not enough (not while ``jit`` traces).
    """
    search = optax.scale_by_lbfgs()

    def proceed(state):
        step, _, sw, g, _ = state
        return (step < most) & (_size(sw, g) > tolerance)

    def advance(state):
        step, w, sw, g, memory = state
        uphill, memory = search.update(g, memory, w)
        d: Array = -uphill  # type: ignore[operator]
        sd = signal @ d
        t = _line_search(w, d, sw, sd)
        w, sw = w + t * d, sw + t * sd
        return step + 1, w, sw, _gradient(w, sw, mask), memory

    w = loadings * mask
    sw = signal @ w
    start = (jnp.int32(0), w, sw, _gradient(w, sw, mask), search.init(w))
    steps, w, sw, g, _ = lax.while_loop(proceed, advance, start)
    left = _size(sw, g)
    if most > 0 and is_concrete(left) and not np.asarray(left) <= tolerance:
        warnings.warn(
            f"the loadings did not converge in {most} steps: a gradient of {float(left):.2g} is left, "
            f"tolerance {tolerance:g}; raise most, or tolerance to what float32 can reach",
            ConvergenceWarning,
            stacklevel=3,
        )
    return Refined(w, steps, left)


def _gradient(w: Array, sw: Array, mask: Array) -> Array:
    return 2 * (w @ (w.T @ w) - sw) * mask


def _size(sw: Array, g: Array) -> Array:
    return jnp.max(jnp.abs(g)) / jnp.maximum(jnp.max(jnp.abs(sw)), jnp.finfo(sw.dtype).tiny)


def _line_search(w: Array, d: Array, sw: Array, sd: Array) -> Array:
    """First t > 0 at which ``1/2 |(W + t D)(W + t D)' - S|²`` stops falling; 0 if it does not fall."""
    a, c = w.T @ w, d.T @ d
    b = w.T @ d
    b = b + b.T
    # coefficients of the derivative q[0] + q[1] t + q[2] t² + q[3] t³
    q = jnp.stack([
        jnp.sum(a * b) - 2 * jnp.sum(d * sw),
        jnp.sum(b * b) + 2 * jnp.sum(a * c) - 2 * jnp.sum(d * sd),
        3 * jnp.sum(b * c),
        2 * jnp.sum(c * c),
    ])  # fmt: skip
    steepest = jnp.where(q[3] > 0, q[3], 1)
    end = 1 + jnp.max(jnp.abs(q[:3])) / steepest  # Cauchy: no root lies beyond

    def halve(_, interval):
        low, high = interval
        middle = (low + high) / 2
        falls = jnp.polyval(q[::-1], middle) < 0
        return jnp.where(falls, middle, low), jnp.where(falls, high, middle)

    low, high = lax.fori_loop(0, 50, halve, (jnp.zeros_like(end), end))
    return jnp.where((q[0] < 0) & (q[3] > 0), (low + high) / 2, 0)
