"""Fitted preprocessing that is kept with a model, so that new patients are read as the training ones were."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data.identifiers import patient_part
from jaxsurv.data.names import check_patients, shown, spellings
from jaxsurv.data.tables import few, warn, warn_of
from jaxsurv.preprocess._encode import encode_table, encoded_columns
from jaxsurv.preprocess.imputation import Imputation, impute_missing
from jaxsurv.preprocess.scale import Scaler, transform
from jaxsurv.preprocess.schema import Schema
from jaxsurv.types import InputError

ENOUGH_OUTSIDE = 10  # values of one feature beyond its fences that are no few odd patients


class Standardised(NamedTuple):
    """Input of a network.

    Attributes:
        patients: ``n`` names, in the order of the rows.
        inputs: modality to ``[n, k]``, 0 where missing.
        presence: modality to ``[n]``, 1 where the patient has it or it was imputed, 0 for everybody where
            no feature of it is in use.
    """

    patients: tuple[str, ...]
    inputs: dict[str, np.ndarray]
    presence: dict[str, np.ndarray]


class EncodedRows(NamedTuple):
    """Patients as numbers, before anything fitted is applied.

    Attributes:
        patients: ``n`` names, in the order of the rows.
        x: ``[n, d]`` encoded columns, NaN where missing.
        presence: modality to ``[n]``, 1 where the patient has it.
    """

    patients: tuple[str, ...]
    x: np.ndarray
    presence: dict[str, np.ndarray]


@dataclass(frozen=True)
class Preprocessing:
    """Encode, clip, standardise and project new tables with what was fitted on training rows.

    Attributes:
        schema: modalities, features and categories of the training cohort.
        scaler: scaler of the encoded columns, all modalities beside each other.
        projection: modality to ``[columns, components]``; others enter feature by feature.
        chosen: modality to ``[k]``, the columns of it that enter; of others all do.
        imputation: fitted imputation; None = the network is told what is missing.
        selected: ``[d]`` booleans, the encoded columns that networks read; None = all.
        hides_unread: whether a modality without a feature in use is absent for everybody, as networks
            are trained now; files of format 1 told them who has it.
    """

    schema: Schema
    scaler: Scaler
    projection: Mapping[str, np.ndarray]
    chosen: Mapping[str, np.ndarray]
    imputation: Imputation | None = None
    selected: np.ndarray | None = None
    hides_unread: bool = True

    @property
    def gain(self) -> np.ndarray:
        """``[d]`` gains of the columns that networks read, 0 for all others."""
        gain = np.asarray(self.scaler.gain)
        return gain if self.selected is None else gain * self.selected

    @property
    def columns(self) -> dict[str, slice]:
        """Modality to its slice of the encoded columns."""
        widths = [len(encoded_columns(self.schema, m)) for m in self.schema.features]
        ends = np.cumsum(widths)
        slices = (slice(int(e - w), int(e)) for w, e in zip(widths, ends, strict=True))
        return dict(zip(self.schema.features, slices, strict=True))

    def features_read(self, plain: Collection[str] = ()) -> dict[str, set[str]]:
        """Modality to the features that change what a model reads.

        Args:
            plain: modalities of which Cox models read every scaled feature.
        """
        needed = {}
        for m, columns in self.columns.items():
            used = np.asarray(self.scaler.gain if m in plain else self.gain)[columns] != 0
            if m in self.projection and m not in plain:
                used &= np.any(self.projection[m] != 0, axis=1)
            owners = encoded_columns(self.schema, m)
            needed[m] = {f for f, u in zip(owners, used, strict=True) if u}
        return needed

    def apply(self, tables: Mapping[str, pd.DataFrame]) -> Standardised:
        """The arrays of new patients as a network reads them; see `read`."""
        return self.inputs(self.read(tables))

    def read(self, tables: Mapping[str, pd.DataFrame], plain: Collection[str] = ()) -> EncodedRows:
        """New patients, encoded: all who are in at least one table, in order of appearance.

        Args:
            tables: modality to ``[patients who have it, features]``; columns in any order. A patient
                with a value in any column that the training table had, has the modality.
            plain: modalities of which Cox models read every scaled feature.

        Raises:
            InputError: see :meth:`Schema.conform`: features that are missing are listed; two names of
                one TCGA patient, or in two tables names that differ by spelling alone.

        Warns:
            DataWarning: nobody has a modality; two tables share no patient; many values of a modality, or
                most of a feature, are far from those in training, as in another unit or without the
                logarithm; a category that only rows left out of training had (``fit(where=)``).
        """
        needed = self.features_read(plain)
        given = self.schema.conform(tables, needed)
        self._warn_of_categories(given, needed)
        patients = pd.Index([]).append([t.index for t in given.values()]).unique()
        if not len(patients):
            raise InputError("no patient has a single value; check the tables")
        if samples := spellings(patients, patient_part):
            raise InputError(
                f"{shown(samples)} are names of one patient; give each patient one name and one sample"
            )
        check_patients({repr(m): t.index for m, t in given.items()})
        _warn_of_strangers(given)
        flags = not self.hides_unread and self.imputation is None
        _warn_of_absence([m for m in needed if needed[m] or flags], given, len(patients))
        columns, presence = self.columns, {}
        x = np.full((len(patients), len(self.scaler.gain)), np.nan, np.float32)
        for m in columns:
            presence[m] = np.zeros(len(patients), np.float32)
            if m in given:
                rows = patients.get_indexer(given[m].index)
                x[rows, columns[m]] = encode_table(self.schema, m, given[m]).to_numpy(np.float32)
                presence[m][rows] = 1
        _warn_of_scales(columns, self.scaler, x, self.schema)
        return EncodedRows(tuple(patients), x, presence)

    def _warn_of_categories(
        self, tables: Mapping[str, pd.DataFrame], needed: Mapping[str, Collection[str]]
    ) -> None:
        """Warn of categories that the schema has from rows under no mask of training."""
        found, means = {}, np.asarray(self.scaler.center)
        for m, table in tables.items():
            own, columns = means[self.columns[m]], np.array(encoded_columns(self.schema, m), object)
            for name, categories in self.schema.categories[m].items():
                if name not in needed[m] or len(categories) < 3:  # a constant column is not read
                    continue
                share = own[columns == name][: len(categories)]
                new = [c for c, s in zip(categories, share, strict=True) if c and s == 0]
                if len(who := table.index[table[name].isin(new)]):
                    found[m, name] = (
                        f"{table[name][who[0]]!r} in column {name!r} of {m!r}, patient {who[0]!r}"
                        + f" and {len(who) - 1} more" * (len(who) > 1)
                    )
        warn_of({"categories that no row of the fit had, read as none of the others": found})

    def scaled(self, rows: EncodedRows) -> dict[str, np.ndarray]:
        """Modality to ``[n, columns]``: z-scores of the values as measured, as Cox models read them."""
        z = np.asarray(transform(self.scaler, rows.x))
        return {m: z[:, c] for m, c in self.columns.items()}

    def inputs(self, rows: EncodedRows, *, project: bool = True) -> Standardised:
        """Patients as a network reads them.

        Args:
            rows: see `read`.
            project: False: before selected columns are taken out and projected.
        """
        x, presence = rows.x, rows.presence
        if self.imputation is not None:
            x = impute_missing(self.imputation, x, presence)
            presence = {m: np.ones_like(there) for m, there in presence.items()}
        gain, columns = self.gain, self.columns
        if self.hides_unread:
            presence = {m: there * np.any(gain[columns[m]] != 0) for m, there in presence.items()}
        z = np.asarray(transform(self.scaler._replace(gain=gain), x))
        parts = {m: z[:, c] for m, c in columns.items()}
        return Standardised(rows.patients, self.project(parts) if project else parts, presence)

    def project(self, z: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Project standardised columns to the input of a network, modality to ``[n, columns]``."""
        inputs = {**z, **{m: z[m][:, columns] for m, columns in self.chosen.items()}}
        return inputs | {m: inputs[m] @ projection for m, projection in self.projection.items()}


def _warn_of_strangers(tables: Mapping[str, pd.DataFrame]) -> None:
    for one, other in combinations(tables, 2):
        a, b = tables[one].index, tables[other].index
        if min(len(a), len(b)) > 1 and not a.isin(b).any():
            warn(
                f"{one!r} and {other!r} have no patient in common ({a[0]!r}, {b[0]!r}, ...): are they "
                "named alike?",
            )


def _warn_of_absence(read: list[str], given: Any, n: int) -> None:
    absent = [m for m in read if not len(given.get(m, ()))]
    if absent and n > 1:
        warn(
            f"none of the {n} patients has {few(absent)}, which the model reads: their risks rest on what "
            "else they have; check the names of the tables",
        )


def _warn_of_scales(
    columns: Mapping[str, slice], scaler: Scaler, x: np.ndarray, schema: Schema
) -> None:
    """Warn of other scales: in training far fewer than 1/4 of the values pass Tukey's far-out fences."""
    fenced = np.isfinite(scaler.lower) & (scaler.gain != 0)
    for m, c in columns.items():
        values = x[:, c]  # all columns: those with fences would be a copy
        beyond = (values < scaler.lower[c]) | (values > scaler.upper[c])
        outside = np.count_nonzero(beyond, axis=0) * fenced[c]
        known = np.count_nonzero(np.isfinite(values), axis=0) * fenced[c]
        most = (outside > known / 2) & (outside >= ENOUGH_OUTSIDE)
        if outside.sum() > known.sum() / 4:
            where = ""
        elif most.any():
            names = np.array(encoded_columns(schema, m), dtype=object)
            where, outside, known = f" of {few(names[most])}", outside[most], known[most]
        else:
            continue
        warn(
            f"modality {m!r}: {outside.sum()} of {known.sum()} measured values{where} lie far outside those "
            "of the training patients; check unit, logarithm and normalisation",
        )
