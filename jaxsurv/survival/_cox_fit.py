"""Fitted linear Cox model: its numbers, the table of hazard ratios, and the printed page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import numpy as np

from jaxsurv.arguments.labels import Labels
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.concordance import Concordance, concordance_of
from jaxsurv.survival.pairs import PairRows, absent, sorted_pair_sums
from jaxsurv.survival.risk_sets import RiskSets
from jaxsurv.survival.step_function import StepFunction
from jaxsurv.survival.validation import is_concrete
from jaxsurv.types import Array, InputError

if TYPE_CHECKING:
    from pandas import DataFrame

_TESTS = {
    "likelihood_ratio": "Likelihood ratio test",
    "wald": "Wald test",
    "score": "Score (log-rank) test",
}


class ChiSquareTest(NamedTuple):
    """Chi-square statistic, its degrees of freedom, and its p-value."""

    statistic: Array
    degrees_of_freedom: Array
    p_value: Array


@jax.tree_util.register_pytree_node_class
@dataclass(frozen=True, eq=False)
class FittedRows:
    """Rows that a Cox model was fitted to, kept for its summary.

    They are no part of the fit for JAX: what ``jit``, ``vmap`` or ``tree.map`` returns has none.

    Attributes:
        names: names of the columns of x, or None.
        log_hazard: ``[n]``, fitted log hazards up to a constant.
        risk_sets: outcome; None where the rows are not known.
        clustered: True if rows were put into clusters.
        l2: ridge penalty.
    """

    names: Labels | None = None
    log_hazard: Any = None
    risk_sets: RiskSets | None = None
    clustered: bool = False
    l2: Any = 0.0

    def tree_flatten(self) -> tuple[tuple, None]:
        """Nothing."""
        return (), None

    @classmethod
    def tree_unflatten(cls, _: None, __: tuple) -> "FittedRows":
        """No rows."""
        return cls()

    def concordance(self) -> Concordance:
        """Harrell's C of the fitted log hazards, inside the strata; a time is its first position."""
        rs = self.risk_sets
        assert rs is not None
        order = slice(None) if rs.order is None else np.asarray(rs.order)
        log_weight = np.asarray(rs.log_weight, float)
        weight, here = np.exp(log_weight), log_weight > -np.inf
        pairs = PairRows(
            np.where(here, np.asarray(self.log_hazard, float)[order], 0),
            np.asarray(rs.event_weight) > 0,
            np.asarray(rs.start),
            None if rs.intervals is None else np.asarray(rs.intervals.enter) - 1,
            None if rs.stratum is None else np.asarray(rs.stratum),
        )
        pairs = absent(np, pairs, ~here)
        earlier = np.where(pairs.event, weight, 0)
        return concordance_of(sorted_pair_sums(pairs, earlier, weight), earlier, weight)


class CoxFit(NamedTuple):
    """A fitted linear Cox model. ``print`` shows the table of `summary` with tests and concordance.

    Attributes:
        coef: ``[p]``, log hazard ratio per unit of each column.
        covariance: ``[p, p]``, inverse of the (penalised) information.
        robust_covariance: ``[p, p]``, the sandwich of Lin & Wei (1989), by cluster; NaN for exact
            ties.
        log_likelihood: log likelihood at ``coef``, without the penalty.
        log_likelihood_null: log likelihood at zero.
        likelihood_ratio: test of all coefficients being zero; like the next two, it ignores the
            penalty.
        wald: test from ``coef`` and ``covariance``.
        score: test from the derivatives at zero.
        baseline: cumulative hazard at ``x = 0``; Breslow's under exact ties.
        steps: Newton steps taken.
        converged: True if the last step was negligible.
        rows: rows of the fit, for its summary; empty where a value was traced.
    """

    coef: Array
    covariance: Array
    robust_covariance: Array
    log_likelihood: Array
    log_likelihood_null: Array
    likelihood_ratio: ChiSquareTest
    wald: ChiSquareTest
    score: ChiSquareTest
    baseline: StepFunction
    steps: Array
    converged: Array
    rows: FittedRows = FittedRows()

    @read_arguments
    def summary(self, names: Sequence | None = None, *, level: float = 0.95) -> "DataFrame":
        """One row per column of x: ``coef, hazard_ratio, se, z, p, hr_lower, hr_upper``.

        ``z`` and ``p`` are Wald's test that the coefficient is 0. If rows were put into clusters there is
        ``robust_se`` after ``se``, and the test and the limits are made of it. A coefficient of which the
        data say nothing has NaN. Under a ridge penalty coefficients are shrunk: their p-values and
        limits are not those of an unpenalised model.

        Args:
            names: ``p`` names; None = the names of the columns of x, or their numbers.
            level: coverage of the limits.

        Raises:
            InputError: another number of names; a fit that is traced, or many fits of ``vmap``.

        >>> from jaxsurv.survival import cox_fit
        >>> x, time = np.array([[1.0], [2.0], [0.0], [1.0]]), np.array([1.0, 2.0, 3.0, 4.0])
        >>> cox_fit(x, np.array([1, 1, 1, 0]), time).summary(["age"]).round(2).loc["age", "p"].item()
        0.68
        """
        from pandas import DataFrame
        from scipy import special

        if not self._readable():
            raise InputError(
                "a summary is one of known coefficients [p]: make it outside jit and vmap, of one fit at "
                f"a time; coef has shape {list(np.shape(self.coef))}"
            )
        coef = np.asarray(self.coef, float)
        if names is None:
            names = self.rows.names or range(coef.size)
        if len(names) != coef.size:
            raise InputError(f"x has {coef.size} columns, but names has {len(names)}")
        columns = {"coef": coef, "hazard_ratio": np.exp(coef)}
        columns["se"] = error = np.sqrt(np.diagonal(np.asarray(self.covariance, float)))
        if self.rows.clustered:
            robust = np.sqrt(np.diagonal(np.asarray(self.robust_covariance, float)))
            # what rounding leaves of a score that is 0 in every row
            columns["robust_se"] = error = np.where(robust > 1e-9 * error, robust, np.nan)
        with np.errstate(over="ignore"):
            columns["z"] = coef / np.where(error > 0, error, np.nan)
            columns["p"] = special.erfc(np.abs(columns["z"]) / np.sqrt(2))
            far = special.ndtri((1 + level) / 2) * error
            columns |= {"hr_lower": np.exp(coef - far), "hr_upper": np.exp(coef + far)}
        return DataFrame(columns, index=list(names))

    def _readable(self) -> bool:
        return is_concrete(self.coef) and np.ndim(self.coef) == 1

    def __str__(self) -> str:
        if not self._readable():
            return repr(self)
        rows, lines = self.rows, ["Cox proportional hazards model"]
        if rows.risk_sets is not None:
            n, events = (
                int((np.asarray(a) > least).sum())
                for a, least in (
                    (rows.risk_sets.log_weight, -np.inf),
                    (rows.risk_sets.event_weight, 0),
                )
            )
            lines[0] += f", n = {n}, events = {events}"
            if np.asarray(rows.l2) > 0:
                lines += [
                    f"Shrunk by a ridge penalty, l2 = {float(rows.l2):g}, which no test heeds"
                ]
        number, small = "{:.4g}".format, "{:.2g}".format
        lines += [self.summary().to_string(float_format=number, formatters={"p": small}), ""]
        for name, told in _TESTS.items():
            test = getattr(self, name)
            lines.append(
                f"{told:22}{number(float(test.statistic))} on {int(test.degrees_of_freedom)} degrees "
                f"of freedom, p = {small(float(test.p_value))}"
            )
        if rows.risk_sets is not None:
            c = rows.concordance()
            lines.append(
                f"{'Concordance':22}{number(float(c.index))} (in the rows of the fit), "
                f"standard error {small(float(c.standard_error))}"
            )
        return "\n".join(lines)
