"""Run of all methods on all replicates of an image study: tables of scores, maps and curves."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import jax
import numpy as np
import pandas as pd

from .bart import chosen_pixels
from .images import Found, ImageStudy, Replicate, replicates, tabulate
from .report import ImageCondition

Methods = Callable[[ImageStudy, Replicate], Iterable[tuple[str, Iterable[Found]]]]


class Collected(NamedTuple):
    """Results of a study.

    Attributes:
        runs: table with one row per condition, method and replicate.
        beside: table like ``runs``, on some pixels of the first replicates, for BART and all others.
        maps: method to map ``[3, h, w]`` of the first condition's first replicate.
        curves: trained method to validation errors ``[runs, epochs]`` of the first condition.
    """

    runs: pd.DataFrame
    beside: pd.DataFrame
    maps: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]


def run_conditions(
    conditions: Sequence[ImageCondition],
    methods: Methods,
    study: ImageStudy,
    *,
    count: int,
    few: int,
    pixels: int,
    keep: Callable[[str, pd.DataFrame], None],
    advance: Callable[[str, int], None],
) -> Collected:
    """Run all methods; conditions with the same covariance share one compiled program per method.

    Args:
        conditions: conditions of the study, the base of all figures first.
        methods: function that gives names and results, which are computed when they are read.
        study: settings of all conditions, except the kernel.
        count: number of replicates per condition.
        few: number of first replicates in which all methods are scored on some pixels too.
        pixels: number of these pixels.
        keep: callback with the name and table, ``runs`` or ``beside``, whenever the table has grown.
        advance: callback with the method and the number of replicates that it has just finished.
    """
    tables: dict[str, list[pd.DataFrame]] = {"runs": [], "beside": []}
    maps, curves = {}, {}

    def table(part: str) -> pd.DataFrame:
        return pd.concat(tables[part], ignore_index=True) if tables[part] else pd.DataFrame()

    def grow(part: str, frame: pd.DataFrame) -> None:
        tables[part].append(frame)
        keep(part, table(part))

    for kernel in dict.fromkeys(c.kernel for c in conditions):
        parts = [
            replicates(c.n, c.snr, c.private, c.shift, range(count))
            for c in conditions
            if c.kernel == kernel
        ]
        every = jax.tree.map(lambda *v: np.concatenate(v), *parts)
        for name, results in methods(replace(study, kernel=kernel), every):
            for found in results:
                frame = tabulate(found, method=name, kernel=kernel)
                if found.maps is not None:  # maps are None for a method of some pixels only
                    grow("runs", frame)
                if (first := found.replicate.seed < few).any():
                    some = jax.tree.map(lambda v, first=first: v[first], found)
                    chosen = chosen_pixels(some.replicate.seed, study.side**2, pixels)
                    grow("beside", tabulate(some, chosen, method=name, kernel=kernel))
                here = (frame[list(ImageCondition._fields)] == conditions[0]).all(axis=1).to_numpy()
                if here.any() and found.maps is not None:
                    maps.setdefault(name, found.maps[here][0])
                if here.any() and found.curve is not None:
                    curves.setdefault(name, []).append(found.curve[here])
                advance(name, len(frame))
    joined = {name: np.concatenate(parts) for name, parts in curves.items()}
    return Collected(table("runs"), table("beside"), maps, joined)
