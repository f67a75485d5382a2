"""Breslow's likelihood in plain numbers: value, gradient, and Hessian products for many directions."""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp

from jaxsurv.survival.cumulative import cumulative_sum
from jaxsurv.survival.life_table import segment_sum
from jaxsurv.survival.risk_sets import RiskSets
from jaxsurv.survival.validation import array_module
from jaxsurv.types import Array


class _Hazards(NamedTuple):
    top: Array
    own: Array
    at_risk: Array
    pull: Array


def saturated_loss(rs: RiskSets) -> Array:
    """Summed loss of a model with one parameter per row; 0 without ties."""
    xp = array_module(rs.event_weight)
    events = segment_sum(xp, rs.event_weight, rs.start, rs.start.size)
    return xp.sum(events * xp.log(xp.where(events > 0, events, 1)))


class Breslow(NamedTuple):
    """Negative log partial likelihood, divided by the sum of the weights.

    The spread of the log hazards must be within the range of ``exp``, as in a penalised linear
    model. `neg_log_partial_likelihood` has no such limit, but is slower for a matrix of directions.

    Attributes:
        risk_sets: the outcome; ``order`` is None, rows come in the order of the risk sets.
    """

    risk_sets: RiskSets

    @property
    def total(self) -> Array:
        """The sum of the weights."""
        return jnp.sum(jnp.exp(self.risk_sets.log_weight))

    def _sums(self, x: Array, reverse: bool) -> Array:
        add = partial(cumulative_sum, reverse=reverse, segment=self.risk_sets.stratum)
        return jnp.vectorize(add, signature="(n)->(n)")(x)

    def at_risk(self, x: Array) -> Array:
        """Sums ``[..., n]`` of x over the risk set at the time of each position."""
        rs = self.risk_sets
        sums = self._sums(x, reverse=True)[..., rs.start]
        if rs.intervals is None:
            return sums
        entering = self._sums(jnp.zeros_like(x).at[..., rs.intervals.enter].add(x), reverse=True)
        entered_later = entering.at[..., rs.start + 1].get(mode="fill", fill_value=0)
        if rs.stratum is not None:
            same = jnp.append(rs.stratum, -1)[rs.start + 1] == rs.stratum
            entered_later = jnp.where(same, entered_later, 0)
        return sums - entered_later

    def over_past(self, x: Array) -> Array:
        """Sums ``[..., n]`` of x over the events at which each row is at risk."""
        rs = self.risk_sets
        sums = self._sums(x, reverse=False)

        def up_to(last: Array) -> Array:
            return sums.at[..., last].get(mode="fill", fill_value=0, wrap_negative_indices=False)

        if rs.intervals is None:
            return up_to(rs.last)
        enter = rs.intervals.enter
        before = up_to(enter - 1)
        if rs.stratum is not None:
            before = jnp.where(jnp.append(-1, rs.stratum)[enter] == rs.stratum, before, 0)
        return jnp.where(rs.last >= enter, up_to(rs.last) - before, 0)

    def _hazards(self, log_hazard: Array) -> _Hazards:
        rs = self.risk_sets
        weighted = log_hazard + rs.log_weight
        top = jnp.max(weighted)
        own = jnp.exp(weighted - top)
        at_risk = jnp.where(rs.event_weight > 0, self.at_risk(own), 1)
        return _Hazards(top, own, at_risk, rs.mean_weight / at_risk)

    def loss_and_residual(self, log_hazard: Array) -> tuple[Array, Array]:
        """Loss, and its gradient ``[n]``."""
        rs, h = self.risk_sets, self._hazards(log_hazard)
        loss = jnp.sum(rs.mean_weight * jnp.log(h.at_risk) - rs.event_weight * (log_hazard - h.top))
        return loss / self.total, (h.own * self.over_past(h.pull) - rs.event_weight) / self.total

    def times_curvature(self, x: Array, log_hazard: Array) -> Array:
        """Products ``[m, n]`` of each row of x with the Hessian of the loss."""
        if self.risk_sets.intervals is not None:  # later entries are subtracted: keep digits
            x = x.astype(log_hazard.dtype)
        h = self._hazards(log_hazard)
        expected = h.own * self.over_past(h.pull)
        own, expected, at_risk, pull = (
            a.astype(x.dtype)[None, :] for a in (h.own, expected, h.at_risk, h.pull)
        )
        mean = self.at_risk(own * x) / at_risk
        return (expected * x - own * self.over_past(pull * mean)) / self.total.astype(x.dtype)
