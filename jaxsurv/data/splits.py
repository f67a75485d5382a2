"""Splits as masks: every fold of every repeat is one row of boolean arrays.

Nothing is copied, so cross-validation is one more axis to ``vmap`` over.
"""

from typing import Any, NamedTuple

import numpy as np

from jaxsurv.arguments.labels import factorised
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.arguments.settings import mask
from jaxsurv.data.row_checks import PatientsOfRows
from jaxsurv.survival.validation import check_event, check_some, check_vectors
from jaxsurv.types import InputError


class Splits(NamedTuple):
    """Training, validation and test rows of s splits of n patients.

    The rows that are not tested are dealt into k parts. Seed j of a study trains on all but part
    ``j % k``, which stops it: what a few dozen events say about when to stop is left to no single part,
    and every row is held out from some run.

    Attributes:
        train: ``[s, k, n]`` booleans.
        validation: ``[s, k, n]`` booleans, the rows that early stopping watches.
        test: ``[s, n]`` booleans.
        repeat: ``[s]`` integers.
        fold: ``[s]`` integers.
        protocol: ``"three-way"`` (the three masks are disjoint) or ``"two-way"`` (validation is
            test: the score is of rows that early stopping has seen, as in many papers).
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    repeat: np.ndarray
    fold: np.ndarray
    protocol: str

    @property
    def develop(self) -> np.ndarray:
        """``[s, n]`` booleans: the rows that may be fitted to, never test rows."""
        return (self.train | self.validation).any(axis=1) & ~self.test

    def of_rows(self, number: np.ndarray) -> "Splits":
        """Splits of rows from those of patients: ``number`` ``[m]`` is that of each row's patient."""
        masks = {name: getattr(self, name)[..., number] for name in ("train", "validation", "test")}
        return self._replace(**masks)

    def spread(self, rows: np.ndarray) -> "Splits":
        """Extend the splits to more patients: ``rows`` ``[m]`` are these n, all others have no role."""

        def wider(mask: np.ndarray) -> np.ndarray:
            out = np.zeros((*mask.shape[:-1], len(rows)), bool)
            out[..., rows] = mask
            return out

        masks = {name: wider(getattr(self, name)) for name in ("train", "validation", "test")}
        return self._replace(**masks)


def _draw(rng: np.random.Generator, event: np.ndarray, rows: np.ndarray, size: int) -> np.ndarray:
    """Mask of ``size`` of the given ``rows``, with events in proportion (at least one)."""
    observed, censored = rows[event[rows]], rows[~event[rows]]
    events = round(size * len(observed) / len(rows))
    # At least one event to watch, and no more censored rows than there are.
    events = min(max(events, 1, size - len(censored)), len(observed))
    chosen = rng.permutation(observed)[:events], rng.permutation(censored)[: size - events]
    return _mask(event.size, np.concatenate(chosen))


def _mask(n: int, rows: np.ndarray) -> np.ndarray:
    mask = np.zeros(n, bool)
    mask[rows] = True
    return mask


def event_and_rows(event: Any, eligible: Any, strata: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Event and eligibility as booleans ``[n]``."""
    check_vectors(event=event, eligible=eligible, strata=strata)
    check_some(len(event), eligible)
    check_event(event)
    event = np.asarray(event).astype(bool)
    eligible = np.ones(event.size, bool) if eligible is None else np.asarray(eligible)
    return event, eligible.astype(bool)


def check_parts(splits: Splits, event: np.ndarray, fix: str) -> Splits:
    for part in ("train", "validation", "test"):
        masks = getattr(splits, part)
        for s, *k in np.argwhere(~(masks & event).any(axis=-1)):
            raise InputError(
                f"fold {splits.fold[s]} of repeat {splits.repeat[s]} has no event among its "
                f"{masks[s, *k].sum()} {part} rows (the cohort has {event.sum()} events in "
                f"{event.size} patients); {fix}"
            )
    return splits


@read_arguments
def stratified_kfold(
    event: Any,
    *,
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
    eligible: Any = None,
    validation_fraction: float | None = 0.2,
    strata: Any = None,
    patient: Any = None,
) -> Splits:
    """Repeated K-fold, stratified by event, with early-stopping rows apart from the test rows.

    In every repeat each eligible row is tested once; the folds' numbers of rows, and of events,
    differ by at most one. The fold's other rows are dealt into early-stopping parts in the same way.
    Repeat r depends on ``seed`` and r alone, and the test rows do not depend on
    ``validation_fraction``, so that protocols can be compared on the same folds.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        folds: K.
        repeats: number of times that all rows are dealt anew.
        seed: seed of NumPy's generator.
        eligible: ``[n]`` booleans: only these rows are ever tested, the others always train. MyeVAE
            has its folds over the complete patients.
        validation_fraction: share of each fold's other rows in one part: 0.2 gives five parts. None or
            0 gives the two-way protocol of many papers, where early stopping watches the test rows.
        strata: ``[n]`` labels: folds and parts have their share of the rows, and of the events, of each
            stratum too.
        patient: ``[n]`` labels of the patients, where these have several rows: patients are dealt, by their
            event, and take all their rows with them.

    Returns:
        ``Splits`` with s = repeats x folds rows, repeat by repeat.

    Raises:
        InputError: a train, validation or test part without an event, naming the fold, or
            impossible settings.

    >>> splits = stratified_kfold([1, 0, 1, 0, 1, 0, 1, 0], folds=2, validation_fraction=0.5)
    >>> splits.test.sum(axis=1), splits.validation.sum(axis=-1).tolist()
    (array([4, 4]), [[2, 2], [2, 2]])
    """
    event, eligible = event_and_rows(event, eligible, strata)
    if patient is not None:
        who = PatientsOfRows.of(patient, event, eligible, strata)
        dealt = stratified_kfold(
            who.event, folds=folds, repeats=repeats, seed=seed, eligible=who.rows,
            validation_fraction=validation_fraction, strata=who.strata,
        )  # fmt: skip
        return dealt.of_rows(who.number)
    parts = number_of_parts(validation_fraction)
    observed = np.flatnonzero(eligible & event)
    if len(observed) < folds:
        fix = f"at most {len(observed)} folds are possible" if len(observed) > 1 else "no folds are"
        raise InputError(
            f"fold {len(observed)} of {folds} would have no event among its test rows: there are "
            f"{len(observed)} events in {eligible.sum()} eligible patients; {fix}"
        )
    test = []
    for repeat in range(repeats):
        test.extend(_deal(event, eligible, folds, (seed, repeat), strata))
    test = np.stack(test)
    validation = parts_of_each(event, ~test, parts, strata) if parts else None
    return repeated_folds(event, test, validation, folds)


def number_of_parts(validation_fraction: float | None) -> int:
    """Early-stopping parts of which each has about this share of the rows; 0 = the test rows (two-way)."""
    fraction = validation_fraction or 0.0
    if not 0 <= fraction <= 0.5:
        raise InputError(f"validation_fraction must be in [0, 0.5], got {validation_fraction}")
    return round(1 / fraction) if fraction else 0


def repeated_folds(
    event: np.ndarray, test: np.ndarray, validation: np.ndarray | None, folds: int
) -> Splits:
    """Checked splits of ``test [s, n]``, fold by fold, and early-stopping parts ``[s, k, n]``.

    None = the test rows stop the training.
    """
    number, protocol = np.arange(len(test)), "two-way" if validation is None else "three-way"
    validation = test[:, None] if validation is None else validation
    train = ~test[:, None] & ~validation
    splits = Splits(train, validation, test, number // folds, number % folds, protocol)
    return check_parts(splits, event, "use fewer folds or a smaller validation_fraction")


def _deal(
    event: np.ndarray, rows: np.ndarray, parts: int, seed: tuple[int, ...], strata: Any = None
) -> list[np.ndarray]:
    """``rows [n]`` dealt into so many masks, in numbers of rows and of events that differ by one at most.

    So do the numbers of events, and of other rows, of every stratum.
    """
    rng = np.random.default_rng(seed)
    strata = np.zeros(event.size) if strata is None else factorised(np.asarray(strata))[0]
    each = [strata == s for s in np.unique(strata)]
    kinds = [np.flatnonzero(rows & e & s) for e in (event, ~event) for s in each]
    dealt = np.concatenate([rng.permutation(kind) for kind in kinds])
    return [_mask(event.size, dealt[k::parts]) for k in range(parts)]


def early_stopping_parts(
    event: np.ndarray, develop: np.ndarray, *, parts: int, seed: int, strata: Any = None
) -> np.ndarray:
    """Development rows dealt into early-stopping parts, stratified by event: ``[parts, n]`` booleans.

    The deal depends on the seed and on the development rows' order, events and strata alone: split number s
    of `stratified_kfold` has the parts that a fit to its development rows has with seed s.

    Args:
        event: ``[n]`` booleans.
        develop: ``[n]`` booleans, rows that are not tested.
        parts: number of parts.
        seed: number of the split.
        strata: ``[n]`` labels, see `stratified_kfold`.
    """
    return np.stack(_deal(event, develop, parts, (seed, 0, 1), strata))


def parts_of_each(event: np.ndarray, develop: np.ndarray, parts: int, strata: Any) -> np.ndarray:
    """``[s, parts, n]``, those of every split."""
    return np.stack([
        early_stopping_parts(event, rows, parts=parts, seed=s, strata=strata)
        for s, rows in enumerate(develop)
    ])  # fmt: skip


PARTS = 5  # early-stopping parts of a fit to all rows


@read_arguments
def without_test(
    event: Any, develop: Any, *, seed: int = 0, strata: Any = None, patient: Any = None
) -> Splits:
    """Splits without test rows: fits to development rows, each stopped by one of five parts.

    With fewer than five events there are as many parts as events, some of them twice.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        develop: ``[n]`` or ``[s, n]`` booleans, rows to fit to; the others have no role.
        seed: number of the split whose deal is wanted, see `early_stopping_parts`.
        strata, patient: ``[n]`` labels, see `stratified_kfold`.

    Raises:
        InputError: fewer than two events among the development rows.
    """
    event, _ = event_and_rows(event, None, strata)
    if patient is not None:
        who = PatientsOfRows.of(patient, event, mask("develop", develop), strata)
        return without_test(who.event, who.rows, seed=seed, strata=who.strata).of_rows(who.number)
    validation = []
    for rows in (develop := np.atleast_2d(np.asarray(mask("develop", develop), bool))):
        if (events := int(event[rows].sum())) < 2:
            raise InputError(f"{events} events in {rows.sum()} patients; needs at least 2")
        parts = min(PARTS, events)
        dealt = early_stopping_parts(event, rows, parts=parts, seed=seed, strata=strata)
        validation.append(dealt[np.arange(PARTS) % parts])
    validation, zero = np.stack(validation), np.zeros(len(develop), int)
    train, test = develop[:, None] & ~validation, np.zeros_like(develop)
    return Splits(train, validation, test, zero, np.arange(len(develop)), "three-way")


@read_arguments
def single_split(
    event: Any, eligible: Any = None, *, n_validation: int = 127, seed: int = 0
) -> Splits:
    """One two-way split: ``n_validation`` eligible rows, stratified by event; the rest trains.

    MO-RiskVAE's protocol: 127 of the complete patients stop the training *and* give the score, all
    1,016 others train. One such C-index has a standard error near 0.04.

    Args:
        event: ``[n]``, 1 = observed, 0 = censored.
        eligible: ``[n]`` booleans, the rows to draw from (all by default).
        n_validation: number of rows drawn.
        seed: seed of NumPy's generator.

    Raises:
        InputError: too few eligible rows, or a part without an event.
    """
    event, eligible = event_and_rows(event, eligible)
    rows = np.flatnonzero(eligible)
    if not 0 < n_validation < min(len(rows) + 1, event.size):
        raise InputError(
            f"n_validation = {n_validation} of {len(rows)} eligible patients (of {event.size}): it "
            "must be at least 1, at most the eligible patients, and leave some to train"
        )
    drawn = _draw(np.random.default_rng(seed), event, rows, n_validation)[None]
    zero, parts = np.zeros(1, int), drawn[None]
    splits = Splits(~parts, parts, drawn, repeat=zero, fold=zero, protocol="two-way")
    return check_parts(splits, event, "make more rows eligible or change n_validation")
