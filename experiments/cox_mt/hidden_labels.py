"""Labels hidden from part of a cohort, so that the use of unlabelled patients can be measured on it."""

from dataclasses import replace

import numpy as np

from jaxsurv.recipe import Prepared, risk_sets_of
from jaxsurv.types import InputError


def hide_labels(data: Prepared, *, labelled: float, unlabelled: float, seed: int = 0) -> Prepared:
    """Data in which a share of each split's development rows keeps its outcome and another loses it.

    Patients who had no outcome before have no role, so that ``unlabelled`` says it all.

    Test rows stay as they are. Which rows keep their outcome depends on ``seed`` and ``labelled`` alone,
    in the same share of events and of every early-stopping part; of the rows whose outcome is
    hidden, a smaller ``unlabelled`` takes some of those that a larger one takes. Rows with neither
    have no role. Scaling and selection stay those of all development rows.

    Args:
        data: patients under some splits, without an offset, which was fitted to the outcomes to be hidden.
        labelled: share of the development rows that keep their outcome, in (0, 1].
        unlabelled: share of the development rows that train without one, at most ``1 - labelled``.
        seed: seed of NumPy's generator.

    Raises:
        InputError: shares out of range, or so small that an early-stopping part is left without an event.
    """
    if not (0 < labelled <= 1 and 0 <= unlabelled <= 1 - labelled + 1e-9):
        raise InputError(
            f"labelled must be in (0, 1] and unlabelled in [0, 1 - labelled], got {labelled:g} and "
            f"{unlabelled:g}"
        )
    if np.any(data.fitted.offset) or data.splits.protocol == "two-way":
        raise InputError("labels can be hidden in three-way studies without an offset only")
    splits, event = data.splits, data.event
    died = event > 0
    kept, used = np.zeros((2, *splits.develop.shape), bool)
    for s in range(len(kept)):
        rng = np.random.default_rng([seed, s])
        hidden = []
        for part in splits.validation[s]:
            for outcome in (died, event == 0):
                rows = rng.permutation(np.flatnonzero(part & outcome))
                count = round(labelled * len(rows))
                if not count and len(rows) and outcome is died:
                    raise InputError(
                        f"labelled = {labelled:g} of the {len(rows)} events of an early-stopping part of "
                        f"split {s} is none; use at least {0.51 / len(rows):.2f}"
                    )
                kept[s, rows[:count]] = True
                hidden.append(rows[count:])
        hidden = rng.permutation(np.concatenate(hidden))
        used[s, hidden[: round(unlabelled * splits.develop[s].sum())]] = True
    splits = splits._replace(
        train=splits.train & kept[:, None], validation=splits.validation & kept[:, None]
    )
    fitted = data.fitted._replace(
        develop=kept,  # type: ignore[arg-type]
        validation=splits.validation,  # type: ignore[arg-type]
        risk_sets=risk_sets_of(data.outcome, kept),
        unlabelled=used if used.any() else None,  # type: ignore[arg-type]
    )
    return replace(data, splits=splits, fitted=fitted)
