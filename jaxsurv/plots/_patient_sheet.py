"""One page about one patient: the curve, the place among the training patients, and why."""

import re

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.plots.style import BLUE, GREY, ORANGE, styled
from jaxsurv.types import ArrayLike, InputError

_SURVIVAL = re.compile(r"survival_(.+)")


@styled
def patient_sheet(
    row: pd.Series,
    training: ArrayLike,
    contributions: pd.Series,
    *,
    top: int = 10,
    unit: str = "",
    title: str = "",
) -> Figure:
    """Draw a patient's predicted survival, risk among the training patients, and the features behind it.

    ::

        table = model.risk_table(patients, times=np.linspace(0, 1800, 61))
        why = model.explain(patients).patients
        patient_sheet(table.loc["P7"], model.fitted().cohort.percentiles, why.loc["P7"], unit="days")

    The curve has no band: what is known of how sure it is, is the calibration of the model.

    Args:
        row: a row of `risk_table` with at least two times.
        training: ``[101]`` percentiles 0 to 100 of the held-out risks of the training patients.
        contributions: log hazard by feature, above 0 where the value makes the risk higher: a row of
            ``patients`` of `explain`.
        top: number of features shown, the largest first.
        unit: unit of time.
        title: title of the figure, such as the patient's name.

    Raises:
        InputError: fewer than two times in the row; another number of percentiles.
    """
    found = [(float(m[1]), row[c]) for c in row.index if (m := _SURVIVAL.fullmatch(str(c)))]
    known = np.asarray(training, float)
    if len(found) < 2:
        raise InputError("the row has no curve: call risk_table with times=, two or more")
    if known.shape != (101,):
        raise InputError(f"training must be 101 percentiles, got shape {list(known.shape)}")
    times, alive = np.array(sorted(found), float).T
    risk = float(row["risk"])
    figure = Figure(figsize=(7.4, 6.0), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    grid = figure.add_gridspec(2, 2, width_ratios=(3, 2), height_ratios=(3, 2.4))
    curve, place, why = (figure.add_subplot(grid[at]) for at in ((0, 0), (0, 1), (1, slice(None))))
    curve.step(times, alive, where="post", color=BLUE, lw=1.8)
    curve.set(ylim=(0, 1.02), xlim=(times[0], times[-1]), ylabel="predicted survival")
    curve.set_xlabel(f"time ({unit})" if unit else "time")
    middle = np.flatnonzero(alive <= 0.5)
    told = f"median {times[middle[0]]:g} {unit}".rstrip() if middle.size else "median not reached"
    curve.set_title(f"{told}; {alive[-1]:.0%} at {times[-1]:g}")
    place.hist(known, bins=20, color="#CCCCCC")
    place.axvline(risk, color=ORANGE if row["group"] == "high" else BLUE, lw=2)
    place.set(xlabel="log hazard, training patients", ylabel="% of patients")
    place.set_title(f"{row['group']} risk, percentile {row['percentile']:.0f}")
    largest = contributions[contributions != 0]
    largest = largest.iloc[np.argsort(-np.abs(largest.to_numpy(float)), kind="stable")[:top]]
    values = largest.to_numpy(float)
    names = [" ".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in largest.index]
    colours = [ORANGE if v > 0 else BLUE for v in values]
    why.barh(range(len(values)), values, color=colours, height=0.7)
    why.axvline(0, color=GREY, lw=0.8)
    why.set_yticks(range(len(values)), names)
    why.set_ylim(max(len(values), 1) - 0.4, -0.6)
    rest = float(contributions.sum() - values.sum())
    why.set_xlabel(f"contribution to the log hazard; {rest:+.2f} of all others")
    return figure
