"""Common style of all figures: colour-blind-safe, no chart junk, whatever the user's own settings."""

from collections.abc import Callable
from functools import partial, wraps
from io import BytesIO
from typing import ParamSpec, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from jaxsurv.data.safe_text import printable

# Okabe & Ito (2008), distinguishable with every common colour vision
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
PURPLE, SKY = "#CC79A7", "#56B4E9"

_RC = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    # names are shown letter by letter: no formulas between dollars
    "text.parse_math": False,
    "text.usetex": False,
    "axes.formatter.use_mathtext": False,
}


P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw under the package's style.

    Figures are made without pyplot: nothing stays open, and the user's backend is left alone.
    """

    @wraps(draw)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.rc_context(_RC):
            figure = draw(*args, **kwargs)
            for text in cast(list[Text], figure.findobj(Text)):
                text.set_text(printable(text.get_text()))
            for axis in cast(list[Axis], figure.findobj(Axis)):
                if isinstance(names := axis.get_major_formatter(), FuncFormatter):
                    axis.set_major_formatter(partial(_printable_tick, names))
            figure._repr_png_ = partial(_png, figure)
            return figure

    return in_style


def _png(figure: Figure) -> bytes:
    """Picture for a notebook, which knows how to show a figure only after an import of pyplot."""
    picture = BytesIO()
    figure.savefig(picture, format="png", bbox_inches="tight")
    return picture.getvalue()


def _printable_tick(names: FuncFormatter, value: float, position: int | None) -> str:
    return printable(names(value, position))


def series_label(name: str) -> str:
    """The name for a legend, from which matplotlib leaves out names that begin with an underscore."""
    return f"\u200b{name}" if name.startswith("_") else name


def ordered_colours(k: int) -> list:
    """``k`` colours for ordered settings, dark to light."""
    return [mpl.colormaps["viridis"](v) for v in np.linspace(0.0, 0.88, k)]


def many_colours(k: int) -> list:
    """``k`` colours for unordered series: ten strong ones, then their ten pale ones."""
    return [mpl.colormaps["tab20"](2 * (i % 10) + i // 10) for i in range(k)]
