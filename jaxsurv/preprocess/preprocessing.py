"""Fitted preprocessing that is kept with a model, so that new patients are read as the training ones were."""

import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from jaxsurv.data import DataWarning
from jaxsurv.preprocess.encode import encode_table, encoded_columns
from jaxsurv.preprocess.scale import Scaler, transform
from jaxsurv.preprocess.schema import Schema
from jaxsurv.types import InputError

FORMAT = 1


class Standardised(NamedTuple):
    """What a network reads.

    Attributes:
        patients: ``n`` names, in the order of the rows.
        inputs: modality to ``[n, k]``, 0 where missing.
        presence: modality to ``[n]``, 1 where the patient has it.
    """

    patients: tuple[str, ...]
    inputs: dict[str, np.ndarray]
    presence: dict[str, np.ndarray]


@dataclass(frozen=True)
class Preprocessing:
    """Encode, clip, standardise and project new tables with what was fitted on training rows.

    Attributes:
        schema: modalities, features and categories of the training cohort.
        scaler: of the encoded columns, all modalities beside each other.
        projection: modality to ``[columns, components]``; others enter feature by feature.
    """

    schema: Schema
    scaler: Scaler
    projection: Mapping[str, np.ndarray]

    @property
    def columns(self) -> dict[str, slice]:
        """Modality to its slice of the encoded columns."""
        widths = [len(encoded_columns(self.schema, m)) for m in self.schema.features]
        ends = np.cumsum(widths)
        slices = (slice(int(e - w), int(e)) for w, e in zip(widths, ends, strict=True))
        return dict(zip(self.schema.features, slices, strict=True))

    @property
    def needed(self) -> dict[str, set[str]]:
        """Modality to the features that change what a network reads."""
        needed = {}
        for m, columns in self.columns.items():
            used = np.asarray(self.scaler.gain[columns]) != 0
            if m in self.projection:
                used &= np.any(self.projection[m] != 0, axis=1)
            owners = encoded_columns(self.schema, m)
            needed[m] = {f for f, u in zip(owners, used, strict=True) if u}
        return needed

    def apply(self, tables: Mapping[str, pd.DataFrame]) -> Standardised:
        """The arrays of new patients: all who are in at least one table, in order of appearance.

        Args:
            tables: modality to ``[patients who have it, features]``; columns in any order. A patient
                with a value in any column that the training table had, has the modality.

        Raises:
            InputError: see :meth:`Schema.conform`: features that are missing are listed.

        Warns:
            DataWarning: two tables share no patient; most values of a modality are far from those in
                training, as in another unit or without the logarithm.
        """
        given = self.schema.conform(tables, self.needed)
        patients = pd.Index([]).append([t.index for t in given.values()]).unique()
        if not len(patients):
            raise InputError("no patient has a single value; check the tables")
        _warn_of_strangers(given)
        inputs, presence = {}, {}
        for m, columns in self.columns.items():
            x = np.full((len(patients), columns.stop - columns.start), np.nan, np.float32)
            presence[m] = np.zeros(len(patients), np.float32)
            if m in given:
                rows = patients.get_indexer(given[m].index)
                x[rows] = encode_table(self.schema, m, given[m]).to_numpy(np.float32)
                presence[m][rows] = 1
            scaler = Scaler(*(np.asarray(a[columns]) for a in self.scaler))
            _warn_of_scale(m, scaler, x)
            z = np.asarray(transform(scaler, x))
            inputs[m] = z @ self.projection[m] if m in self.projection else z
        return Standardised(tuple(patients), inputs, presence)

    def save(self, path: str | os.PathLike) -> None:
        """Write one ``.npz`` file of numbers and names; nothing in it is executed on loading."""
        header = json.dumps({"format": FORMAT, "schema": asdict(self.schema)})
        arrays = {f"scaler/{name}": np.asarray(a) for name, a in self.scaler._asdict().items()}
        arrays |= {f"projection/{m}": np.asarray(p) for m, p in self.projection.items()}
        with open(path, "wb") as file:
            np.savez(file, header=np.frombuffer(header.encode(), np.uint8), **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Preprocessing":
        """Read what `save` wrote.

        Raises:
            InputError: another kind of file, or one of a newer format.
        """
        try:
            with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
                arrays = dict(file)
            header = json.loads(arrays.pop("header").tobytes())
            found, schema = header["format"], header["schema"]
        except (ValueError, KeyError, TypeError, EOFError, OSError, BadZipFile) as problem:
            raise InputError(f"{path} is not a saved preprocessing: {problem}") from problem
        if found != FORMAT:
            raise InputError(f"{path} has format {found}, this version of jaxsurv reads {FORMAT}")
        lists = {m: tuple(names) for m, names in schema["features"].items()}
        categories = {
            m: {c: tuple(values) for c, values in columns.items()}
            for m, columns in schema["categories"].items()
        }
        prefix = "projection/"
        return cls(
            Schema(schema["kinds"], lists, categories),
            Scaler(*(arrays[f"scaler/{name}"] for name in Scaler._fields)),
            {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)},
        )


def _warn_of_strangers(tables: Mapping[str, pd.DataFrame]) -> None:
    for one, other in combinations(tables, 2):
        a, b = tables[one].index, tables[other].index
        if min(len(a), len(b)) > 1 and not a.isin(b).any():
            warnings.warn(
                f"{one!r} and {other!r} have no patient in common ({a[0]!r}, {b[0]!r}, ...): are they "
                "named alike?",
                DataWarning,
                stacklevel=3,
            )


def _warn_of_scale(m: str, scaler: Scaler, x: np.ndarray) -> None:
    """In training far fewer than a quarter of the values lie beyond Tukey's far-out fences."""
    fenced = np.isfinite(scaler.lower) & (scaler.gain != 0)
    values = x[:, fenced]
    outside = (values < scaler.lower[fenced]) | (values > scaler.upper[fenced])
    known = np.isfinite(values).sum()
    if outside.sum() > known / 4:
        warnings.warn(
            f"modality {m!r}: {outside.sum()} of {known} measured values lie far outside those of the "
            "training patients; check unit, logarithm and normalisation",
            DataWarning,
            stacklevel=3,
        )
