"""Cox likelihood on the host, in NumPy's float64: eager calls of any size compile nothing.

The formulas are those of `jaxsurv.survival.summed_loss`, which ``jit`` traces.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxsurv.survival.risk_sets import RiskSets
from jaxsurv.survival.validation import is_concrete

_ROWS, _ROWS_ENTERING = 2**17, 2**11  # most rows, and with delayed entry, which takes [events, n]
_PLAIN = np.exp(-600.0)  # smallest denominator, beside the largest hazard, that plain numbers hold


class _Numbers(NamedTuple):
    """Positive numbers, plain or as logs: 0, and the operations on them."""

    zero: float
    of: Callable[..., Any]
    log: Callable[..., Any]
    exp: Callable[..., Any]
    add: np.ufunc
    multiply: Callable[..., Any]
    divide: Callable[..., Any]


def _same(x: Any) -> Any:
    return x


LINEAR = _Numbers(0.0, _same, np.log, np.exp, np.add, np.multiply, np.divide)
_LOG = _Numbers(-np.inf, np.log, _same, _same, np.logaddexp, np.add, np.subtract)


def _cumulative(numbers: _Numbers, x: Any, segment: Any, *, reverse: bool = False) -> Any:
    """Cumulative sums ``[n + 1, ...]`` along the first axis inside each segment; the last row is 0.

    Sums in a segment are doubled in length until they span it, so that none is added and taken off again.
    """
    if segment is None:
        y = numbers.add.accumulate(x[::-1])[::-1] if reverse else numbers.add.accumulate(x)
    else:
        y, step = x, 1
        while (same := segment[step:] == segment[:-step]).any():
            inside = same.reshape(-1, *[1] * (x.ndim - 1))
            near, far = (y[:-step], y[step:]) if reverse else (y[step:], y[:-step])
            longer, y = numbers.add(near, np.where(inside, far, numbers.zero)), y.copy()
            y[slice(None, -step) if reverse else slice(step, None)] = longer
            step *= 2
    return np.concatenate([y, np.full_like(y[:1], numbers.zero)])


class HostCox(NamedTuple):
    """Breslow's or Efron's partial likelihood of rows in the order of ``risk_sets``.

    Attributes:
        risk_sets: outcome, NumPy arrays in float64.
        efron: whether tied events are treated after Efron, else after Breslow.
        at_risk: ``[d, n]``, 1 where a row is at risk at an event, with delayed entry; None without.
        apart: ``[d, n]``, the same without the rows of the events tied with it.
    """

    risk_sets: RiskSets
    efron: bool
    at_risk: Any = None
    apart: Any = None

    def to_positions(self, x: Any) -> Any:
        """Rows of x in the order of the risk sets, in float64."""
        order, x = self.risk_sets.order, np.asarray(x, float)
        return x if order is None else x[order]

    def to_rows(self, x: Any) -> Any:
        """Rows of x in their original order."""
        return x if self.risk_sets.position is None else x[self.risk_sets.position]

    def _at_events(self, numbers: _Numbers, x: Any) -> tuple[Any, Any]:
        """Sums ``[n, ...]`` over the risk set of each event, with and without the events tied with it."""
        rs = self.risk_sets
        if self.at_risk is None:
            sums = _cumulative(numbers, x, rs.stratum, reverse=True)
            return sums[rs.start], sums[rs.rest]
        everyone, others = np.full((2, *x.shape), numbers.zero)
        for sums, at_risk in ((everyone, self.at_risk), (others, self.apart)):
            sums[rs.event_weight > 0] = _product(numbers, at_risk, x)
        return everyone, others

    def _over_events(self, numbers: _Numbers, everyone: Any, others: Any) -> Any:
        """Sums ``[n, ...]`` over the events at which each row is at risk, and is but not tied with them."""
        rs = self.risk_sets
        if self.at_risk is None:
            of_everyone = _cumulative(numbers, everyone, rs.stratum)[rs.last]
            if not self.efron:
                return of_everyone
            return numbers.add(of_everyone, _cumulative(numbers, others, rs.stratum)[rs.earlier])
        happened = rs.event_weight > 0
        pulls = ((self.at_risk, everyone), (self.apart, others))
        return numbers.add(*(_product(numbers, a.T, u[happened]) for a, u in pulls))

    def _mixed(self, numbers: _Numbers, everyone: Any, others: Any) -> Any:
        """``(1 - k / m) everyone + k / m others``, Efron's share; Breslow's is ``everyone``."""
        if not self.efron:
            return everyone
        fraction = self.risk_sets.fraction.reshape(-1, *[1] * (everyone.ndim - 1))
        with np.errstate(divide="ignore"):
            share, rest = numbers.of(1 - fraction), numbers.of(fraction)
        return numbers.add(numbers.multiply(share, everyone), numbers.multiply(rest, others))

    def _hazards(self, log_hazard: Any) -> tuple[_Numbers, float, Any, Any]:
        """Arithmetic, log of its unit, weighted hazards, and denominators of the events (1 elsewhere)."""
        rs = self.risk_sets
        here, happened = rs.log_weight > -np.inf, rs.event_weight > 0
        weighted = np.where(here, log_hazard, 0) + rs.log_weight
        top = float(weighted.max(initial=-np.inf, where=here))
        top = top if np.isfinite(top) else 0.0
        for numbers in (LINEAR, _LOG):
            hazard = numbers.exp(weighted - top)
            denominator = self._mixed(numbers, *self._at_events(numbers, hazard))
            if numbers is _LOG or denominator[happened].min(initial=1.0) > _PLAIN:
                break
        return numbers, top, hazard, np.where(happened, denominator, numbers.of(1.0))

    def _logs(self, numbers: _Numbers, top: float, denominator: Any) -> Any:
        """Log denominators ``[n]`` of the events; 0 for other rows."""
        return numbers.log(denominator) + np.where(self.risk_sets.event_weight > 0, top, 0)

    def _likelihood(self, log_hazard: Any, log_denominators: Any) -> Any:
        rs = self.risk_sets
        own = np.where(rs.event_weight > 0, rs.event_weight * log_hazard, 0).sum()
        return own - rs.mean_weight @ log_denominators

    def log_likelihood(self, log_hazard: Any) -> Any:
        """Log partial likelihood, summed over the events."""
        numbers, top, _, denominator = self._hazards(log_hazard)
        return self._likelihood(log_hazard, self._logs(numbers, top, denominator))

    def gradient(self, log_hazard: Any) -> Any:
        """Derivatives ``[n]`` of the log likelihood with respect to the log hazards."""
        numbers, _, hazard, denominator = self._hazards(log_hazard)
        expected = numbers.multiply(hazard, self.pulled(numbers, denominator))
        return self.risk_sets.event_weight - (expected if numbers is LINEAR else np.exp(expected))

    def pulled(self, numbers: _Numbers, denominator: Any, weight: Any = None) -> Any:
        """Sums ``[n, ...]`` of weight / denominator over the events at which each row is at risk."""
        rs = self.risk_sets
        with np.errstate(divide="ignore"):
            pull = numbers.divide(
                numbers.of(rs.mean_weight if weight is None else weight), denominator
            )
            if not self.efron:
                return self._over_events(numbers, pull, np.full_like(pull, numbers.zero))
            fraction = rs.fraction.reshape(-1, *[1] * (pull.ndim - 1))
            shares = numbers.of(1 - fraction), numbers.of(fraction)
        return self._over_events(numbers, *(numbers.multiply(s, pull) for s in shares))

    def log_cumulative_hazard(self, log_hazard: Any) -> Any:
        """Logarithms ``[n]`` of the cumulative hazard at log hazard 0, up to each row."""
        rs = self.risk_sets
        numbers, top, _, denominator = self._hazards(log_hazard)
        with np.errstate(divide="ignore"):
            jumps = np.log(rs.mean_weight) - self._logs(numbers, top, denominator)
        return _cumulative(_LOG, jumps, rs.stratum)[:-1]

    def means(self, log_hazard: Any, x: Any) -> "RiskSetMeans | None":
        """Hazard-weighted means of the columns of x over the risk sets; None beyond plain numbers."""
        numbers, top, hazard, denominator = self._hazards(log_hazard)
        if numbers is not LINEAR:
            return None
        value = self._likelihood(log_hazard, self._logs(numbers, top, denominator))
        sums = self._mixed(numbers, *self._at_events(numbers, hazard[:, None] * x))
        happened = (self.risk_sets.event_weight > 0)[:, None]
        return RiskSetMeans(
            value, hazard, denominator, hazard * self.pulled(numbers, denominator),
            np.where(happened, sums / denominator[:, None], 0),
        )  # fmt: skip


class RiskSetMeans(NamedTuple):
    """Attributes:
    log_likelihood: log partial likelihood at these log hazards.
    hazard: ``[n]``, weighted hazards, the largest 1.
    denominator: ``[n]``, denominators of the events, 1 elsewhere.
    expected: ``[n]``, expected weight of the events of each row.
    mean: ``[n, p]``, mean of the risk set of each event, 0 elsewhere.
    """

    log_likelihood: Any
    hazard: Any
    denominator: Any
    expected: Any
    mean: Any


def _product(numbers: _Numbers, at_risk: Any, x: Any) -> Any:
    if numbers.add is np.add:
        return at_risk @ x
    return np.logaddexp.reduce(np.where(at_risk > 0, x[None], -np.inf), axis=1)


def _known(a: Any) -> np.ndarray:
    a = np.asarray(a)
    return a.astype(float) if a.dtype.kind == "f" else a


def host_cox(risk_sets: RiskSets, ties: str, *arrays: Any) -> HostCox | None:
    """The likelihood on the host; None if a value is being traced, for exact ties, and for many rows.

    Args:
        risk_sets: outcome.
        ties: treatment of tied events.
        arrays: other arrays that enter, such as the log hazards.
    """
    rs, intervals = risk_sets, risk_sets.intervals
    most = _ROWS if intervals is None else _ROWS_ENTERING
    if ties == "exact" or not all(map(is_concrete, (rs.log_weight, *arrays))):
        return None
    if rs.log_weight.ndim != 1 or rs.log_weight.size > most:
        return None
    rs = jax.tree.map(_known, replace(rs, intervals=None))
    efron = ties == "efron" and bool(rs.tied)
    if intervals is None:
        return HostCox(rs, efron)
    row, happened = np.arange(rs.start.size), rs.event_weight > 0
    start, rest = (a[happened, None] for a in (rs.start, rs.rest))
    at_risk = (np.asarray(intervals.enter) <= start) & (row >= start)
    return HostCox(rs, efron, at_risk * 1.0, (at_risk & (row >= rest)) * 1.0)
