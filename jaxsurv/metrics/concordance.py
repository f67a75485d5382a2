"""Harrell's concordance index with its infinitesimal-jackknife standard error."""

from types import ModuleType
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.metrics.pairs import DENSE_ROWS, PairSums, Rows, dense_pair_sums, sorted_pair_sums
from jaxsurv.survival.validation import array_module, check_survival, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


class Concordance(NamedTuple):
    """A concordance index and the weighted pair counts behind it.

    Attributes:
        index: in [0, 1], (concordant + tied_risk / 2) / (concordant + discordant + tied_risk).
        concordant: pairs in which the patient with the earlier event has the higher risk.
        discordant: pairs in which that patient has the lower risk.
        tied_risk: comparable pairs with equal risks.
        tied_time: pairs of events at one time with different risks; not in the index.
        tied_both: pairs of events at one time with equal risks; not in the index.
        standard_error: of the index, by the infinitesimal jackknife.
        influence: ``[n]``, the jackknife's change of the index per patient, w_k ∂index/∂w_k; the
            standard error is the root of its sum of squares. Sums over clusters, and differences
            between two risks, have standard errors in the same way.
    """

    index: Array
    concordant: Array
    discordant: Array
    tied_risk: Array
    tied_time: Array
    tied_both: Array
    standard_error: Array
    influence: Array


@jax.jit
def _concordance(sums: PairSums, earlier: Array, later: Array) -> Concordance:
    """The index and its influence per row, from the pair sums of each row."""

    def pairs(x: Array) -> Array:
        return jnp.sum(earlier * x)

    concordant, tied, comparable = (pairs(x) for x in (sums.concordant, sums.tied, sums.comparable))
    usable = comparable > 0
    safe = jnp.where(usable, comparable, 1)
    index = jnp.where(usable, (concordant + tied / 2) / safe, jnp.nan)
    ahead = sums.concordant + sums.tied / 2 - index * sums.comparable
    behind = sums.concordant_later + sums.tied_later / 2 - index * sums.comparable_later
    influence = (earlier * ahead + later * behind) / safe
    both = pairs(sums.tied_both) / 2
    return Concordance(
        index=index,
        concordant=concordant,
        discordant=comparable - concordant - tied,
        tied_risk=tied,
        tied_time=pairs(sums.tied_time) / 2 - both,
        tied_both=both,
        standard_error=jnp.sqrt(jnp.sum(influence**2)),
        influence=influence,
    )


def prepare_rows(
    xp: ModuleType,
    risk: Any,
    event: Any,
    time: Any,
    entry: Any = None,
    strata: Any = None,
    weights: Any = None,
    where: Any = None,
) -> tuple[Rows, Any]:
    """The rows to compare and their case weights, 0 where a row is not there."""
    given = (risk, xp.asarray(event).astype(bool), time, entry, strata)
    rows = Rows(*(None if x is None else xp.asarray(x) for x in given))
    number = jnp.result_type(float)
    weight = xp.ones(rows.risk.shape, number) if weights is None else xp.asarray(weights, number)
    if where is not None:
        weight = xp.where(xp.asarray(where).astype(bool), weight, 0).astype(number)
    return rows, weight


def checked(result: Concordance) -> Concordance:
    """Refuse a concordance without comparable pairs, where that can be seen."""
    if is_concrete(result.index) and np.isnan(result.index).any():
        raise InputError(
            "no comparable pair: every event needs a patient known to live longer in its stratum; "
            "check event, time, tau and where"
        )
    return result


def pairwise_concordance(rows: Rows, earlier: Any, later: Any) -> Concordance:
    """The concordance with pair weights earlier_i later_j, by the algorithm that suits n."""
    sums = dense_pair_sums if earlier.shape[0] <= DENSE_ROWS else sorted_pair_sums
    return _concordance(sums(rows, earlier, later), earlier, later)


def concordance_index(
    risk: ArrayLike,
    event: ArrayLike,
    time: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    strata: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    where: ArrayLike | None = None,
    tau: ArrayLike | float | None = None,
) -> Concordance:
    """Harrell's C: the share of comparable pairs in which the higher risk has the earlier event.

    A pair is comparable if the earlier time is an event; an event and a censoring at one time are
    comparable, two events at one time are not. Equal risks count 1/2. This is what R's
    ``survival::concordance(..., reverse=TRUE)`` computes, standard error included; scikit-survival
    has the same index and counts tied times differently.

    Up to 1024 patients all pairs are compared, above that the work is O(n log n). Both have fixed
    shapes, so ``jit`` and ``vmap`` over risks or masks ``[runs, n]`` work. Eager calls sort on the
    host, which is far faster on a CPU.

    Args:
        risk: ``[n]``, higher = worse; only its order matters.
        event: ``[n]``, 1 = observed, 0 = censored.
        time: ``[n]``, any unit.
        weights: ``[n]``, case weights; a pair weighs the product.
        strata: ``[n]`` integers; only pairs inside a stratum are compared.
        entry: ``[n]``, delayed entry: the patient is at risk in ``(entry, time]``.
        where: ``[n]`` booleans, False for patients that are not there.
        tau: only events at times <= tau count.

    Raises:
        InputError: malformed input (see `check_survival`), or no comparable pair. While ``jit``
            traces, the index is NaN then.

    Reference: Harrell et al., JAMA 247 (1982) 2543; Therneau and Watson, Mayo Clinic TR 85 (2015).

    >>> time = np.array([1.0, 2.0, 3.0])
    >>> c = concordance_index(np.array([3.0, 1.0, 2.0]), np.array([1, 1, 0]), time)
    >>> float(c.concordant), float(c.discordant), round(float(c.index), 4)
    (2.0, 1.0, 0.6667)
    """
    check_survival(event, time, entry=entry, strata=strata, weights=weights, where=where, risk=risk)
    xp = array_module(risk, event, time, weights, strata, entry, where, tau)
    rows, later = prepare_rows(xp, risk, event, time, entry, strata, weights, where)
    earlier = xp.where(rows.event, later, 0)
    if tau is not None:
        earlier = xp.where(xp.asarray(time) <= tau, earlier, 0)
    return checked(pairwise_concordance(rows, earlier, later))
