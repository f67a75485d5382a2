"""Prepared data of cohorts of similar size in equal shapes."""

from functools import partial
from typing import Any

import jax
import numpy as np

from jaxsurv.recipe.prepared import Prepared, Shared, Split
from jaxsurv.survival.padding import pad_rows, padded_length


def padded(data: Prepared) -> tuple[Shared, Split]:
    """Shared and fitted arrays as ``data.build`` reads them, with rows at the end that are in no mask.

    Cohorts of similar size then have arrays of equal shape, and share a compiled program.
    """
    n, fitted = len(data.event), data.fitted
    size = padded_length(n)

    def longer(a: Any, axis: int, fill: float = 0, to: int = size) -> np.ndarray:
        a = np.asarray(a)
        more = [(0, to - a.shape[axis] if k == axis else 0) for k in range(a.ndim)]
        return np.pad(a, more, constant_values=fill)

    incomplete = np.zeros(0, int)
    if fitted.imputed is not None:
        few = padded_length(len(data.shared.incomplete))
        incomplete = longer(data.shared.incomplete, 0, size, few)  # a row that is not there
        fitted = fitted._replace(imputed=longer(fitted.imputed, 1, 0, few))
    features = data.shared.features.padded(size)._replace(order=None)
    shared = Shared(
        features,
        {m: longer(p, 0) for m, p in data.shared.presence.items()},
        jax.tree.map(partial(longer, axis=0), data.shared.outcome),
        None,
        incomplete,
    )  # type: ignore[arg-type]
    masks = ("develop", "validation", "offset", "unlabelled")
    columns = {
        k: longer(a, -1 % np.ndim(a)) for k in masks if (a := getattr(fitted, k)) is not None
    }
    return shared, fitted._replace(risk_sets=pad_rows(fitted.risk_sets, size), **columns)
