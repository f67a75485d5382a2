"""Test of proportional hazards: does the effect of a covariate change with time?"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack

import numpy as np

from jaxsurv.arguments.labels import Labels, column_names
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._kaplan_meier import KaplanMeier, kaplan_meier
from jaxsurv.survival.chi_square import chi_square_tail
from jaxsurv.survival.host.cox import HostCox
from jaxsurv.survival.life_table import step_at
from jaxsurv.survival.linear_cox import cox_fit
from jaxsurv.survival.risk_sets import prepare_risk_sets
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.schoenfeld import cox_rows
from jaxsurv.survival.summed_loss import Ties
from jaxsurv.types import ArrayLike, InputError, check_choice

if TYPE_CHECKING:
    from pandas import DataFrame

Transform = Literal["km", "rank", "identity", "log"]


class ProportionalHazards(NamedTuple):
    """Score tests of ``coef + theta g(t)``, with theta = 0 under proportional hazards.

    Attributes:
        statistic: ``[p]``, chi-square of each column, with one degree of freedom.
        p_value: ``[p]``, small = the effect of the column changes with time.
        degrees_of_freedom: of the global test, p.
        global_statistic: chi-square of all columns together.
        global_p_value: p-value of all columns together.
        names: names of the columns of x, or their numbers.
    """

    statistic: Any
    p_value: Any
    degrees_of_freedom: int
    global_statistic: float
    global_p_value: float
    names: Labels

    def table(self) -> "DataFrame":
        """Columns ``chi_square, degrees_of_freedom, p``, one row per column of x, and ``GLOBAL``."""
        from pandas import DataFrame

        columns = {
            "chi_square": [*self.statistic, self.global_statistic],
            "degrees_of_freedom": [*np.ones(len(self.names), int), self.degrees_of_freedom],
            "p": [*self.p_value, self.global_p_value],
        }
        return DataFrame(columns, index=[*self.names, "GLOBAL"])


@read_arguments
@columns_shown
def proportional_hazards_test(
    x: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    ties: Ties = "efron",
    transform: Transform = "km",
    **columns: Unpack[Columns],
) -> ProportionalHazards:
    """Test whether the effect of each column changes with time; equals R's ``cox.zph`` (survival >= 3).

    The model is fitted by `cox_fit`, and each column times g(t) is tested as if it were added to it, by
    a score test. g decides which change is looked for: ``km`` is 1 - S(t-), which gives each event
    about the same leverage; ``rank`` the rank of t among all times, also censored ones; ``identity`` t;
    ``log`` log t. lifelines tests with an approximation of the variance that R had before version 3.

    A small p says that one hazard ratio does not describe the column at all times; in a large cohort
    it does so for changes that do not matter. Look at `jaxsurv.plots.schoenfeld`.

    Args:
        x: ``[n, p]``, as for `cox_fit`.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        ties: treatment of tied events, ``"efron"`` or ``"breslow"``.
        transform: scale of time on which effects may change.
        entry, strata, weights, where: see `cox_fit`.

    Raises:
        InputError: any error of `cox_fit`; traced values; exact ties; columns that determine each other;
            events at only one time; an event at time 0 if ``transform="log"``.

    Reference: Grambsch and Therneau, Biometrika 81 (1994) 515; Therneau, survival 3.0 (2019).

    The hazard of half of the patients is constant, that of the others rises with time:

    >>> x, e = np.arange(200) % 2, np.linspace(0.01, 3, 200)
    >>> found = proportional_hazards_test(x[:, None], np.ones(200), np.where(x, e ** (1 / 3), e))
    >>> bool(found.global_p_value < 1e-6)
    True
    """
    check_choice("transform", transform, ("km", "rank", "identity", "log"))
    check_choice("ties", ties, ("efron", "breslow"))
    risk_sets = prepare_risk_sets(event, time, **columns)
    coef = cox_fit(x, risk_sets=risk_sets, ties=ties).coef
    rows = cox_rows(x, coef, risk_sets, ties)
    cox = rows.cox
    pooled = {name: column for name, column in columns.items() if name != "strata"}
    g = _on_scale(transform, cox, lambda: kaplan_meier(event, time, **pooled))
    g = g - g.mean()
    if not np.ptp(g) > 0:
        raise InputError("all events are at one time: no effect can change with time")
    g /= np.abs(g).max()
    weight = cox.risk_sets.event_weight[cox.events]
    score = (weight * g) @ rows.z[cox.events] - (cox.mean_weight * g) @ rows.means.mean
    mixed = rows.information(g)
    spread = rows.information(g**2) - mixed @ rows.covariance() @ mixed
    if np.linalg.eigvalsh(spread)[0] <= 1e-10 * np.trace(spread):
        raise InputError(
            f"{len(g)} events are too few for a test of {len(coef)} columns; drop some columns"
        )
    statistic = score**2 / np.diagonal(spread)
    together = score @ np.linalg.solve(spread, score)
    p = len(coef)
    return ProportionalHazards(
        statistic,
        chi_square_tail(statistic, 1),
        p,
        float(together),
        float(chi_square_tail(together, p)),
        column_names(x) or Labels(range(p)),
    )


def _on_scale(transform: Transform, cox: HostCox, curve: Callable[[], KaplanMeier]) -> Any:
    """g ``[d]`` of the times of the events."""
    here = cox.risk_sets.log_weight > -np.inf
    every = np.asarray(cox.risk_sets.time, float)
    times = every[cox.events]
    if transform == "km":
        s = curve()
        return 1 - step_at(times, s.times, s.survival, initial=1.0, left=True)
    if transform == "rank":
        from scipy.stats import rankdata

        ranks = np.zeros(every.size)
        ranks[here] = rankdata(every[here])
        return ranks[cox.events]
    if transform == "log":
        if not times.min() > 0:
            raise InputError(
                "transform='log' needs event times > 0; use 'km', 'rank' or 'identity'"
            )
        return np.log(times)
    return times
