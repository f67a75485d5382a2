"""Endpoints with several causes: their names, and the outcome of one of them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data.event_words import flag_of
from jaxsurv.data.tables import few
from jaxsurv.types import InputError

ANY = "any"  # an event of whatever cause
Causes = Mapping[str, Sequence[str]]


class Competing(NamedTuple):
    """Event codes of which one cause was chosen.

    Attributes:
        codes: ``[n]`` by patient, 0 = censored, 1, 2, ... = causes.
        names: names of the causes 1, 2, ...
        cause: the one that was chosen, or ``"any"``.
        endpoint: name of the endpoint.
    """

    codes: pd.Series
    names: tuple[str, ...]
    cause: str
    endpoint: str

    @property
    def number(self) -> int:
        """Code of the cause that was chosen.

        Raises:
            InputError: it is ``"any"``.
        """
        if self.cause == ANY:
            raise InputError(
                f"a model of all causes of {self.endpoint!r} ranks patients by one of them: name it, "
                f"cause={self.names[0]!r}, in the place of {ANY!r}"
            )
        return self.names.index(self.cause) + 1


def check_causes(causes: Causes, endpoints: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of the causes 1, 2, ... of each endpoint that has several.

    Raises:
        InputError: an endpoint that there is not, or one with fewer than two names, with equal or odd ones,
            or with one that says that there was no event, such as ``alive``.
    """
    if not isinstance(causes, Mapping):
        raise InputError('causes must be an object such as {"efs": ["relapse", "death"]}')
    for endpoint, names in causes.items():
        if endpoint not in endpoints:
            raise InputError(
                f"causes name the endpoint {endpoint!r}; there are {few(endpoints, 20)}"
            )
        odd = isinstance(names, str) or not all(isinstance(n, str) and n.strip() for n in names)
        if odd or len(names) < 2 or len(set(names)) < len(names) or ANY in names:
            raise InputError(
                f"causes of {endpoint!r} must be two or more different names, of the codes 1, 2, ... in "
                f"their order, none of them {ANY!r}; got {names!r}"
            )
        if nobody := [n for n in names if flag_of(n.strip().lower().replace("_", " ")) == 0]:
            raise InputError(
                f"causes of {endpoint!r} have {nobody[0]!r}, which is no event: its code must be 0, without "
                "a name; recode the events, such as event - 1 for codes 1 = alive and 2 = dead"
            )
    return {endpoint: tuple(names) for endpoint, names in causes.items()}


def refuse_unused(survival: pd.DataFrame, causes: Causes) -> None:
    """Refuse a cause without any event, which is a code that was forgotten or another one's."""
    for endpoint, names in causes.items():
        if f"{endpoint}_event" not in survival:
            continue  # another error
        found = set(survival[f"{endpoint}_event"].dropna())
        if absent := [n for code, n in enumerate(names, 1) if code not in found]:
            raise InputError(
                f"endpoint {endpoint!r} has no event of the cause {few(absent)} (code "
                f"{names.index(absent[0]) + 1}); leave the cause out, or correct the codes"
            )


def of_one(cohort: Any, endpoint: str, cause: str) -> dict[str, Any]:
    """Attributes of a cohort in which the events of an endpoint are those of one cause, or of any.

    Args:
        cohort: a :class:`jaxsurv.data.Cohort`.
        endpoint: one of its endpoints.
        cause: name of a cause of the endpoint, or ``"any"``.

    Raises:
        InputError: another name; a cause without any event.
    """
    names, column = cohort.causes.get(endpoint, ()), f"{endpoint}_event"
    if not names and cause == ANY:
        return {}
    if not names:
        raise InputError(
            f"endpoint {endpoint!r} has no causes, its events are 0 or 1, so there is no cause {cause!r}; "
            'for codes 1, 2, ... name them in cohort.json: "causes": {"' + endpoint + '": [...]}'
        )
    if cause not in (ANY, *names):
        raise InputError(
            f"endpoint {endpoint!r} has no cause {cause!r}, but {few((*names, ANY), 20)}"
        )
    codes = cohort.survival[column]
    event = codes > 0 if cause == ANY else codes == names.index(cause) + 1
    if not event.any():
        raise InputError(f"no patient has an event of the cause {cause!r} of {endpoint!r}")
    told = "events of any cause" if cause == ANY else f"{cause}, other causes censored"
    return {
        "survival": cohort.survival.assign(**{column: event.astype(float).where(codes.notna())}),
        "title": f"{cohort.title or cohort.name} ({endpoint}: {told})",
        "competing": Competing(codes, names, cause, endpoint),
    }


def ask_for_cause(endpoint: str, names: Sequence[str]) -> InputError:
    """The error of asking for an outcome without saying of which cause."""
    return InputError(
        f"endpoint {endpoint!r} has the causes {few(names, 20)}: say which, cause={names[0]!r} (in a study "
        f"--cause {names[0]!r}; events of the others then censor), or cause={ANY!r}; "
        "jaxsurv.survival.aalen_johansen and fine_gray, and jaxsurv.estimators.CauseSpecific take the codes"
    )


def counted(events: pd.Series, names: Sequence[str]) -> str:
    """Numbers of events in words."""
    if not names:
        return f"{int(events.sum())} events"
    counts = [f"{int(np.sum(events == code))} {name}" for code, name in enumerate(names, 1)]
    return ", ".join(counts)
