"""Breslow's likelihood of several outcomes of the same rows, in NumPy; see `breslow` under ``jit``."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from jaxsurv.survival.host.cox import LINEAR, HostCox
from jaxsurv.survival.risk_sets import RiskSets


class HostBreslow(NamedTuple):
    """Negative log partial likelihoods of b outcomes, each divided by the sum of its weights.

    Attributes:
        cox: the rows of all outcomes, for sums over risk sets; d of them are events.
        log_weight: ``[b, n]``, see `RiskSets`.
        event_weight, mean_weight: ``[b, d]``, likewise.
        total: ``[b, 1]``, sums of the weights.
    """

    cox: HostCox
    log_weight: Any
    event_weight: Any
    mean_weight: Any
    total: Any

    @classmethod
    def of(cls, cox: HostCox, outcomes: Sequence[RiskSets]) -> "HostBreslow":
        """Likelihoods of outcomes that differ from that of ``cox`` in their weights, see `restrict`."""
        log_weight, event_weight, mean_weight = (
            np.stack([np.asarray(getattr(o, name), float) for o in outcomes])
            for name in ("log_weight", "event_weight", "mean_weight")
        )
        total = np.exp(log_weight).sum(1, keepdims=True)
        return cls(cox, log_weight, event_weight[:, cox.events], mean_weight[:, cox.events], total)

    def only(self, which: Any) -> "HostBreslow":
        """Likelihoods of some of the outcomes."""
        return HostBreslow(self.cox, *(a[which] for a in self[1:]))

    def _hazards(self, log_hazard: Any) -> tuple[Any, Any, Any, Any]:
        weighted = log_hazard + self.log_weight
        top = weighted.max(1, keepdims=True)
        own = np.exp(weighted - top)
        at_risk = np.where(self.mean_weight > 0, self.cox.at_events(LINEAR, own.T).T, 1)
        expected = own * self.cox.pulled(LINEAR, at_risk.T, self.mean_weight.T).T
        return top, own, at_risk, expected

    def loss_and_residual(self, log_hazard: Any) -> tuple[Any, Any]:
        """Losses ``[b]`` and their gradients ``[b, n]``; not finite beyond the range of ``exp``."""
        events = self.cox.events
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            top, _, at_risk, residual = self._hazards(log_hazard)
            own = self.event_weight * (log_hazard[:, events] - top)
            loss = np.sum(self.mean_weight * np.log(at_risk) - own, 1)
        residual[:, events] -= self.event_weight
        return loss / self.total[:, 0], residual / self.total

    def hessian(self, x: Any, log_hazard: Any) -> Any:
        """Second derivatives ``[m, m]`` of the loss along the rows of ``x [m, n]``; of one outcome."""
        _, own, at_risk, expected = self._hazards(log_hazard[None])
        spread = x * np.sqrt(expected / self.total)
        mean = self.cox.at_events(LINEAR, (own * x).T)
        mean *= (np.sqrt(self.mean_weight / self.total) / at_risk).T
        return spread @ spread.T - mean.T @ mean
