"""New patients as the members of a fitted model read them; training and prediction both use this."""

from typing import NamedTuple, Self

import numpy as np
import pandas as pd

from jaxsurv.data.tables import few, warn
from jaxsurv.estimators.inputs import Patients
from jaxsurv.preprocess import EncodedRows, Preprocessing
from jaxsurv.recipe.members import Rows, Terms
from jaxsurv.types import InputError


class Readings(NamedTuple):
    """Members of a model and the modalities that they read.

    Attributes:
        plain: names of the modalities of which Cox models read every scaled feature.
        squared: names of those of which they also read squares.
        members: name of each member with a positive weight to its modalities; None = all (a network).
    """

    plain: tuple[str, ...]
    squared: tuple[str, ...]
    members: dict[str, tuple[str, ...] | None]

    @classmethod
    def of(cls, terms: Terms) -> Self:
        """The readings of a model with these terms."""
        models = [*terms.cox.values(), *([terms.offset] if terms.offset is not None else [])]
        plain = dict.fromkeys(m for model in models for m in model.modalities)
        squared = dict.fromkeys(m for model in models for m in model.squares)
        members: dict[str, tuple[str, ...] | None] = {
            name: model.modalities
            for name, model in terms.cox.items()
            if np.any(np.asarray(terms.weights[name]) > 0)
        }
        if terms.network is not None:
            members["network"] = None
        return cls(tuple(plain), tuple(squared), members)


def read_patients_of(
    preprocessing: Preprocessing, patients: Patients, reads: Readings
) -> EncodedRows:
    """Encoded tables of ``patients``, in their order.

    Raises:
        InputError: see :meth:`Preprocessing.read`; no member reads any of the given modalities.

    Warns:
        DataWarning: patients without any modality; members that read none of the given modalities.
    """
    _check_members(patients, reads)
    made = preprocessing.read(patients.tables, reads.plain)
    rows = pd.Index(made.patients).get_indexer(patients.names)
    if len(absent := patients.names[rows < 0]):
        warn(
            f"{len(absent)} of {len(patients.names)} patients have no modality at all: {few(absent)}; all "
            "of them get one risk",
        )
    if np.array_equal(rows, np.arange(len(rows))):  # no copy of many patients
        return made
    there = rows >= 0
    return EncodedRows(
        tuple(patients.names),
        np.where(there[:, None], made.x[rows], np.nan).astype(np.float32),
        {m: (p[rows] * there).astype(np.float32) for m, p in made.presence.items()},
    )


def rows_of(
    preprocessing: Preprocessing, encoded: EncodedRows, reads: Readings, *, project: bool = True
) -> Rows:
    """Arrays of patients who are encoded.

    Args:
        preprocessing: fitted.
        encoded: patients.
        reads: inputs that the members read.
        project: see :meth:`Preprocessing.inputs`.
    """
    made, z, observed = preprocessing.inputs(encoded, project=project), {}, {}
    if reads.plain:
        scaled, columns = preprocessing.scaled(encoded), preprocessing.columns
        z = {m: scaled[m] for m in reads.plain}
        observed = {m: ~np.isnan(encoded.x[:, columns[m]]) for m in reads.squared}
    return Rows(made.inputs, made.presence, z, observed)


def _check_members(patients: Patients, reads: Readings) -> None:
    given = {m for m, table in patients.tables.items() if len(table)}
    unable = [
        name
        for name, needed in reads.members.items()
        if needed is not None and not given & set(needed)
    ]
    if not unable or not given:  # tables without rows are refused when they are read
        return
    if len(unable) == len(reads.members):
        raise InputError(
            f"no member of the model can score these patients: they have {few(sorted(given))}, and "
            f"{few(unable)} read other modalities; give a table that the model was trained on"
        )
    able = [name for name in reads.members if name not in unable]
    warn(
        f"the members {few(unable)} cannot score these patients, who lack the modalities; the risks are "
        f"those of {few(able)}",
    )
