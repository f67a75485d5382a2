"""Optional columns of an outcome, as keywords that many functions share."""

import inspect
from collections.abc import Callable
from typing import Any, TypedDict, TypeVar

from jaxsurv.types import ArrayLike


class Columns(TypedDict, total=False):
    """Optional columns of the rows beside event and time, see `prepare_risk_sets`; ``[n]`` each."""

    entry: ArrayLike | None
    strata: ArrayLike | None
    weights: ArrayLike | None
    where: ArrayLike | None


Function = TypeVar("Function", bound=Callable[..., Any])


def columns_shown(function: Function) -> Function:
    """Decorator: help and signatures show ``**columns`` as its keywords, each None by default."""
    signature = inspect.signature(function)
    *others, _ = signature.parameters.values()
    keyword = {"kind": inspect.Parameter.KEYWORD_ONLY, "default": None}
    shown = [inspect.Parameter(name, **keyword) for name in Columns.__annotations__]
    function.__signature__ = signature.replace(parameters=[*others, *shown])
    return function
