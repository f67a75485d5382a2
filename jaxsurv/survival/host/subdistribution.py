"""Risk sets of Fine and Gray's likelihood, in which rows with another cause stay, with falling weights."""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.survival.host.cox import cumulative


def _weighted(numbers: Any, x: Any, weight: Any) -> Any:
    with np.errstate(divide="ignore"):
        return numbers.multiply(x, numbers.of(weight).reshape(-1, *[1] * (x.ndim - 1)))


class WeightedRiskSets(NamedTuple):
    """Matrix ``[d, n]``: weight of each row in the risk set of each event, never formed.

    It is 1 for rows that are at risk, and Σ_s left_s inverse_s for those that left before the event.

    Attributes:
        start: ``[d]``, first row that is at risk at the event, ascending.
        left: ``[s, d]``, G(t-) at the event, per censoring distribution.
        inverse: ``[s, n]``, 1 / G(t-) at the row's own time where it stays, in its distribution; else 0.
    """

    start: Any
    left: Any
    inverse: Any

    def product(self, numbers: Any, x: Any) -> Any:
        """The matrix times ``x [n, ...]``, in the arithmetic of ``numbers``."""
        total = cumulative(numbers, x, None, reverse=True)[self.start]
        for left, inverse in zip(self.left, self.inverse, strict=True):
            sums = cumulative(numbers, _weighted(numbers, x, inverse), None)
            total = numbers.add(total, _weighted(numbers, sums[self.start - 1], left))
        return total

    @property
    def T(self) -> "_Transposed":
        """Transposed matrix ``[n, d]``."""
        return _Transposed(self)


class _Transposed(NamedTuple):
    of: WeightedRiskSets

    def product(self, numbers: Any, pull: Any) -> Any:
        """The matrix times ``pull [d, ...]``."""
        start, left, inverse = self.of
        reached = np.searchsorted(start, np.arange(inverse.shape[1]), side="right")
        total = cumulative(numbers, pull, None)[reached - 1]
        for g, i in zip(left, inverse, strict=True):
            sums = cumulative(numbers, _weighted(numbers, pull, g), None, reverse=True)
            total = numbers.add(total, _weighted(numbers, sums[reached], i))
        return total
