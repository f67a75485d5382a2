"""Codes of competing causes: 0 = censored, 1, 2, ..., K = the cause of the first event."""

from typing import Any

import numpy as np

from jaxsurv.arguments.columns import first_rows
from jaxsurv.survival.validation import check_known, check_some, check_survival, check_vectors
from jaxsurv.types import InputError

_LARGEST = np.iinfo(np.int32).max


def check_codes(name: str, code: Any) -> np.ndarray:
    """Codes ``[n]`` as integers.

    Raises:
        InputError: missing codes, and codes that are no whole numbers >= 0, by row.
    """
    check_vectors(**{name: code})
    codes = np.asarray(code)
    if codes.dtype.kind == "f" and (unknown := np.isnan(codes)).any():
        raise InputError(f"{name} is missing (NaN) in {first_rows(unknown)}; drop such rows")
    bad = (codes < 0) | (np.trunc(codes) != codes) | (codes > _LARGEST)
    if bad.any():
        found = ", ".join(f"{c:g}" for c in np.unique(codes[bad])[:5])
        raise InputError(
            f"{name} must be 0 (censored) or the number 1, 2, ... of a cause; found {found} in "
            f"{first_rows(bad)}. Recode the causes, or drop rows whose cause is not known"
        )
    return codes.astype(int)


def _check_causes(codes: np.ndarray, counted: np.ndarray, cause: int | None) -> int:
    """Number K of causes in checked codes ``[n]``; ``counted [m]`` are those whose events count.

    Raises:
        InputError: no event; a number between 1 and K without an event; no event of ``cause``.
    """
    found = np.unique(counted[counted > 0]).tolist()
    if not found:
        raise InputError("no event: code is 0 in all rows that count; check code and where")
    told = ", ".join(map(str, found[:10]))
    if cause is not None and cause not in found:
        raise InputError(f"no event of cause {cause}; causes with events are {told}")
    causes = max(int(codes.max()), found[-1])
    if len(found) < causes:
        least = next(k for k in range(1, causes + 1) if k not in found)
        raise InputError(
            f"no event of cause {least} in the rows that count, though the causes of code go up to {causes} "
            f"(those with events are {told}): number the causes 1, 2, ... without gaps. A code that "
            "means unknown is no cause: drop its rows. A cause that these rows lack: leave it out of the "
            "numbers, or compare more rows"
        )
    return causes


def check_competing(
    code: Any,
    time: Any,
    *,
    cause: int | None = None,
    where: Any = None,
    train_code: Any = None,
    **columns: Any,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Check an outcome with competing causes, on the host.

    Args:
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause.
        time: ``[n]``.
        cause: cause of interest, which must have an event; None = none.
        where: ``[n]`` booleans or None.
        train_code: ``[m]``, codes of the training set, whose causes count as well; or None.
        columns: other columns of `check_survival`.

    Returns:
        codes ``[n]``, mask ``[n]`` of the rows that are there (with a weight > 0), number of causes.
    """
    check_known(code=code, time=time, where=where, **columns)
    check_some(check_vectors(code=code, time=time, where=where, **columns), where)
    codes = check_codes("code", code)
    check_survival(codes > 0, time, where=where, **columns)
    here = np.ones(codes.size, bool) if where is None else np.asarray(where).astype(bool)
    if (weights := columns.get("weights")) is not None:
        here = here & (np.asarray(weights) > 0)
    counted = codes[here]
    if train_code is not None:
        check_known(train_code=train_code)
        counted = np.append(counted, check_codes("train_code", train_code))
    return codes, here, _check_causes(codes, counted, cause)
