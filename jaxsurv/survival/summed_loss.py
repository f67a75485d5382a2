"""Loss and gradient under Breslow and Efron ties, in plain numbers and in logs."""

from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from jaxsurv.survival.cumulative import LINEAR, LOG, Arithmetic, across_devices
from jaxsurv.survival.delayed_entry import log_at_risk, log_before
from jaxsurv.survival.risk_sets import RiskSets, to_positions, to_rows
from jaxsurv.types import Array

Ties = Literal["breslow", "efron", "exact"]


@partial(jax.custom_jvp, nondiff_argnums=(2, 3))
def summed_loss(log_hazard: Array, rs: RiskSets, ties: Ties, axis: str | None) -> Array:
    """Loss under Breslow or Efron ties, summed over the events.

    ``axis`` is None, or the mesh axis over whose devices the rows are cut into blocks. With an axis,
    the value is the contribution of one device's rows, but the derivative is that of the sum over
    all devices.
    """
    return _evaluate(log_hazard, rs, ties, axis, gradient=False)[0]


@summed_loss.defjvp
def _summed_loss_jvp(
    ties: Ties, axis: str | None, primals: Any, tangents: Any
) -> tuple[Array, Array]:
    # Value and gradient in one pass; the code of the gradient is itself differentiable.
    log_hazard, rs = primals
    loss, gradient = _evaluate(log_hazard, rs, ties, axis, gradient=True)
    return loss, jnp.vdot(gradient, tangents[0])


def _evaluate(
    log_hazard: Array, rs: RiskSets, ties: Ties, axis: str | None, gradient: bool
) -> list[Array]:
    """Summed loss and, if asked for, its gradient ``[n]``."""

    def nothing(x: Array, rs: RiskSets) -> list[Array]:
        return [jnp.zeros((), x.dtype), jnp.zeros_like(x)][: 1 + gradient]

    # As an argument of the conditional, the permuted vector is made once, not at each use.
    some = partial(_choose_arithmetic, ties == "efron", gradient, axis)
    out = lax.cond(rs.total > 0, some, nothing, to_positions(rs, log_hazard), rs)
    return [out[0], *(to_rows(rs, g) for g in out[1:])]


def _choose_arithmetic(
    tied: bool, gradient: bool, axis: str | None, x: Array, rs: RiskSets
) -> list[Array]:
    """Evaluate in plain numbers where possible, and in logs where these would underflow."""
    linear, log = LINEAR, LOG
    if axis is not None:
        linear, log = across_devices(LINEAR, axis), across_devices(LOG, axis)
    top = largest(x, rs, axis)

    def in_logs(x: Array, top: Array, rs: RiskSets, *_: Any) -> list[Array]:
        return _in_arithmetic(log, tied, gradient, x, top, rs, *_hazards(log, x, top, rs))

    if rs.stratum is not None or rs.intervals is not None:
        return in_logs(x, top, rs)
    # Plain numbers suffice if the smallest of the nested risk sets, that of the last event, is
    # within e^-60 of the largest hazard. With a NaN the logs are used, and the result is NaN.
    hazard, sums = _hazards(linear, x, top, rs)
    if axis is None:
        smallest = sums[rs.final]
    else:
        device, place = jnp.divmod(rs.final, sums.size)
        smallest = lax.all_gather(sums[place], axis)[device]
    will_do = smallest > np.exp(-60.0)
    branches = [partial(_in_arithmetic, linear, False, gradient), in_logs]
    branch = jnp.where(will_do, 0, 1)
    if tied:
        branches.insert(1, partial(_in_arithmetic, linear, True, gradient))
        branch = jnp.where(will_do, rs.tied.astype(int), 2)
    return lax.switch(branch, branches, x, top, rs, hazard, sums)


def log_weighted(x: Array, rs: RiskSets) -> Array:
    """Log of weight times hazard, ``[n]``; -inf for absent rows, whatever their x."""
    return jnp.where(rs.log_weight > -jnp.inf, x + rs.log_weight, -jnp.inf)


def largest(x: Array, rs: RiskSets, axis: str | None = None) -> Array:
    """Largest log of weight times hazard, a constant for derivatives; 0 if there is no row."""
    top = lax.stop_gradient(jnp.max(log_weighted(x, rs)))
    if axis is not None:
        top = lax.pmax(top, axis)
    return jnp.where(top == -jnp.inf, 0, top)


def log_denominators(log_hazard: Array, rs: RiskSets, ties: Ties) -> Array:
    """Log denominators of the events, 0 for other rows; both are ``[n]`` in the order of ``rs``.

    The derivatives give the risk-set means: ``d log_denominators_j / d log_hazard_i`` is the
    probability p_ji that event j happens to row i of its risk set.
    """
    return _denominators(LOG, ties == "efron", *_hazards(LOG, log_hazard, 0, rs), rs)


def _hazards(a: Arithmetic, x: Array, top: Array | int, rs: RiskSets) -> tuple[Array, Array]:
    """Weighted hazards, and their sums from each row to the last of its stratum."""
    hazard = a.exp(log_weighted(x, rs) - top)
    return hazard, a.cumulative(hazard, reverse=True, segment=rs.stratum)


def _denominators(a: Arithmetic, tied: bool, hazard: Array, sums: Array, rs: RiskSets) -> Array:
    if rs.intervals is None:
        everyone, others = _at(sums, rs.start, a), _at(sums, rs.rest, a)
    else:
        everyone, others = log_at_risk(rs.intervals, hazard)
    if tied:
        # All at risk minus k / m of the events = (1 - k / m) all + k / m others: nothing cancels.
        fraction, share = a.of(rs.fraction), a.of(1 - rs.fraction)
        everyone = a.add(a.multiply(share, everyone), a.multiply(fraction, others))
    return jnp.where(rs.event_weight > 0, everyone, a.one)


def _in_arithmetic(
    a: Arithmetic,
    tied: bool,
    gradient: bool,
    x: Array,
    top: Array,
    rs: RiskSets,
    hazard: Array,
    sums: Array,
) -> list[Array]:
    """Loss and, if asked for, its gradient, from the log hazards x; all in the order of ``rs``."""
    denominator = _denominators(a, tied, hazard, sums, rs)
    own = jnp.where(rs.event_weight > 0, rs.event_weight * (x - top), 0)
    loss = jnp.sum(rs.mean_weight * a.log(denominator) - own)
    if not gradient:
        return [loss]

    pull = a.divide(a.of(rs.mean_weight), denominator)
    on_everyone, on_others = pull, jnp.full_like(pull, a.zero)
    if tied:
        fraction, share = a.of(rs.fraction), a.of(1 - rs.fraction)
        on_everyone, on_others = a.multiply(share, pull), a.multiply(fraction, pull)
    if rs.intervals is None:
        reached = _at(a.cumulative(on_everyone, segment=rs.stratum), rs.last, a)
        if tied:
            sums = a.cumulative(on_others, segment=rs.stratum)
            reached = a.add(reached, _at(sums, rs.earlier, a))
    else:
        reached = log_before(rs.intervals, on_everyone, on_others)
    return [loss, a.plain(a.multiply(hazard, reached)) - rs.event_weight]


def _at(x: Array, index: Array, a: Arithmetic) -> Array:
    return x.at[index].get(mode="fill", fill_value=a.zero, wrap_negative_indices=False)
