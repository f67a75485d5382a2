"""One look for all figures: colour-blind-safe, no chart junk, text that stays text in the SVG."""

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


def subplots(rows: int = 1, columns: int = 1, *, size: tuple[float, float]) -> tuple[Figure, np.ndarray]:
    """A figure and its ``[rows, columns]`` axes in the package's style; ``size`` in inches."""
    with plt.rc_context(_RC):
        figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, layout="constrained")
    return figure, axes


def ordered_colours(k: int) -> list:
    """``k`` colours for ordered settings, dark to light."""
    return [plt.get_cmap("viridis")(v) for v in np.linspace(0.0, 0.88, k)]
