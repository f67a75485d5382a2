"""One row per patient of a cohort with several: at a landmark, or the last."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

import numpy as np
import pandas as pd

from jaxsurv.arguments.reading import read_arguments
from jaxsurv.data.cohort import Cohort
from jaxsurv.data.last_rows import one_row_each
from jaxsurv.survival.landmarks import landmark


@read_arguments
def landmark_cohort(
    cohort: Cohort, endpoint: str, at: float, *, horizon: float | None = None
) -> Cohort:
    """The patients at risk at a landmark, with the covariates known then and the outcome from then on.

    Each has one row, under the patient's name, and is followed from the landmark: ``endpoint`` alone is left,
    without an entry, and its time 0 is the landmark. Models fitted to the whole cohort predict and are scored
    on it (`predict_conditional_survival` of an estimator has the curves), models may be fitted to it, and
    studies take it once it is written.

    Args:
        cohort: patients with one row or several.
        endpoint: one of its endpoints; of one with causes the events keep their codes.
        at: the landmark, in the unit of the endpoint's time.
        horizon: follow-up after the landmark that counts; None = all.

    Raises:
        InputError: see :func:`jaxsurv.metrics.landmark`; an unknown endpoint.
    """
    if endpoint not in cohort.endpoints:
        cohort.outcome(endpoint)  # says so
    event, time, entry = (f"{endpoint}_{part}" for part in ("event", "time", "entry"))
    known = np.flatnonzero(cohort.survival[time].notna())
    table, who = cohort.survival.iloc[known], cohort.patients
    found = landmark(
        table[event].to_numpy(), table[time].to_numpy(), at,
        entry=table[entry].to_numpy() if entry in table else None,
        patient=None if who is None else who.to_numpy()[known],
        horizon=horizon,
    )  # fmt: skip
    survival = pd.DataFrame({time: found.time, event: found.event.astype(float)})
    until = "" if horizon is None else f" to {at + horizon:g}"
    title = f"{cohort.title or cohort.name} ({endpoint} from {at:g}{until})"
    causes = {e: names for e, names in cohort.causes.items() if e == endpoint}
    return one_row_each(cohort, known[found.rows], survival, title=title, causes=causes)
