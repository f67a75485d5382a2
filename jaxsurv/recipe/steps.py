"""Selection, imputation and projection, each fitted to the development rows of every split."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxsurv.models import CLINICAL
from jaxsurv.preprocess import (
    fit_projection,
    impute_missing,
    select_by_elastic_net,
    select_by_variance,
    selection_stability,
)
from jaxsurv.recipe.devices import each_split
from jaxsurv.recipe.prepared import Prepared, Split


def _stacked(data: Prepared, fit: Callable[[Split], np.ndarray]) -> np.ndarray:
    def one(s: int) -> np.ndarray:
        return fit(jax.tree.map(lambda x: x[s], data.fitted))

    return np.stack(each_split(one, len(data.splits.fold)))


def _omics(data: Prepared) -> dict[str, slice]:
    return {m: c for m, c in data.encoded.columns.items() if m != CLINICAL}


def select(data: Prepared) -> Prepared:
    """The data with the features of ``data.recipe.select``; clinical ones are all kept."""
    features, modalities, recipe = data.shared.features, _omics(data), data.recipe
    presence, outcome = data.encoded.presence, data.outcome

    def fit(split: Split) -> np.ndarray:
        where = np.asarray(split.develop)
        if recipe.select == "variance":
            return select_by_variance(features, split.scaler, modalities, where, k=recipe.top)
        return select_by_elastic_net(
            features, split.scaler, modalities, presence, outcome.event, outcome.time, where,
            entry=outcome.entry, strata=outcome.stratum,
        )  # fmt: skip

    selected = _stacked(data, fit)
    used, chosen = selected & (np.asarray(data.fitted.scaler.gain) > 0), {}
    for m, columns in modalities.items():
        own = used[:, columns]
        # a size known beforehand: what another split selects depends on the test rows of this one
        most = min(recipe.top, own.shape[1]) if recipe.select == "variance" else own.shape[1]
        chosen[m] = np.argsort(~own, axis=1, kind="stable")[:, :most].astype(np.int32)
    return replace(data, fitted=data.fitted._replace(selected=selected, chosen=chosen))  # type: ignore[arg-type]


def impute(data: Prepared) -> Prepared:
    """The data with missing values filled in as ``data.recipe.impute`` says."""
    rows, encoded = np.asarray(data.shared.incomplete), data.encoded

    def fill(split: Split) -> np.ndarray:
        return impute_missing(data.imputation(split), encoded.x, encoded.presence)[rows]

    filled = _stacked(data, fill)
    return replace(data, fitted=data.fitted._replace(imputed=filled))  # type: ignore[arg-type]


def project(data: Prepared, components: int) -> Prepared:
    """The data with each wider modality, except the clinical one, as so many principal components."""
    wide = [m for m, c in _omics(data).items() if c.stop - c.start > components]
    projection: dict[str, Any] = {m: [] for m in wide}
    for split, z in data.standardised_splits():
        for m in wide:
            rows = np.asarray(split.develop) & (data.encoded.presence[m] > 0)
            projection[m].append(fit_projection(z[m][rows], components))
    stacked = {m: np.stack(p) for m, p in projection.items()}
    return replace(data, fitted=data.fitted._replace(projection=stacked))


def selection_table(data: Prepared) -> pd.DataFrame:
    """Selected features: one row per feature, with the stability of its modality's selection.

    ``frequency`` is the share of splits that use the feature; ``stability``, ``lower`` and ``upper`` are
    of :func:`jaxsurv.preprocess.selection_stability`, ``selected`` the mean number, over the modality.

    Args:
        data: the patients under some splits, with features selected.
    """
    used = np.asarray(data.fitted.scaler.gain) > 0
    if data.fitted.selected is not None:
        used = used & np.asarray(data.fitted.selected)
    tables = []
    for m, columns in _omics(data).items():
        found = selection_stability(used[:, columns])
        table = {
            "modality": m,
            "feature": data.encoded.names[columns],
            "frequency": found.frequency,
            "selected": found.size,
            "stability": found.index,
            "lower": found.lower,
            "upper": found.upper,
        }
        tables.append(pd.DataFrame(table).sort_values("frequency", ascending=False, kind="stable"))
    return pd.concat(tables, ignore_index=True)
