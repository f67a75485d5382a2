"""Outcome heads of networks: the choice of one, its part of the parameters, and its part of an objective.

A head other than Cox's starts from the marginal distribution of the training rows: with outputs of 0 and
no offset all patients have it. It is kept in the parameters as ``"marginal"``, which no step changes. Where
batches are streamed from disk, it is that of the first batch.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from types import MappingProxyType
from typing import Any, Literal

from jax import lax
from jax.tree_util import DictKey, tree_map_with_path

from jaxsurv.arguments.settings import check_whole
from jaxsurv.models._competing_head import competing
from jaxsurv.models.batch import Batch
from jaxsurv.models.head_kinds import Head, accelerated, cox, discrete
from jaxsurv.types import Array, InputError, Params, check_choice

HEADS: Mapping[str, Callable[["HeadConfig"], Head]] = MappingProxyType(
    {
        "cox": lambda config: cox(),
        "logistic_hazard": lambda config: discrete(config.intervals, probabilities=False),
        "pmf": lambda config: discrete(config.intervals, probabilities=True),
        "weibull": lambda config: accelerated("weibull"),
        "log_normal": lambda config: accelerated("log_normal"),
        "competing": lambda config: competing(config.intervals, config.causes, config.cause),
    }
)
HeadName = Literal["cox", "logistic_hazard", "pmf", "weibull", "log_normal", "competing"]


@dataclass(frozen=True)
class HeadConfig:
    """Static choices of the outcome head, a part of each network's config.

    Attributes:
        head: ``"cox"``; in discrete time ``"logistic_hazard"``, or ``"pmf"`` with DeepHit's ranking term,
            which forms [n, n] pairs of the patients in a step; distributions of time ``"weibull"`` and
            ``"log_normal"``; ``"competing"``: all causes of the event at once, in discrete time, with a
            cumulative incidence of each. All but Cox's give curves of their own, and none of them knows
            strata.
        intervals: number of intervals in discrete time, at most the distinct event times of the rows that
            a run trains on.
        causes: number of causes, 2 or more; of ``"competing"`` alone.
        cause: code of the cause that log hazards are of, 1, ..., ``causes``; of ``"competing"`` alone.
    """

    _: KW_ONLY
    head: HeadName = "cox"
    intervals: int = 10
    causes: int = 2
    cause: int = 1

    def __post_init__(self) -> None:
        check_choice("head", self.head, tuple(HEADS))
        check_whole("intervals", self.intervals)
        check_whole("causes", self.causes, 2)
        if check_whole("cause", self.cause) > self.causes:
            raise InputError(f"cause must be 1 to causes={self.causes}, got {self.cause}")


def head_of(config: HeadConfig) -> Head:
    """The head that a config asks for."""
    return HEADS[config.head](config)


def with_marginal(head: Head, params: Params, batch: Batch) -> Params:
    """Parameters of a network, and beside them the marginal of the rows that losses see, if there is one.

    Raises:
        InputError: the patients have strata, of which only Cox's loss knows.
    """
    if head.marginal is None:
        return params
    if batch.outcome.stratum is not None:
        raise InputError(
            f"the patients have strata, and a head of {head.criterion} has one baseline for all; take "
            "head='cox', or drop the strata"
        )
    return {**params, "marginal": head.marginal(batch)}


def marginal_of(params: Params) -> Any:
    """The marginal in the parameters of a network, as a constant; None of Cox's head."""
    return lax.stop_gradient(params.get("marginal"))


def learned(params: Params) -> Any:
    """Which of the parameters an optimiser may change, as a mask of optax."""
    fixed = (DictKey("marginal"),)
    return tree_map_with_path(lambda path, _: path[:1] != fixed, params)


def judged(head: Head, parameters: Callable[[Params, Batch], Array]) -> dict[str, Any]:
    """The functions of an :class:`jaxsurv.types.Objective` that evaluate a network, and their criterion.

    Args:
        head: the outcome head.
        parameters: ``(params, batch) -> parameters`` of the head, in evaluation mode.
    """

    def predict(params: Params, batch: Batch) -> Array:
        return head.log_hazard(parameters(params, batch), marginal_of(params))

    def score(params: Params, batch: Batch) -> Array:
        return head.score(parameters(params, batch), marginal_of(params), batch)

    def survival(params: Params, batch: Batch, times: Array) -> Array:
        return head.survival(parameters(params, batch), marginal_of(params), times)  # type: ignore[misc]

    def incidence(params: Params, batch: Batch, times: Array) -> Array:
        return head.incidence(parameters(params, batch), marginal_of(params), times)  # type: ignore[misc]

    own: dict[str, Any] = {} if head.survival is None else {"survival": survival}
    own |= {} if head.incidence is None else {"incidence": incidence}
    return {
        "predict": predict,
        "score": score,
        "criterion": head.criterion,
        "check": head.check,
    } | own
