"""Predictions of a model, written into the AnnData or MuData that its patients came in."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pandas as pd

from jaxsurv.arguments.columns import column
from jaxsurv.data.formats.h5mu import without_pulling
from jaxsurv.types import ArrayLike, InputError


def annotated(
    model: Any,
    data: Any,
    times: ArrayLike = (),
    *,
    name: str = "jaxsurv",
    strata: ArrayLike | None = None,
) -> Any:
    """Copy of an AnnData or MuData with the predictions of a model in ``obs`` and ``obsm``.

    ``obs`` gets the columns of the model's ``risk_table``, each as ``<name>_<column>``: ``jaxsurv_risk``,
    ``jaxsurv_percentile``, ``jaxsurv_survival_365``, ``jaxsurv_group``. ``obsm["X_<name>"]`` holds the latent
    variables of a model that has some, see its ``transform``. What stands under these names is replaced.

    Args:
        model: fitted survival estimator.
        data: patients, read as by its ``predict``: an AnnData is one table of features.
        times: ``[t]`` times of the survival probabilities, in the unit of the training cohort.
        name: prefix of the columns, such as that of the endpoint.
        strata: ``[n]`` labels of the patients, for a model that was fitted in strata; None = unknown.

    Returns:
        the copy; everything else in it is as it was, the outcome of nobody is read.

    Raises:
        InputError: data of another type, or with a patient twice; see ``predict`` of the model.
    """
    if not all(hasattr(data, part) for part in ("obs", "obsm", "obs_names", "copy")):
        raise InputError(f"data must be an AnnData or a MuData, got {type(data).__name__}")
    patients = pd.Index(data.obs_names.astype(str))
    known = {} if strata is None else {"strata": strata}
    table = model.risk_table(data, np.asarray(column("times", times), float), **known)
    if not table.index.equals(patients):  # rows of the copy would get the values of others
        raise InputError("the patients of data must have one name each; make obs_names unique")
    with without_pulling() if hasattr(data, "mod") else nullcontext():
        made = data.copy()
    for key, values in table.items():
        cells = values.to_numpy()
        made.obs[f"{name}_{key}"] = pd.Categorical(cells) if cells.dtype == object else cells
    if hasattr(model, "transform") and model.fitted().has_latents:
        made.obsm[f"X_{name}"] = np.asarray(model.transform(data))
    return made
