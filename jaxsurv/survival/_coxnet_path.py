"""Fits along the elastic-net path, from the strongest penalty to the weakest."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.arguments.labels import Labels
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.breslow import Breslow, saturated_loss
from jaxsurv.survival.coxnet_newton import Design, Penalty, Point, point_at, solve
from jaxsurv.survival.risk_sets import RiskSets, in_precision
from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, ArrayLike, InputError

if TYPE_CHECKING:
    from pandas import DataFrame

NEVER = 1e30
LEAST_L1_RATIO = 1e-3


class CoxnetPath(NamedTuple):
    """Fits along a path of penalties, from the strongest to the weakest.

    Attributes:
        lambdas: ``[n_lambdas]``.
        coef: ``[n_lambdas, p]``, log hazard ratio per unit of each column as it was given.
        deviance_ratio: ``[n_lambdas]``, share of the deviance explained; 1 is a saturated model.
        kkt: ``[n_lambdas]``, largest violation of the optimality conditions, relative to
            ``lambda * l1_ratio``. A fit above ``tolerance`` has not converged. With a float32 x the
            violation itself is known to about 1e-4 only.
        names: names of the columns of x, or None.
    """

    lambdas: Array
    coef: Array
    deviance_ratio: Array
    kkt: Array
    names: Labels | None = None

    @read_arguments
    def selected(self, at: ArrayLike | float, names: Sequence | None = None) -> "DataFrame":
        """Columns with a coefficient at a penalty: ``coef, hazard_ratio, enters``, largest effect first.

        ``enters`` is the strongest penalty of the path at which the column has a coefficient. Coefficients
        are shrunk, and chosen in these data: they have no p-values.

        Args:
            at: one of ``lambdas``, such as ``lambda_min`` of `coxnet_cv`.
            names: ``p`` names; None = the names of the columns of x, or their numbers.

        Raises:
            InputError: another penalty, or another number of names; a path that is traced.
        """
        from pandas import DataFrame

        if not is_concrete(self.coef) or np.ndim(self.coef) != 2:
            raise InputError("selected needs the known coefficients [n_lambdas, p] of one path")
        coef, lambdas = np.asarray(self.coef, float), np.asarray(self.lambdas, float)
        names = self.names or range(coef.shape[1]) if names is None else names
        if len(names) != coef.shape[1]:
            raise InputError(f"x has {coef.shape[1]} columns, but names has {len(names)}")
        k = int(np.abs(lambdas - at).argmin())
        if not np.isclose(lambdas[k], at, rtol=1e-5):
            raise InputError(
                f"at = {float(at):g} is none of lambdas; the nearest is {lambdas[k]:g}"
            )
        here = np.flatnonzero(coef[k])
        here = here[np.argsort(-np.abs(coef[k, here]), kind="stable")]
        columns = {
            "coef": coef[k, here],
            "hazard_ratio": np.exp(coef[k, here]),
            "enters": lambdas[(coef[:, here] != 0).argmax(0)],
        }
        return DataFrame(columns, index=[list(names)[j] for j in here])


class Penalties(NamedTuple):
    """Traced arguments of `coxnet_path`.

    Attributes:
        lambdas: ``[n_lambdas]``, NaN for the default path.
        l1_ratio, lambda_min_ratio, tolerance: scalars.
        factor: ``[p]``, penalty factors, which sum to p.
    """

    lambdas: Array
    l1_ratio: Array
    lambda_min_ratio: Array
    tolerance: Array
    factor: Array


class PathRows(NamedTuple):
    """The covariates and the outcome, both in the order of the risk sets.

    Attributes:
        x: ``[p, n]``, columns centred and of unit variance.
        spread: ``[p]``, standard deviations by which the columns were divided.
        risk_sets: the outcome; ``order`` is None, rows come in the order of the risk sets.
    """

    x: Array
    spread: Array
    risk_sets: RiskSets


@partial(jax.jit, static_argnames="standardize")
def fit_path(rows: PathRows, penalties: Penalties, standardize: bool) -> tuple[CoxnetPath, Array]:
    """Path, and log hazards ``[n_lambdas, n]`` of all rows, in the order of ``rows``."""

    @jax.custom_batching.sequential_vmap
    def run(rows: PathRows, penalties: Penalties) -> tuple[CoxnetPath, Array]:
        with jax.default_matmul_precision("highest"):
            path, log_hazard = _walk(_design(rows, standardize), penalties)
            path = path._replace(coef=path.coef / rows.spread[None, :])
            return jax.tree.map(lambda a: a.astype(rows.x.dtype), (path, log_hazard))

    return run(rows, penalties)


def _design(rows: PathRows, standardize: bool) -> Design:
    rs = in_precision(rows.risk_sets, jnp.result_type(float))
    weight = jnp.exp(rs.log_weight).astype(rows.x.dtype)
    weight = weight / jnp.sum(weight)
    mean = rows.x @ weight
    if standardize:
        scale = jnp.sqrt(jnp.sum(weight[None, :] * (rows.x - mean[:, None]) ** 2, 1))
        scale = jnp.where(scale > 1e-6, scale, 1)  # a constant column stays at zero
    else:
        scale = 1 / rows.spread
    return Design(rows.x, mean, scale, Breslow(rs))


def _walk(design: Design, penalties: Penalties) -> tuple[CoxnetPath, Array]:
    dtype, rs = design.x.dtype, design.outcome.risk_sets
    l1_ratio, factor, n_lambdas = penalties.l1_ratio, penalties.factor, penalties.lambdas.size
    # A ridge path starts, as in glmnet, where one with a little l1 would.
    unit_ratio = jnp.maximum(l1_ratio, LEAST_L1_RATIO)

    def next_lambda(place: Array, first: Array) -> Array:
        default = first * penalties.lambda_min_ratio ** ((place - 1) / max(n_lambdas - 1, 1))
        given = penalties.lambdas[place - 1]
        return jnp.where(jnp.isnan(given), default, given)

    def go(carry: tuple[Point, Array, Array, Array], place: Array) -> Any:
        point, before, first, earlier = carry
        # The first fit is that of the columns without a penalty; it says where the path starts.
        is_null = place == 0
        steepest = jnp.max(jnp.abs(point.slope) / jnp.where(factor > 0, factor, jnp.inf))
        first = jnp.where(place <= 1, steepest / unit_ratio, first)
        now = jnp.where(is_null, first, next_lambda(place, first)).astype(dtype)
        before = jnp.where(place <= 1, jnp.maximum(first, now), before)
        l1 = jnp.where(is_null & (factor > 0), NEVER, now * l1_ratio * factor)
        penalty = Penalty(l1, now * (1 - l1_ratio) * factor, now * unit_ratio)
        # Start from the extrapolation of the last two fits, if that is better.
        coef = point.coef
        ahead = 2 * coef - earlier
        ahead = point_at(jnp.where(ahead * jnp.sign(coef) > 0, ahead, 0), design)
        better = ahead.loss + penalty.value(ahead.coef) < point.loss + penalty.value(coef)
        point = jax.tree.map(lambda a, b: jnp.where(better, a, b), ahead, point)
        # Strong rule (Tibshirani et al., 2012): `solve` adds columns that it dropped by mistake.
        reach = l1_ratio * factor * (2 * now - before)
        working = ((jnp.abs(point.slope) >= reach) & ~is_null) | (point.coef != 0) | (factor == 0)
        point = solve(design, point, working, penalty, penalties.tolerance)
        return (point, now, first, coef), (point, now)

    null = point_at(jnp.zeros(len(design.x), dtype), design)
    start = null, jnp.zeros((), dtype), jnp.zeros((), dtype), null.coef
    _, (points, lambdas) = lax.scan(go, start, jnp.arange(n_lambdas + 1))
    points, lambdas = jax.tree.map(lambda a: a[1:], (points, lambdas))
    saturated = saturated_loss(rs) / design.outcome.total
    explained = (null.loss - points.loss) / (null.loss - saturated)
    coef = points.coef / design.scale[None, :]
    return CoxnetPath(lambdas, coef, explained, points.kkt), points.log_hazard
