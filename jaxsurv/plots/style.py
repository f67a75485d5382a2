"""Common style of all figures: colour-blind-safe, no chart junk, whatever the user's own settings."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

# Okabe & Ito (2008), distinguishable with every common colour vision
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"

_RC = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
}


P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw under the package's style.

    Figures are made without pyplot: nothing stays open, and the user's backend is left alone.
    """

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(_RC):
            return draw(*args, **kwargs)

    return in_style


def ordered_colours(k: int) -> list:
    """``k`` colours for ordered settings, dark to light."""
    return [mpl.colormaps["viridis"](v) for v in np.linspace(0.0, 0.88, k)]


def many_colours(k: int) -> list:
    """``k`` colours for unordered series: ten strong ones, then their ten pale ones."""
    return [mpl.colormaps["tab20"](2 * (i % 10) + i // 10) for i in range(k)]
