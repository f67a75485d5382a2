"""Residuals of a linear Cox model per covariate: Schoenfeld's of the events, dfbeta of the rows."""

from typing import Any, NamedTuple, Unpack

import numpy as np

from jaxsurv.arguments.columns import check_finite, column, is_frame
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.cox_columns import standardised_columns
from jaxsurv.survival.host.cox import LINEAR, HostCox, RiskSetMeans, known_cox
from jaxsurv.survival.host.newton import score_residuals
from jaxsurv.survival.risk_sets import RiskSets, given_risk_sets
from jaxsurv.survival.row_columns import Columns, columns_shown
from jaxsurv.survival.summed_loss import Ties
from jaxsurv.survival.validation import check_events, check_known, check_vectors
from jaxsurv.types import ArrayLike, InputError, check_choice


class CoxRows(NamedTuple):
    """Linear Cox model at known coefficients, on the host. Rows are in the order of the risk sets.

    Attributes:
        z: ``[n, p]``, columns of x, centred and divided by ``scale``.
        scale: ``[p]``.
        cox: outcome.
        means: hazards, and means of z over the risk sets.
    """

    z: Any
    scale: Any
    cox: HostCox
    means: RiskSetMeans

    def schoenfeld(self) -> Any:
        """Residuals ``[d, p]`` of z; tied events have one mean, that over Efron's steps."""
        events, mean = self.cox.events, self.means.mean
        group, size = np.unique(
            self.cox.risk_sets.start[events], return_inverse=True, return_counts=True
        )[1:]
        of_group = np.zeros((size.size, mean.shape[1]))
        np.add.at(of_group, group, mean)
        return self.z[events] - (of_group / size[:, None])[group]

    def information(self, share: Any = 1.0) -> Any:
        """Information ``[p, p]`` of the events about the coefficients of z, each times its ``share [d]``."""
        weight, mean = self.cox.mean_weight * share, self.means.mean
        pulled = self.cox.pulled(LINEAR, self.means.denominator, weight)
        squares = self.z.T @ ((self.means.hazard * pulled)[:, None] * self.z)
        return squares - mean.T @ (weight[:, None] * mean)

    def covariance(self) -> Any:
        """Inverse ``[p, p]`` of the information.

        Raises:
            InputError: columns that determine each other.
        """
        information = self.information()
        values, vectors = np.linalg.eigh(information)
        none = values <= 1e3 * np.finfo(float).eps * max(
            values.max(initial=0), len(self.cox.events)
        )
        if none.any():
            which = np.flatnonzero((vectors[:, none] ** 2).sum(1) > 1e-3).tolist()
            raise InputError(
                f"columns {which} of x determine each other, or do not vary among those at risk; drop some"
            )
        return np.linalg.inv(information)


def cox_rows(x: Any, coef: Any, risk_sets: RiskSets, ties: Ties) -> CoxRows:
    """Linear Cox model at ``coef [p]``.

    Raises:
        InputError: traced values, exact ties, shapes, NaN, no event, log hazards too far apart.
    """
    check_known(x=x, coef=coef, outcome=risk_sets.log_weight)
    check_choice("ties", ties, ("efron", "breslow"))
    if is_frame(x) and hasattr(coef, "reindex"):
        names, of_coef = list(x.columns), list(coef.index)
        if names != of_coef and set(names) & set(of_coef):
            raise InputError(
                f"coef is named {of_coef[:5]} and the columns of x {names[:5]}; give coef[x.columns]"
            )
    coef = column("coef", coef)
    if np.ndim(x) != 2 or np.shape(coef) != np.shape(x)[1:]:
        raise InputError(
            f"x must have shape [n, p] and coef [p], got {list(np.shape(x))} and {list(np.shape(coef))}"
        )
    check_finite("x", x)
    check_finite("coef", coef)
    check_vectors(x=np.empty(np.shape(x)[0]), risk_sets=risk_sets.start)
    check_events(risk_sets.total)
    columns, cox = standardised_columns(np.asarray(x), risk_sets, 0.0), known_cox(risk_sets, ties)
    z = cox.to_positions(columns.x)
    means = cox.means(z @ (np.asarray(coef, float) * columns.scale), z)
    if means is None:
        raise InputError(
            "x @ coef differs by more than 600 among those at risk, so that hazards are lost; check coef"
        )
    return CoxRows(z, columns.scale, cox, means)


class SchoenfeldResiduals(NamedTuple):
    """Attributes:
    time: ``[d]``, times of the events, ascending.
    residuals: ``[d, p]``, one row per event.
    """

    time: Any
    residuals: Any


@read_arguments
@columns_shown
def schoenfeld_residuals(
    x: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    coef: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    scaled: bool = False,
    risk_sets: RiskSets | None = None,
    **columns: Unpack[Columns],
) -> SchoenfeldResiduals:
    """Covariates of each event minus their mean over those at risk, weighted by the hazards.

    If ``scaled``, they are ``coef + d r V``, with V the covariance of the coefficients and d the number
    of events: their trend over time is that of the coefficient (Grambsch and Therneau), which
    `jaxsurv.plots.schoenfeld` draws and `proportional_hazards_test` tests. As R's ``residuals`` of type
    ``schoenfeld`` and ``scaledsch``; with Efron's ties tied events have one mean.

    Args:
        x: ``[n, p]``, finite.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        coef: ``[p]``, log hazard ratios, as `cox_fit` gives.
        ties: treatment of tied events, ``"efron"`` or ``"breslow"``.
        scaled: return scaled residuals.
        entry, strata, weights, where: see `cox_fit`.
        risk_sets: result of `prepare_risk_sets`, instead of the outcome.

    Returns:
        Times ``[d]`` of the events in ascending order, and residuals ``[d, p]``.

    Raises:
        InputError: malformed input (see `cox_fit`), exact ties, traced values; columns that determine each
            other, if ``scaled``.

    Reference: Schoenfeld, Biometrika 69 (1982) 239; Grambsch and Therneau, Biometrika 81 (1994) 515.

    >>> x, time = np.array([[1.0], [2.0], [0.0]]), np.array([1.0, 2.0, 3.0])
    >>> schoenfeld_residuals(x, np.ones(3), time, np.zeros(1)).residuals.ravel().tolist()
    [0.0, 1.0, 0.0]
    """
    rows = cox_rows(x, coef, given_risk_sets(risk_sets, event, time, **columns), ties)
    residuals, events = rows.schoenfeld(), rows.cox.events
    if scaled:
        change = len(events) * residuals @ rows.covariance() / rows.scale
        residuals = np.asarray(coef, float) + change
    else:
        residuals = residuals * rows.scale
    times = np.asarray(rows.cox.risk_sets.time)[events]
    order = np.argsort(times, kind="stable")
    return SchoenfeldResiduals(times[order], residuals[order])


@read_arguments
@columns_shown
def dfbeta(
    x: ArrayLike,
    event: ArrayLike | None = None,
    time: ArrayLike | None = None,
    coef: ArrayLike | None = None,
    *,
    ties: Ties = "efron",
    risk_sets: RiskSets | None = None,
    **columns: Unpack[Columns],
) -> Any:
    """Influence ``[n, p]`` of each row on the coefficients: about ``coef`` minus that without the row.

    Score residuals times the covariance, as R's ``residuals`` of type ``dfbeta``: multiplied by the
    weights, and 0 for rows that are not there. The sum of their products is `CoxFit.robust_covariance`.
    Arguments as for `schoenfeld_residuals`.

    Raises:
        InputError: see `schoenfeld_residuals`; columns that determine each other.

    >>> x, time = np.array([[1.0], [2.0], [0.0]]), np.array([1.0, 2.0, 3.0])
    >>> dfbeta(x, np.ones(3), time, np.zeros(1)).round(2).ravel().tolist()
    [0.0, 0.1, 0.5]
    """
    rows = cox_rows(x, coef, given_risk_sets(risk_sets, event, time, **columns), ties)
    residuals = score_residuals(rows.means, rows.z, rows.cox)
    return rows.cox.to_rows(residuals @ rows.covariance() / rows.scale)
