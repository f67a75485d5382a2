"""Copy numbers as five states: deep loss, loss, neutral, gain, amplification."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.data.frames import with_named_rows
from jaxsurv.data.tables import clean_rows, refuse_cells, warn
from jaxsurv.types import InputError, check_choice

_THRESHOLDS = {"log2_ratio": (-1.1, -0.1, 0.1, 0.7), "copies": (0.5, 1.5, 2.5, 3.5)}


@read_arguments
def five_states(
    table: pd.DataFrame,
    scale: Literal["log2_ratio", "copies"],
    *,
    thresholds: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Turn copy numbers into the states -2, -1, 0, 1, 2 of the kind ``five_state``::

        state = -[x < t1] - [x < t2] + [x > t3] + [x > t4]

    ``"log2_ratio"``, log2 of tumour over normal: below -1.1 a deep loss, below -0.1 a loss, above 0.1 a
    gain, above 0.7 an amplification. 0.1 is the noise threshold of GISTIC2 (``t_amp``, ``t_del``); -1.1 and
    0.7 are those of CNVkit's ``call`` for no copy and for four or more, whose own for one step are -0.25 and
    0.2. GISTIC2 takes its outer thresholds from the chromosome arms of each sample, which a table of genes
    does not have; so its own table of thresholds is better where there is one.
    ``"copies"``, absolute numbers of a diploid genome: 0, 1, 2, 3, and 4 or more, with thresholds half way.

    Nothing is estimated, so that it may be done before any split.

    Args:
        table: patients × genes; NaN where missing, which stays NaN.
        scale: scale of the values.
        thresholds: four increasing numbers t1 to t4, instead of those of the scale.

    Returns:
        Table of floats.

    Raises:
        InputError: text, infinite values, thresholds that do not increase; values on another scale: log
            ratios of which none is negative, or that are states already, and copies below 0.

    Warns:
        DataWarning: a median that counts as a loss or a gain.

    >>> ratios = pd.DataFrame({"MYC": [-2.0, -0.3, 0.05, 0.4, 1.5]}, index=list("abcde"))
    >>> five_states(ratios, "log2_ratio")["MYC"].tolist()
    [-2.0, -1.0, 0.0, 1.0, 2.0]
    """
    check_choice("scale", scale, tuple(_THRESHOLDS))
    limits = np.asarray(_THRESHOLDS[scale] if thresholds is None else thresholds, float)
    if limits.shape != (4,) or not (np.diff(limits) > 0).all():
        raise InputError(f"thresholds must be four increasing numbers, got {thresholds}")
    table = clean_rows(with_named_rows(table, "copy numbers"), "copy numbers")
    x = table.apply(pd.to_numeric, errors="coerce").astype(float)
    fix = "give numbers, and leave the cell empty where there is none"
    refuse_cells((x.isna() & table.notna()) | np.isinf(x), table, "copy numbers", "the value", fix)
    known = x.to_numpy()[x.notna().to_numpy()]
    if not len(known):
        raise InputError("copy numbers: there is no value; leave the table out")
    if scale == "copies":
        refuse_cells(
            x < 0, table, "copy numbers", "the negative number of copies", "are these log ratios?"
        )
    elif known.min() >= 0:
        raise InputError(
            "copy numbers: no log ratio is below 0, so that there would be no loss; are these absolute "
            "numbers? (scale='copies')"
        )
    elif np.isin(known, (-2, -1, 0, 1, 2)).all():
        raise InputError(
            "copy numbers: all are -2, -1, 0, 1 or 2, states already; use them as they are"
        )
    t1, t2, t3, t4 = limits
    if not t2 <= (middle := float(np.median(known))) <= t3:
        warn(
            f"copy numbers: the median is {middle:.3g}, which counts as a "
            f"{'loss' if middle < t2 else 'gain'}; is the scale right, and are the "
            "values centred on the ploidy?"
        )
    above, below = (x > t3).astype(float) + (x > t4), (x < t2).astype(float) + (x < t1)
    return (above - below).where(x.notna())
