"""Words for an event and for none."""

import re

import numpy as np

_EVENT = re.compile(
    r"1|true|yes|event|dead|deceased|died|death|relapsed?|recurred|recurrence|progress(ed|ion)"
    r"|recurred/progressed"
)
_CENSORED = re.compile(
    r"0|false|no|none|censored|alive|living|(disease|progression|relapse|recurrence)[- ]?free"
)


def flag_of(word: str) -> float:
    """1 for a word that says that there was an event, 0 for one that says that there was none, else NaN."""
    return 1.0 if _EVENT.fullmatch(word) else 0.0 if _CENSORED.fullmatch(word) else np.nan
