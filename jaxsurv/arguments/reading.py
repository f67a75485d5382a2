"""Arguments are read by their name: one table, and the decorator that applies it."""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np

from jaxsurv.arguments.columns import column, numbers
from jaxsurv.arguments.labels import labels
from jaxsurv.arguments.settings import mask, one, real, whole
from jaxsurv.types import InputError

P = ParamSpec("P")
T = TypeVar("T")

READERS: dict[str, Callable[[str, Any], Any]] = {
    # columns [n]
    **dict.fromkeys(("event", "time", "entry", "weights", "train_event", "train_time"), column),
    **dict.fromkeys(("code", "train_code", "interval"), column),
    **dict.fromkeys(("log_hazard", "martingale", "cumulative_hazard", "positions"), column),
    **dict.fromkeys(("survival_at_t", "risk_at_t", "censoring_at_t"), column),
    # other columns
    **dict.fromkeys(("times", "ends", "lambdas", "penalty_factor", "thresholds"), column),
    **dict.fromkeys(("bandwidth", "bandwidth_x", "bandwidth_y"), column),
    # columns or tables [n, ...]
    **dict.fromkeys(("x", "y", "risk", "survival", "latent", "scores", "outcome"), numbers),
    **dict.fromkeys(("mu", "logvar", "logits", "parameters", "incidence", "censoring"), numbers),
    **dict.fromkeys(("strata", "cluster", "group", "fold", "censoring_strata", "patient"), labels),
    **dict.fromkeys(("where", "eligible", "train", "held_out"), mask),
    # settings
    "tau": one(0, np.inf),
    "horizon": one(0, np.inf),
    "at": one(0),
    "cutoff": one(0, np.inf),
    "l2": one(0),
    "tolerance": one(0),
    "l1_ratio": one(0, 1),
    "lambda_min_ratio": one(0, 1),
    "level": one(0, 1),
    "validation_fraction": one(0, 1),
    "rho": one(),
    "p": real(0, 1),
    **dict.fromkeys(("n_lambdas", "batch_size", "draws", "repeats", "n_validation"), whole(1)),
    **dict.fromkeys(("cause", "intervals"), whole(1)),
    **dict.fromkeys(("bins", "n_samples", "folds"), whole(2)),
    "seed": whole(0),
}
# arguments whose rows are other ones than those of the rest, or that have no rows
_TRAINING = {"train_event", "train_code", "train_time"}
_NO_ROWS = {"times", "ends", "lambdas", "coef", "p", "tau", "thresholds", "horizon"}


def read_arguments(function: Callable[P, T]) -> Callable[P, T]:
    """Decorator: arguments named in `READERS` reach the function as clean arrays, or are refused.

    Traced values and JAX arrays pass through unchanged, so that nothing is added inside ``jit``.
    Columns of pandas whose indexes name the same rows in another order are refused.
    """
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    positional = [p.name for p in parameters if p.kind in kinds]

    def read(name: str, value: Any) -> Any:
        reader = None if value is None else READERS.get(name)
        return value if reader is None else reader(name, value)

    @functools.wraps(function)
    def reading(*args: P.args, **kwargs: P.kwargs) -> T:
        named = dict(zip(positional, args, strict=False))
        check_same_rows({**named, **kwargs})
        clean: Any = [read(name, value) for name, value in named.items()]
        rest: Any = {name: read(name, value) for name, value in kwargs.items()}
        return function(*clean, *args[len(clean) :], **rest)  # type: ignore[call-arg]

    return reading


def check_same_rows(given: dict[str, Any]) -> None:
    """Refuse pandas columns that name the same rows in another order, or only some of the same rows.

    Columns are taken by position. An index 0, 1, ... that pandas made itself says nothing, and
    neither do indexes without any common name.

    Raises:
        InputError: names the two arguments and the first row where they differ.
    """
    if (pd := sys.modules.get("pandas")) is None:
        return
    seen: dict[bool, tuple[str, Any]] = {}
    for name, x in given.items():
        if not isinstance(x, pd.Series | pd.DataFrame) or name in _NO_ROWS:
            continue
        index = x.index
        if isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1:
            continue
        first, other = seen.setdefault(name in _TRAINING, (name, index))
        if other is index or index.equals(other) or not index.isin(other).any():
            continue
        if len(index) == len(other):
            row = int(np.argmax(np.asarray(index != other)))
            told = f"row {row} is {other[row]!r} in {first} and {index[row]!r} in {name}"
        else:
            told = f"{len(other)} and {len(index)} rows"
        raise InputError(
            f"the indexes of {first} and {name} name the same rows in another order, or only some of "
            f"the same rows ({told}); join them by index first, for example {name}.loc[{first}.index]"
        )
