"""Codes of competing causes: 0 = censored, 1, 2, ..., K = the cause of the first event."""

from typing import Any

import numpy as np

from jaxsurv.arguments.columns import first_rows
from jaxsurv.survival.validation import check_some, check_survival, check_vectors, is_concrete
from jaxsurv.types import InputError


def check_known(**arrays: Any) -> None:
    """Refuse values that ``jit`` traces, in functions that work on the host."""
    for name, x in arrays.items():
        if not is_concrete(x):
            raise InputError(
                f"{name} must be known: this function runs on the host; call it outside jit, vmap and grad"
            )


def check_codes(name: str, code: Any) -> np.ndarray:
    """Codes ``[n]`` as integers.

    Raises:
        InputError: missing codes, and codes that are no whole numbers >= 0, by row.
    """
    check_vectors(**{name: code})
    codes = np.asarray(code)
    if codes.dtype.kind == "f" and (unknown := np.isnan(codes)).any():
        raise InputError(f"{name} is missing (NaN) in {first_rows(unknown)}; drop such rows")
    if (bad := (codes < 0) | (codes % 1 != 0)).any():
        found = ", ".join(f"{c:g}" for c in np.unique(codes[bad])[:5])
        raise InputError(
            f"{name} must be 0 (censored) or the number 1, 2, ... of a cause; found {found} in "
            f"{first_rows(bad)}. Recode the causes, or drop rows whose cause is not known"
        )
    return codes.astype(int)


def causes_in(codes: np.ndarray, cause: int | None = None) -> int:
    """Number K of causes in checked codes.

    Args:
        codes: ``[n]``, those of the rows that count.
        cause: cause of interest, which must be among them; None = none.

    Raises:
        InputError: no event; a number between 1 and K without an event; no event of ``cause``.
    """
    found = np.unique(codes[codes > 0]).tolist()
    told = ", ".join(map(str, found[:10])) or "none"
    if not found:
        raise InputError("no event: code is 0 in all rows that count; check code and where")
    if cause is not None and cause not in found:
        raise InputError(f"no event of cause {cause}; causes with events are {told}")
    missing = sorted(set(range(1, min(found[-1], len(found) + 1))) - set(found))
    if missing:
        raise InputError(
            f"no event of cause {missing[0]}, though causes with events are {told}: number the causes "
            "1, 2, ... without gaps; a code that means unknown is no cause: drop its rows"
        )
    return found[-1]


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
        cause: cause of interest, see `causes_in`.
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
    return codes, here, causes_in(counted, cause)
