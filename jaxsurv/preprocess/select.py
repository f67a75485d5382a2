"""Feature selection on a mask of training rows: by variance, by elastic-net Cox, by correlation."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.preprocess.scale import Features, Scaler, transform, two_valued
from jaxsurv.survival import coxnet_path, prepare_risk_sets, restrict
from jaxsurv.types import Array, ArrayLike

TOP = 200  # features of largest variance that are kept of a modality
SMALL = 10  # largest number of features of a modality that is kept whole
THRESHOLD, THRESHOLD_INDICATOR = 0.05, 0.2  # least |coef|, as MyeVAE was released
CORRELATED = 0.9
L1_RATIO, PATH_END, STEPS = 0.5, 0.01, 40  # PATH_END: last over first lambda; STEPS between
TOLERANCE = 1e-2  # tolerance of the optimality conditions: a few parts in 10^3 of a coefficient


def variance(x: Array, where: Array) -> Array:
    """Variance ``[d]`` of x ``[n, d]`` over the rows in ``where`` ``[n]``; NaN marks a missing value."""
    usable = where[:, None] & jnp.isfinite(x)
    count = jnp.maximum(jnp.sum(usable, axis=0), 1)
    mean = jnp.sum(jnp.where(usable, x, 0), axis=0) / count
    return jnp.sum(jnp.where(usable, x - mean[None], 0) ** 2, axis=0) / count


def top_variance(x: Array, where: Array, k: int) -> Array:
    """Mark the k features of largest variance, ``[d]`` booleans; the first ones among equals.

    Variances on different scales cannot be compared: pass one modality, before z-scores.

    Args:
        x: ``[n, d]``, NaN where missing.
        where: ``[n]`` booleans, the rows that count.
        k: number of features to keep.
    """
    value = variance(x, where)
    if k >= value.size:
        return value > 0
    chosen = lax.top_k(value, k)[1]
    return jnp.zeros(value.size, bool).at[chosen].set(True) & (value > 0)


def drop_correlated(
    z: Array, where: Array, among: Array, priority: Array, *, limit: float = CORRELATED
) -> Array:
    """Drop correlated features; keep the one with the highest priority.

    Goes through the features from the highest ``priority`` to the lowest (equal ones in order of
    columns) and keeps each feature whose ``|correlation|`` with all kept features is below ``limit``.

    Args:
        z: ``[n, d]``, no NaN.
        where: ``[n]`` booleans, the rows that count.
        among: ``[d]`` booleans, the features that may be kept.
        priority: ``[d]``.
        limit: correlation in (0, 1].

    Returns:
        ``[d]`` booleans, the kept features.
    """
    count = jnp.maximum(jnp.sum(where), 1)
    mean = jnp.sum(jnp.where(where[:, None], z, 0), axis=0) / count
    z = jnp.where(where[:, None], z - mean[None], 0)
    size = jnp.sqrt(jnp.sum(z**2, axis=0))
    z = z / jnp.where(size > 0, size, 1)[None]
    with jax.default_matmul_precision("highest"):
        close = jnp.abs(z.T @ z) >= limit - 1e-6  # equal columns have 1 up to rounding
    order = jnp.argsort(-priority, stable=True)

    def visit(kept: Array, j: Array) -> tuple[Array, None]:
        return kept.at[j].set(among[j] & ~jnp.any(kept & close[j])), None

    return lax.scan(visit, jnp.zeros(among.shape, bool), order)[0]


def select_by_variance(
    features: Features,
    scaler: Scaler,
    modalities: Mapping[str, slice],
    where: ArrayLike,
    *,
    k: int = TOP,
) -> np.ndarray:
    """Select the ``k`` usable features of largest variance of each modality.

    The variance is taken over the rows in ``where``, of values clipped as for the z-scores (so that one
    outlier does not make a gene variable), on the scale of the modality's kind: log2(x + 1) for counts.

    Args:
        features: features of the whole cohort, before z-scores.
        scaler: scaler fitted on ``where``; features with gain 0 are not selected.
        modalities: modalities to select from; all features of other modalities are kept.
        where: ``[n]`` booleans, training rows.
        k: number of features per modality.

    Returns:
        ``[d]`` booleans, the kept features.
    """
    x = jnp.clip(features.x, scaler.lower[None], scaler.upper[None])
    kept = np.ones(x.shape[1], bool)
    for columns in modalities.values():
        kept[columns] = top_variance(x[:, columns], jnp.asarray(where), k)
    return kept & (np.asarray(scaler.gain) > 0)


def select_by_elastic_net(
    features: Features,
    scaler: Scaler,
    modalities: Mapping[str, slice],
    presence: Mapping[str, ArrayLike],
    event: ArrayLike,
    time: ArrayLike,
    where: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> np.ndarray:
    """Select features by an elastic-net Cox model (l1_ratio 0.5) of each modality alone, as MyeVAE does.

    There is one path per modality, on the rows in ``where`` that have it, down to a hundredth of the first
    lambda. Features with ``|coefficient|`` per standard deviation above 0.05 at its end are kept, two-valued
    features (gains and losses, mutations) above 0.2. Then copy numbers in states are dropped if they have
    a correlation of 0.9 or more with a kept one of larger ``|coefficient|``. Modalities of at most ten
    features are kept whole.

    MyeVAE publishes the thresholds; the end of the path and the priority in the correlation filter are ours.

    Args:
        features, scaler, modalities, where: see `select_by_variance`.
        presence: modality to ``[n]``, 1 where the patient has it.
        event, time, entry, strata: ``[n]``; values outside ``where`` have no effect, not even on the last
            bit.

    Returns:
        ``[d]`` booleans, the kept features.
    """
    z = np.asarray(transform(scaler, features.x))
    usable, where = np.asarray(scaler.gain) > 0, np.asarray(where)
    indicator = np.asarray(two_valued(features.x, where))
    threshold = np.where(indicator, THRESHOLD_INDICATOR, THRESHOLD)
    states = ~indicator & ~np.asarray(features.measured)
    kept = usable.copy()
    large = {m: c for m, c in modalities.items() if c.stop - c.start > SMALL}
    width = max((c.stop - c.start for c in large.values()), default=0)
    event, time = np.where(where, event, 0), np.where(where, time, 0)
    entry = None if entry is None else np.where(where, entry, -1)  # before their time, which is 0
    strata = None if strata is None else np.where(where, strata, 0)
    # their order does not depend on other rows
    risk_sets = prepare_risk_sets(event, time, entry=entry, strata=strata)
    for m, columns in large.items():
        rows = where & (np.asarray(presence[m]) > 0)
        part = restrict(risk_sets, rows)
        if not part.total > 0:
            kept[columns] = False
            continue
        # pad with columns of zeros, which no path enters, to one width: one compilation
        x = np.zeros((len(z), width), z.dtype)
        x[:, : columns.stop - columns.start] = z[:, columns]
        path = coxnet_path(
            x, risk_sets=part, l1_ratio=L1_RATIO, n_lambdas=STEPS,
            lambda_min_ratio=PATH_END, tolerance=TOLERANCE,
        )  # fmt: skip
        size = np.abs(np.asarray(path.coef[-1]))[: columns.stop - columns.start]
        chosen = size > threshold[columns]
        if states[columns].any():
            unlike = _drop_correlated(z[:, columns], rows, chosen, size)
            chosen = np.where(states[columns], unlike, chosen)
        kept[columns] &= chosen
    return kept


_drop_correlated = jax.jit(drop_correlated)
