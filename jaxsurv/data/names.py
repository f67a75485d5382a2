"""Names that people would take for one: two spellings of a patient, a feature or a category.

A join by name silently loses what is spelled in two ways. Spellings are equal here up to blanks around,
capitals, quotes, invisible characters, Unicode form, alphabet (Greek and Cyrillic letters whose capitals
look like Latin ones, as in ``РT-1``), kind of separator (``-``, ``_``, ``.``, ``/``, ``#`` or
a blank; none between a letter and a digit), leading zeros and a ``.0``.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

import pandas as pd

from jaxsurv.data.tables import few, warn, warn_of
from jaxsurv.types import InputError

_IGNORED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f'\"`´‘’‚“”„«»]+")
_NUMBER = re.compile(r"\d{1,25}(?:\.\d{0,25})?(?:e\+?\d\d?)?")
_SEPARATORS = re.compile(r"[-_./#\s]+")
_BETWEEN = re.compile(r"(?<=[^\W\d])-(?=\d)|(?<=\d)-(?=[^\W\d])")  # a letter and a digit
_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")
# Greek capitals and Cyrillic letters; of the Greek small letters few: µg is not mg
_CAPITALS, _LATIN_CAPITALS = (
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅԀԚԜҮҺӀ",
    "ABEZHIKMNOPTYXABEKMHOPCTYXIJSDQWYHL",
)
_SMALL, _LATIN_SMALL = "οϳавекмнорстухіјѕԁԛԝүһӏ", "ojabekmhopctyxijsdqwyhl"
_ALIKE = str.maketrans(_CAPITALS + _SMALL, _LATIN_CAPITALS + _LATIN_SMALL)
_MONTH = (
    "jan|feb|fev|fév|févr|mar|mars|mär|mrz|apr|abr|avr|avril|may|mai|jun|juin|jul|juil|aug|ago|août|sep|"
    "sept|set|oct|okt|out|nov|dec|dez|déc|dic"
)
_DATE = re.compile(
    rf"\d{{1,2}}[-. /]+(?:{_MONTH})\.?(?:[-. /]\d{{2,4}})?|(?:{_MONTH})[-. /]+\d{{1,4}}"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[t ][\d:.]*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    r"|\d[.,]\d+e\+\d+"
)
_SERIAL = re.compile(r"(?:3[5-9]|4\d)\d{3}(?:\.0)?")  # days since 1900: the years 1995 to 2036


def name_key(name: object) -> str:
    """Spelling that is the same for names that look alike.

    >>> {name_key(n) for n in ["PT-007", "pt.7", " 'PT_07'", "PT/7\\u200b", "pt7"]}, name_key("007.0")
    ({'pt7'}, '7')
    """
    text = str(name)
    if not text.isascii():
        known = _in_latin(text)
        kinds = [(c, unicodedata.category(c)) for c in known]
        text = "".join("-" if kind == "Pd" or c == "−" else c for c, kind in kinds if kind != "Cf")
    text = _IGNORED.sub("", text.casefold()).strip()
    if _NUMBER.fullmatch(text):
        return format(Decimal(text).normalize(), "f")
    return _BETWEEN.sub("", _ZEROS.sub("", _SEPARATORS.sub("-", text)))


def _in_latin(text: str) -> str:
    """Text in one Unicode form, with Latin letters for Greek and Cyrillic ones that look like them."""
    return unicodedata.normalize("NFKC", text).translate(_ALIKE)


def alike(names: Iterable, known: Iterable) -> list[tuple[str, str]]:
    """Pairs of one of ``names`` and another name among ``known`` that looks like it."""
    keys = {name_key(k): k for k in known}
    pairs = ((name, keys.get(name_key(name), name)) for name in names)
    return [(name, other) for name, other in pairs if name != other]


def spellings(names: Iterable, key: Callable = name_key) -> list[list]:
    """Groups of different names with the same ``key``."""
    groups: dict[str, list] = {}
    for name in dict.fromkeys(names):
        groups.setdefault(key(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def shown(groups: Iterable[Iterable]) -> str:
    """A few groups of names, as ``'PT 1' and 'PT-1'``; what differs and cannot be seen is written out."""

    def told(group: Iterable) -> str:
        texts = list(map(repr, group))
        seen = set(map(_in_latin, texts))
        return " and ".join(texts if len(seen) == len(texts) else map(ascii, group))

    return few([told(group) for group in groups], 3)


def hint(names: Iterable, known: Iterable) -> str:
    """End of a refusal of ``names``: those among ``known`` that look like them; empty if none does."""
    pairs = alike(names, known)
    return f" (names that look alike: {shown(pairs)})" if pairs else ""


def check_patients(tables: Mapping[str, pd.Index], part: Callable[[str], str] = str) -> None:
    """Look for a patient whose name is spelled in two ways.

    Args:
        tables: label of each table to the names of its patients.
        part: function that takes the patient's part out of a name, such as a barcode.

    Raises:
        InputError: a name in one table whose other spelling is in another, so that a join loses it.

    Warns:
        DataWarning: two spellings in one table, of which another table has only some.
    """
    first, *others = tables.values()
    if all(first.equals(other) for other in others):
        return
    groups = spellings(first.append(others), lambda name: name_key(part(name)))
    lost, doubtful = [], []
    for group in groups:
        there = [frozenset(index.intersection(group)) for index in tables.values()]
        if all(len(found) < 2 for found in there):
            lost.append(group)
        elif len(set(there) - {frozenset()}) > 1 and len(set(map(name_key, group))) == 1:
            doubtful.append(group)
    if lost:
        raise InputError(
            f"{len(lost)} names differ in spelling alone between {', '.join(tables)}: {shown(lost)} are "
            "names of one patient; give each patient one name in all tables, and one sample"
        )
    if doubtful:
        warn(
            f"{len(doubtful)} names look alike and are not in all tables: {shown(doubtful)}; is each "
            "pair one patient?"
        )


def check_features(tables: Mapping[str, pd.DataFrame]) -> None:
    """Look for columns and categories in two spellings, and for genes that a spreadsheet made dates of.

    Warns:
        DataWarning: naming some.
    """
    same, levels, damaged = {}, {}, {}
    for m, table in tables.items():
        if groups := spellings(table.columns):
            same[m] = f"{shown(groups)} in {m!r}"
        for name, column in table.select_dtypes(exclude="number").items():
            if groups := spellings(column.dropna().unique()):
                levels[m, name] = f"{shown(groups)} of {name!r} in {m!r}"
        if dates := dates_for_names(table.columns):
            damaged[m] = f"{few(dates)} in {m!r}"
    warn_of(
        {
            "columns whose names look alike stay apart": same,
            "categories that look alike stay apart": levels,
            "names of features look like genes that a spreadsheet made dates or numbers of (1-Mar is "
            "MARCH1 or MARC1, 2-Sep is SEPT2); take them from the original file": damaged,
        }
    )


def dates_for_names(names: Iterable) -> list[str]:
    """Names that are dates; numbers of days only if most names are no numbers, unlike Entrez' genes.

    >>> dates_for_names(["TP53", "1-Mar", "44256", "2021-09-02 00:00:00", "MARCHF1"])
    ['1-Mar', '44256', '2021-09-02 00:00:00']
    """
    texts = [str(n).strip() for n in names]
    numbers = sum(text.replace(".", "").isdigit() for text in texts) > len(texts) / 2
    return [
        t for t in texts if _DATE.fullmatch(t.lower()) or (not numbers and _SERIAL.fullmatch(t))
    ]
