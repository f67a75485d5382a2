"""One look for all figures: colour-blind-safe, no chart junk, text that stays text in the SVG."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import matplotlib as mpl

mpl.use("Agg")  # figures go to files; no display is needed

import matplotlib.pyplot as plt
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
    "svg.fonttype": "none",
    "svg.hashsalt": "jaxsurv",  # the same figure gives the same file
}


P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw under the package's style, whatever the user's own settings are."""

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with plt.rc_context(_RC):
            return draw(*args, **kwargs)

    return in_style


def ordered_colours(k: int) -> list:
    """``k`` colours for ordered settings, dark to light."""
    return [plt.get_cmap("viridis")(v) for v in np.linspace(0.0, 0.88, k)]
