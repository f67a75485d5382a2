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


def cumulative(numbers: _Numbers, x: Any, segment: Any, *, reverse: bool = False) -> Any:
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
        events: ``[d]``, the rows of the events.
        fraction: ``[d]``, Efron's share of the tied events in each denominator; None after Breslow.
        at_risk: ``[d, n]``, 1 where a row is at risk at an event, with delayed entry, or the
            `subdistribution.WeightedRiskSets`; None without.
        apart: ``[d, n]``, the same without the rows of the events tied with it.
    """

    risk_sets: RiskSets
    events: Any
    fraction: Any = None
    at_risk: Any = None
    apart: Any = None

    def to_positions(self, x: Any) -> Any:
        """Rows of x in the order of the risk sets, in float64."""
        order, x = self.risk_sets.order, np.asarray(x, float)
        return x if order is None else x[order]

    def to_rows(self, x: Any) -> Any:
        """Rows of x in their original order."""
        return x if self.risk_sets.position is None else x[self.risk_sets.position]

    @property
    def mean_weight(self) -> Any:
        """``[d]``, weights of the events, averaged over those tied."""
        return self.risk_sets.mean_weight[self.events]

    def _shares(self, numbers: _Numbers, ndim: int) -> tuple[Any, Any]:
        fraction = self.fraction.reshape(-1, *[1] * (ndim - 1))
        with np.errstate(divide="ignore"):
            return numbers.of(1 - fraction), numbers.of(fraction)

    def at_events(self, numbers: _Numbers, x: Any) -> Any:
        """Sums ``[d, ...]`` over the risk set of each event, less Efron's share of those tied with it."""
        rs = self.risk_sets
        if self.at_risk is None:
            sums = cumulative(numbers, x, rs.stratum, reverse=True)
            everyone = sums[rs.start[self.events]]
            others = None if self.fraction is None else sums[rs.rest[self.events]]
        else:
            everyone = _product(numbers, self.at_risk, x)
            others = None if self.fraction is None else _product(numbers, self.apart, x)
        if self.fraction is None:
            return everyone
        share, rest = self._shares(numbers, x.ndim)
        return numbers.add(numbers.multiply(share, everyone), numbers.multiply(rest, others))

    def _over_events(self, numbers: _Numbers, pull: Any, reached: Any, at_risk: Any) -> Any:
        """Sums ``[n, ...]`` of ``pull [d, ...]`` over the events up to the ones that each row reached."""
        if at_risk is not None:
            return _product(numbers, at_risk.T, pull)
        rs = self.risk_sets
        of_row = np.full((rs.start.size, *pull.shape[1:]), numbers.zero)
        of_row[self.events] = pull
        return cumulative(numbers, of_row, rs.stratum)[reached]

    def _hazards(self, log_hazard: Any) -> tuple[_Numbers, float, Any, Any]:
        """Arithmetic, log of its unit, weighted hazards ``[n]``, and denominators of the events ``[d]``."""
        rs = self.risk_sets
        here = rs.log_weight > -np.inf
        weighted = np.where(here, log_hazard, 0) + rs.log_weight
        top = float(weighted.max(initial=-np.inf, where=here))
        top = top if np.isfinite(top) else 0.0
        for numbers in (LINEAR, _LOG):
            hazard = numbers.exp(weighted - top)
            denominator = self.at_events(numbers, hazard)
            if numbers is _LOG or denominator.min(initial=1.0) > _PLAIN:
                break
        return numbers, top, hazard, denominator

    def _likelihood(self, log_hazard: Any, log_denominators: Any) -> Any:
        weight = self.risk_sets.event_weight[self.events]
        return weight @ log_hazard[self.events] - self.mean_weight @ log_denominators

    def log_likelihood(self, log_hazard: Any) -> Any:
        """Log partial likelihood, summed over the events."""
        numbers, top, _, denominator = self._hazards(log_hazard)
        return self._likelihood(log_hazard, numbers.log(denominator) + top)

    def gradient(self, log_hazard: Any) -> Any:
        """Derivatives ``[n]`` of the log likelihood with respect to the log hazards."""
        numbers, _, hazard, denominator = self._hazards(log_hazard)
        expected = numbers.multiply(hazard, self.pulled(numbers, denominator))
        return self.risk_sets.event_weight - (expected if numbers is LINEAR else np.exp(expected))

    def pulled(self, numbers: _Numbers, denominator: Any, weight: Any = None) -> Any:
        """Sums ``[n, ...]`` of weight / denominator over the events at which each row is at risk."""
        rs, weight = self.risk_sets, self.mean_weight if weight is None else weight
        with np.errstate(divide="ignore"):
            pull = numbers.divide(numbers.of(weight), denominator)
        if self.fraction is None:
            return self._over_events(numbers, pull, rs.last, self.at_risk)
        share, rest = self._shares(numbers, pull.ndim)
        return numbers.add(
            self._over_events(numbers, numbers.multiply(share, pull), rs.last, self.at_risk),
            self._over_events(numbers, numbers.multiply(rest, pull), rs.earlier, self.apart),
        )

    def log_cumulative_hazard(self, log_hazard: Any) -> Any:
        """Logarithms ``[n]`` of the cumulative hazard at log hazard 0, up to each row."""
        numbers, top, _, denominator = self._hazards(log_hazard)
        jumps = np.full(self.risk_sets.start.size, -np.inf)
        jumps[self.events] = np.log(self.mean_weight) - (numbers.log(denominator) + top)
        return cumulative(_LOG, jumps, self.risk_sets.stratum)[:-1]

    def means(self, log_hazard: Any, x: Any) -> "RiskSetMeans | None":
        """Hazard-weighted means of the columns of x over the risk sets; None beyond plain numbers."""
        numbers, top, hazard, denominator = self._hazards(log_hazard)
        if numbers is not LINEAR:
            return None
        return RiskSetMeans(
            self._likelihood(log_hazard, np.log(denominator) + top),
            hazard,
            denominator,
            hazard * self.pulled(numbers, denominator),
            self.at_events(numbers, hazard[:, None] * x) / denominator[:, None],
        )


class RiskSetMeans(NamedTuple):
    """Attributes:
    log_likelihood: log partial likelihood at these log hazards.
    hazard: ``[n]``, weighted hazards, the largest 1.
    denominator: ``[d]``, denominators of the events.
    expected: ``[n]``, expected weight of the events of each row.
    mean: ``[d, p]``, mean of the risk set of each event.
    """

    log_likelihood: Any
    hazard: Any
    denominator: Any
    expected: Any
    mean: Any


def _product(numbers: _Numbers, at_risk: Any, x: Any) -> Any:
    if not isinstance(at_risk, np.ndarray):
        return at_risk.product(numbers, x)
    if numbers.add is np.add:
        return at_risk @ x
    return np.logaddexp.reduce(np.where(at_risk > 0, x[None], -np.inf), axis=1)


def on_host(risk_sets: RiskSets) -> RiskSets:
    """Risk sets in NumPy and float64, without delayed entry."""

    def known(a: Any) -> np.ndarray:
        a = np.asarray(a)
        return a.astype(float) if a.dtype.kind == "f" else a

    return jax.tree.map(known, replace(risk_sets, intervals=None))


def host_cox(risk_sets: RiskSets, ties: str, *arrays: Any) -> HostCox | None:
    """The likelihood on the host; None if a value is being traced, for exact ties, and for many rows.

    Args:
        risk_sets: outcome.
        ties: treatment of tied events, ``"efron"``, ``"breslow"`` or ``"exact"``.
        arrays: other arrays that enter, such as the log hazards.
    """
    most = _ROWS if risk_sets.intervals is None else _ROWS_ENTERING
    if ties == "exact" or not all(map(is_concrete, (risk_sets.log_weight, *arrays))):
        return None
    if risk_sets.log_weight.ndim != 1 or risk_sets.log_weight.size > most:
        return None
    return known_cox(risk_sets, ties)


def known_cox(risk_sets: RiskSets, ties: str) -> HostCox:
    """The likelihood of known values on the host, of any number of rows."""
    intervals, rs = risk_sets.intervals, on_host(risk_sets)
    events = np.flatnonzero(rs.event_weight > 0)
    cox = HostCox(rs, events, rs.fraction[events] if ties == "efron" and bool(rs.tied) else None)
    if intervals is None:
        return cox
    row, start, rest = np.arange(rs.start.size), rs.start[events, None], rs.rest[events, None]
    at_risk = (np.asarray(intervals.enter) <= start) & (row >= start)
    return cox._replace(at_risk=at_risk * 1.0, apart=(at_risk & (row >= rest)) * 1.0)
