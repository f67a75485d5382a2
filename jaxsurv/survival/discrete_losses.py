"""Likelihoods in discrete time, for one cause or several: of hazards per interval, or of a distribution."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.columns import as_real, is_frame
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import one, real
from jaxsurv.survival.cumulative import log_sum
from jaxsurv.survival.discrete_time import check_discrete
from jaxsurv.survival.row_losses import Reduction, check_reduction, reduce_rows
from jaxsurv.survival.validation import check_vectors, is_concrete
from jaxsurv.types import Array, ArrayLike, InputError


def _columns(
    logits: Any, event: Any, interval: Any, entry: Any, weights: Any, where: Any
) -> tuple[Any, ...]:
    """Checked arguments as arrays of few types, so that one program serves them all."""
    check_discrete(logits, event, interval, entry, weights, where)

    def whole(x: Any) -> Any:
        return None if x is None else jnp.asarray(x, jnp.int32)

    return (
        as_real(np.asarray(logits) if is_frame(logits) else logits),
        whole(event),
        whole(interval),
        whole(entry),
        None if weights is None else as_real(weights),
        None if where is None else jnp.asarray(where, bool),
    )


def _cells(
    logits: Array, event: Array, interval: Array, entry: Array | None, where: Array | None
) -> tuple[Array, ...]:
    """Logits ``[n, causes, m]``, 0 in rows that are not there, and masks of cells.

    Returns:
        logits; own ``[n, causes, m]``, the cell of the event; reached ``[n, m]``, intervals up to that of the
        row; late ``[n, m]``, intervals in which the row has entered.
    """
    logits = logits if logits.ndim == 3 else logits[:, None]
    if where is not None:
        logits = jnp.where(where[:, None, None], logits, 0)
    _, causes, m = logits.shape
    place = jnp.arange(m)[None]
    late = place >= (0 if entry is None else entry[:, None])
    of_cause = event[:, None] == jnp.arange(1, causes + 1)[None]
    own = of_cause[:, :, None] & (place == interval[:, None])[:, None]
    return logits, own, place <= interval[:, None], late


@read_arguments
def logistic_hazard_loss(
    logits: ArrayLike,
    event: ArrayLike,
    interval: ArrayLike,
    *,
    share: ArrayLike | None = None,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Negative log likelihood of hazards in intervals, h_kj = exp(f_kj) / (1 + Σ_c exp(f_cj)).

    A row of interval k contributes, with one cause, where h_j = sigmoid(f_j)::

        - event log h_k - (1 - event) log(1 - h_k) - Σ_{j < k} log(1 - h_j)

    and with several causes log h_ck of its own cause, and 1 - Σ_c h_cj in place of 1 - h_j. Equals pycox's
    ``nll_logistic_hazard`` with one cause. `discretise` gives the columns::

        outcome = discretise(event, time, ends)
        loss = logistic_hazard_loss(logits, outcome.event, outcome.interval)

    Args:
        logits: f, ``[n, m]``, or ``[n, causes, m]``; higher = worse. Only they are differentiated.
        event: ``[n]``, 1 = observed, 0 = censored; with causes 0, 1, ..., K.
        interval: ``[n]``, interval of the event; of a censored row the last interval survived, -1 if none.
        share: ``[n]``, share s of the next interval that a censored row was followed as well: it adds
            -s log(1 - h_{k+1}), its likelihood under the constant hazards of `logistic_hazard_survival`.
            None = 0, as in pycox: in wide intervals in which many are censored, hazards are then too large.
        entry: ``[n]``, delayed entry: the first interval in which the row is at risk.
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        reduction: ``"mean"`` divides by the weighted number of rows.

    Returns:
        A scalar; 0 with zero gradient if no row is there.

    Raises:
        InputError: bad shapes or values.

    Reference: Gensheimer and Narasimhan, PeerJ 7 (2019) e6257; Kvamme and Borgan, Lifetime Data Anal. 27
    (2021) 710; Tutz and Schmid (2016), chapter 8, for several causes.

    >>> import numpy as np
    >>> loss = logistic_hazard_loss(np.zeros((1, 3)), np.array([1]), np.array([1]))
    >>> print(f"{loss:.4f}")  # 2 log 2
    1.3863
    """
    check_reduction(reduction)
    columns = _columns(logits, event, interval, entry, weights, where)
    if share is not None:
        check_vectors(event=event, share=share)
        real(0, 1)("share", share)
        share = as_real(share)
    return _hazard_loss(*columns, share, reduction=reduction)


@partial(jax.jit, static_argnames="reduction")
def _hazard_loss(
    logits: Array,
    event: Any,
    interval: Any,
    entry: Any,
    weights: Any,
    where: Any,
    share: Any,
    reduction: str,
) -> Array:
    logits, own, reached, late = _cells(logits, event, interval, entry, where)
    # log(1 + Σ exp f), less f in the cell of the event, which is taken off all terms so that nothing cancels
    if logits.shape[1] == 1:
        each = jax.nn.softplus(jnp.where(own, -logits, logits))[:, 0]
    else:
        off = jnp.sum(jnp.where(own, logits, 0), 1, keepdims=True)
        each = log_sum(jnp.concatenate([logits, jnp.zeros_like(off)], 1) - off, 1)
    there = reached.astype(each.dtype)
    if share is not None:
        after = jnp.arange(each.shape[1])[None] == (interval + (event == 0))[:, None]
        there = there + jnp.where(after & ~reached, share.astype(each.dtype)[:, None], 0)
    each = jnp.sum(jnp.where(late & (there > 0), there * each, 0), 1)
    return reduce_rows(each, weights, where, reduction)


@read_arguments
def pmf_loss(
    logits: ArrayLike,
    event: ArrayLike,
    interval: ArrayLike,
    *,
    ranking: ArrayLike | float = 0.0,
    sigma: float = 0.1,
    entry: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    where: ArrayLike | None = None,
    reduction: Reduction = "mean",
) -> Array:
    """Negative log likelihood of a distribution over intervals, DeepHit's, with its ranking term if wanted.

    The probability of cause k in interval j is p_kj = exp(f_kj) / (1 + Σ exp(f)), and the 1 stands for
    surviving all intervals. A row of interval k contributes -log p_ck, or, if censored,
    -log P(T > k); with delayed entry both are given survival up to it. The ranking term adds, per row i
    with an event of cause c in interval k::

        ranking / Σ_j w_j · Σ_{j event-free through k} w_j exp((F_c,j(k) - F_c,i(k)) / sigma)

    with F_c the cumulative incidence, over rows j that have entered by k. With ``ranking=0`` it equals
    pycox's ``nll_pmf`` and ``nll_pmf_cr``; pycox's DeepHit loss is ``alpha`` times this loss with
    ``ranking = (1 - alpha) / alpha``. DeepHit itself has no probability beyond the last interval, and sums
    over pairs.

    Args:
        logits: f, ``[n, m]``, or ``[n, causes, m]``. Only they are differentiated.
        event: ``[n]``, 1 = observed, 0 = censored; with causes 0, 1, ..., K.
        interval: ``[n]``, interval of the event; of a censored row the last interval survived, -1 if none.
        ranking: weight of the ranking term, >= 0; unless it is the number 0, [n, n] pairs are formed.
        sigma: scale of the differences of incidence in the ranking term, > 0.
        entry: ``[n]``, delayed entry: the first interval in which the row is at risk.
        weights: ``[n]``, case weights.
        where: ``[n]``, False for rows that are not there.
        reduction: ``"mean"`` divides by the weighted number of rows.

    Returns:
        A scalar; 0 with zero gradient if no row is there.

    Raises:
        InputError: bad shapes or values.

    Reference: Lee et al., AAAI 32 (2018), DeepHit; Kvamme and Borgan, Lifetime Data Anal. 27 (2021) 710.

    >>> import numpy as np
    >>> loss = pmf_loss(np.zeros((1, 3)), np.array([0]), np.array([1]))
    >>> print(f"{loss:.4f}")  # P(T > 1) = 2/4: log 2
    0.6931
    """
    check_reduction(reduction)
    columns = _columns(logits, event, interval, entry, weights, where)
    one(0)("ranking", ranking)
    if one()("sigma", sigma) <= 0:
        raise InputError(f"sigma must be > 0, got {sigma}")
    pairs = None if is_concrete(ranking) and ranking == 0 else ranking
    return _pmf_loss(*columns, pairs, sigma, reduction=reduction)


@partial(jax.jit, static_argnames="reduction")
def _pmf_loss(
    logits: Any,
    event: Any,
    interval: Any,
    entry: Any,
    weights: Any,
    where: Any,
    ranking: Any,
    sigma: Any,
    reduction: str,
) -> Array:
    logits, own, reached, late = _cells(logits, event, interval, entry, where)
    n, causes, m = logits.shape
    died = jnp.any(own, (1, 2))
    happened = jnp.where(died[:, None, None], own, (late & ~reached)[:, None])
    others = late[:, None] & ~happened

    def log_of(cells: Array, beyond: Array) -> Array:
        """Logarithm of the sum over some cells, and of 1 for surviving all intervals."""
        chosen = jnp.where(cells, logits, -jnp.inf).reshape(n, causes * m)
        return log_sum(jnp.append(chosen, jnp.where(beyond, 0, -jnp.inf)[:, None], 1), 1)

    each = jax.nn.softplus(log_of(others, died) - log_of(happened, ~died))
    if ranking is not None:
        each = each + ranking * _ranking(logits, own, reached & late, sigma, weights, where)
    return reduce_rows(each, weights, where, reduction)


def cell_probabilities(logits: Array) -> Array:
    """Probabilities ``[n, causes, m]`` of `pmf_loss`; the rest to 1 is that of surviving all intervals."""
    n = logits.shape[0]
    padded = jnp.append(logits.reshape(n, -1), jnp.zeros((n, 1), logits.dtype), 1)
    return jax.nn.softmax(padded)[:, :-1].reshape(logits.shape)


def _ranking(
    logits: Array, own: Array, reached: Array, sigma: Any, weights: Any, where: Any
) -> Array:
    """DeepHit's ranking term ``[n]`` of each row."""
    n, causes, _ = logits.shape
    probability = cell_probabilities(logits)
    weight = jnp.ones(n, logits.dtype) if weights is None else weights.astype(logits.dtype)
    if where is not None:
        weight = jnp.where(where, weight, 0)
    total = jnp.sum(weight)
    # event-free through interval k: at risk in it, without an event in it
    free = (reached & ~jnp.any(own, 1)).astype(logits.dtype)
    each = jnp.zeros(n, logits.dtype)
    for c in range(causes):
        incidence = jnp.cumsum(probability[:, c], 1)
        at = own[:, c].astype(logits.dtype)
        with jax.default_matmul_precision("highest"):
            later = at @ free.T  # [i, j]
            theirs = at @ incidence.T
        mine = jnp.sum(at * incidence, 1, keepdims=True)
        gap = jnp.where(later > 0, (theirs - mine) / sigma, 0)
        each = each + jnp.where(later > 0, jnp.exp(gap), 0) @ weight
    return each / jnp.where(total > 0, total, 1)
