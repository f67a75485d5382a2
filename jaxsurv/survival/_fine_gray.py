"""Fine and Gray's proportional subdistribution hazards."""

import numpy as np

from jaxsurv.arguments.columns import check_finite
from jaxsurv.arguments.labels import column_names, dense
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival._cox_fit import CoxFit, FittedRows
from jaxsurv.survival.baseline import curve_of_jumps
from jaxsurv.survival.causes import check_competing
from jaxsurv.survival.censoring import censoring_curve
from jaxsurv.survival.cox_columns import standardised_columns
from jaxsurv.survival.host.cox import HostCox, on_host
from jaxsurv.survival.host.newton import host_fit
from jaxsurv.survival.host.subdistribution import WeightedRiskSets
from jaxsurv.survival.linear_cox import judge_fit
from jaxsurv.survival.risk_sets import prepare_risk_sets
from jaxsurv.survival.validation import check_known, check_vectors
from jaxsurv.types import ArrayLike, InputError


@read_arguments
def fine_gray(
    x: ArrayLike,
    code: ArrayLike,
    time: ArrayLike,
    *,
    cause: int = 1,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    censoring_strata: ArrayLike | None = None,
) -> CoxFit:
    """Linear model of the cumulative incidence of a cause, F(t | x) = 1 - exp(-H(t) exp(x b)).

    Breslow's partial likelihood in which a patient with another cause at s stays at risk at t > s, with the
    weight G(t-) / G(s-), the probability of being still under observation. Equals R's
    ``finegray`` with ``coxph(ties = "breslow")``, its robust errors included, which take G as
    known. ``cmprsk::crr`` weights by G(t) and adds the variance of G, so that coefficients differ where an
    event and a censoring are tied (docs/differences.md). Runs on the host: not inside ``jit``.

    A coefficient says in which direction a covariate moves the *probability* of the cause; it is no
    effect on its hazard. For that, fit the cause-specific model ``cox_fit(x, code == cause, time)``.
    Incidences of new patients: ``1 - survival_function(fit.baseline, x_new @ fit.coef, times)``.

    Args:
        x: ``[n, p]``, p <= n.
        code: ``[n]``, 0 = censored, 1, 2, ..., K = cause of the event.
        time: ``[n]``, >= 0, any unit.
        cause: cause of interest.
        weights: ``[n]``, case weights, also of the censoring distribution.
        where: ``[n]`` booleans, False for rows that are not there.
        cluster: ``[n]``, labels of any type; rows of one label are one unit of ``robust_covariance``, which
            is the one to report. None = each row.
        censoring_strata: ``[n]``, labels of any type: one G in each; None = one for all.

    Returns:
        Fit, whose ``baseline`` is the cumulative subdistribution hazard H at x = 0.

    Raises:
        InputError: codes that are not 0, 1, ..., K, each with an event; see `cox_fit`.

    Warns:
        As `cox_fit`.

    Reference: Fine and Gray, JASA 94 (1999) 496; Geskus, Biometrics 67 (2011) 39.

    >>> code, time = np.array([1, 2, 1, 0, 1, 2]), np.array([1.0, 2, 3, 4, 5, 6])
    >>> fit = fine_gray(np.array([[1.0], [0], [1], [0], [0], [1]]), code, time)
    >>> print(f"{fit.coef[0]:.3f}")
    1.007
    """
    check_known(x=x, cluster=cluster, censoring_strata=censoring_strata)
    if np.ndim(x) != 2:
        raise InputError(f"x must have shape [n, p], got {list(np.shape(x))}")
    check_vectors(
        x=np.empty(np.shape(x)[0]), code=code, cluster=cluster, censoring_strata=censoring_strata
    )
    names = column_names(x)
    check_finite("x", x)
    codes, here, _ = check_competing(code, time, cause=cause, weights=weights, where=where)
    x = np.asarray(x)
    if x.shape[1] > here.sum():
        raise InputError(
            f"x has more columns than rows ({x.shape[1]} > {here.sum()}): select columns"
        )
    rs = on_host(prepare_risk_sets(codes == cause, time, weights=weights, where=where))
    events, stays = np.flatnonzero(rs.event_weight > 0), here & (codes > 0) & (codes != cause)
    stratum = np.zeros(codes.size, int) if censoring_strata is None else dense(censoring_strata)
    left, inverse = [], []
    for s in np.unique(stratum[here]):
        own = here & (stratum == s)
        curve = censoring_curve(codes > 0, time, weights=weights, where=own)
        with np.errstate(divide="ignore"):  # of rows that do not stay
            inverse.append(np.where(own & stays, 1 / curve.before(time), 0)[rs.order])
        left.append(curve.before(rs.time[events]))
    risk_sets = WeightedRiskSets(rs.start[events], np.stack(left), np.stack(inverse))
    likelihood = HostCox(rs, events, at_risk=risk_sets)
    z = standardised_columns(x, rs, 0.0)
    cluster = None if cluster is None else dense(cluster)
    found = host_fit(z.x, likelihood, cluster, np.zeros(x.shape[1]))
    if found is None:
        raise InputError("the hazards differ by more than e^600: leave out or scale columns of x")
    fit, problems = found
    judge_fit(fit, problems, names or range(x.shape[1]))
    values = likelihood.log_cumulative_hazard(likelihood.to_positions(z.x) @ fit["coef"])
    return CoxFit(**z.in_given_units(fit, curve_of_jumps(rs, values)), rows=FittedRows(names))
