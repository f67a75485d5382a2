"""Codes of competing causes, as outcome heads of all causes read them."""

from typing import Any, NamedTuple

from jaxsurv.data import Cohort
from jaxsurv.data.tables import few
from jaxsurv.types import InputError


class Codes(NamedTuple):
    """Codes 1, ..., K that the events of an outcome have.

    Attributes:
        causes: number K of causes; 1 = events are 0 or 1.
        cause: code of the cause that risks are of.
    """

    causes: int = 1
    cause: int = 1


def codes_of(config: Any) -> Codes:
    """The codes that a network with these static choices learns."""
    if getattr(config, "head", None) != "competing":
        return Codes()
    return Codes(config.causes, config.cause)


def names_of(cohort: Cohort, config: Any) -> tuple[str, ...]:
    """Names of the causes that a network with these static choices has learned; empty if it is of one."""
    known = cohort.competing if codes_of(config).causes > 1 else None
    return () if known is None else known.names


def of_cause(cohort: Cohort, endpoint: str, codes: Codes) -> Cohort:
    """The cohort whose events are those of the cause that risks are of, with the codes beside them.

    Args:
        cohort: with causes of the endpoint, or of one of them (``Cohort.of_cause``).
        endpoint: one of its endpoints.
        codes: codes that the network learns.

    Raises:
        InputError: an endpoint without causes, with others than the network's, or of another cause.
    """
    if codes.causes == 1 or endpoint not in cohort.endpoints:
        return cohort
    found = cohort.competing
    if found is not None and found.endpoint != endpoint:
        found = None
    names = cohort.causes.get(endpoint, ()) if found is None else found.names
    if not names:
        raise InputError(
            f"endpoint {endpoint!r} has no causes, and head='competing' is of several: name the causes of "
            "the codes 1, 2, ... (causes in cohort.json), or take another head"
        )
    if len(names) != codes.causes:
        raise InputError(
            f"endpoint {endpoint!r} has the causes {few(names, 20)}, and the head has causes={codes.causes}: "
            f"set causes={len(names)} in the config"
        )
    if found is None:
        return cohort.of_cause(endpoint, names[codes.cause - 1])
    if found.number != codes.cause:
        raise InputError(
            f"the cohort is of {found.cause!r}, cause {found.number} of {endpoint!r}, and the head of cause "
            f"{codes.cause}: set cause={found.number} in the config, or give the cohort of all causes"
        )
    return cohort
