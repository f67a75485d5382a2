"""Categories whose names tell an order: stages, grades and TNM codes."""

import re
from collections.abc import Iterable, Mapping

_WORDS = "ajcc|clark|ecog|figo|fuhrman|grade|level|pathologic|pathological|clinical|stage|tnm"
_CODE = re.compile(
    rf"(?:(?:{_WORDS})[ _-]*)*(?:[cpy]{{0,2}}[tnm]|[gr])?[ _-]?(iv|i{{1,3}}|v|[0-9])[ _-]?(?:([abc])[0-9]?)?"
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5}
_LETTER = {"a": 0.0, "b": 1 / 3, None: 1 / 3, "c": 2 / 3}
LEAST = 3  # different ranks that make an order


def rank(category: str) -> float | None:
    """Rank of one category by its name, None if the name tells none.

    The number, Roman or Arabic, and thirds for the letters A, B and C; without a letter as with B.

    >>> rank("Stage IIIA"), rank("pT2"), rank("G3"), rank("Oncocytic Type")
    (3.0, 2.3333333333333335, 3.3333333333333335, None)
    """
    found = _CODE.fullmatch(category.strip().lower())
    if found is None:
        return None
    number = _ROMAN.get(found[1]) or int(found[1])
    return number + _LETTER[found[2]]


def ranks(categories: Iterable[str], known: Iterable[str]) -> Mapping[str, float]:
    """Ranks of the categories that have one; empty unless they make an order.

    Args:
        categories: the categories of a column.
        known: the column's values, one per patient who has one. Four fifths of them must have a rank, and
            the ranks must take at least ``LEAST`` values.
    """
    found = {c: r for c in categories if c and (r := rank(c)) is not None}
    values = list(known)
    enough = sum(v in found for v in values) >= 0.8 * len(values)
    return found if enough and len(set(found.values())) >= LEAST else {}
