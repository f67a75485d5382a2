"""Preprocessing as a file of numbers and names; nothing in it is executed on loading."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from zipfile import BadZipFile

import numpy as np

from jaxsurv.preprocess.conditional_gaussian import ConditionalGaussian, Regression
from jaxsurv.preprocess.imputation import Imputation
from jaxsurv.preprocess.preprocessing import Preprocessing
from jaxsurv.preprocess.round_robin import RoundRobin
from jaxsurv.preprocess.scale import Scaler
from jaxsurv.preprocess.schema import Schema
from jaxsurv.types import InputError

FORMAT = 1


def save_preprocessing(path: str | os.PathLike, fitted: Preprocessing) -> None:
    """Write ``fitted`` as one ``.npz`` file at ``path``."""
    header, arrays = pack(fitted)
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez(file, header=text, **arrays)  # type: ignore[arg-type]


def load_preprocessing(path: str | os.PathLike) -> Preprocessing:
    """Read what `save_preprocessing` wrote at ``path``.

    Raises:
        InputError: another kind of file, or one of a newer format.
    """
    try:
        with open(path, "rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = dict(file)
        header = json.loads(arrays.pop("header").tobytes())
        if header["format"] != FORMAT:
            raise InputError(
                f"{path} has format {header['format']}, this version of jaxsurv reads {FORMAT}"
            )
        return unpack(header, arrays)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, EOFError, OSError, BadZipFile) as problem:
        raise InputError(f"{path} is not a saved preprocessing: {problem}") from problem


def pack(fitted: Preprocessing) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What can be written as JSON, and arrays by name."""
    header: dict[str, Any] = {"format": FORMAT, "schema": asdict(fitted.schema)}
    arrays = _named("scaler", fitted.scaler._asdict())
    arrays |= _named("projection", fitted.projection) | _named("chosen", fitted.chosen)
    if fitted.imputation is not None:
        model, arrays["imputed"] = fitted.imputation
        header["imputation"] = type(model).__name__
        if isinstance(model, RoundRobin):
            rest = model._asdict()
            arrays |= _named("chain", rest.pop("scaler")._asdict() | rest)
        if isinstance(model, ConditionalGaussian):
            header["patterns"] = model.patterns
            header["regressions"] = [(r.present, r.missing) for r in model.regressions]
            for i, r in enumerate(model.regressions):
                arrays |= _named(f"regression{i}", {"coef": r.coef, "intercept": r.intercept})
    return header, arrays


def unpack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Preprocessing:
    """The inverse of `pack`; a KeyError if something is not there."""
    schema = header["schema"]
    features = {m: tuple(names) for m, names in schema["features"].items()}
    categories = {
        m: {c: tuple(values) for c, values in columns.items()}
        for m, columns in schema["categories"].items()
    }
    fitted = Preprocessing(
        Schema(schema["kinds"], features, categories),
        Scaler(**_below("scaler", arrays)),
        _below("projection", arrays),
        _below("chosen", arrays),
    )
    if "imputation" not in header:
        return fitted
    model = None
    if header["imputation"] == RoundRobin.__name__:
        chain = _below("chain", arrays)
        scaler = Scaler(**{name: chain.pop(name) for name in Scaler._fields})
        model = RoundRobin(scaler=scaler, **chain)
    if header["imputation"] == ConditionalGaussian.__name__:
        regressions = tuple(
            Regression(tuple(present), missing, **_below(f"regression{i}", arrays))
            for i, (present, missing) in enumerate(header["regressions"])
        )
        patterns = tuple(tuple(p) for p in header["patterns"])
        model = ConditionalGaussian(fitted.scaler, fitted.columns, patterns, regressions)
    imputation = Imputation(model, arrays["imputed"])
    return replace(fitted, imputation=imputation)


def _named(prefix: str, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": np.asarray(a) for name, a in arrays.items()}


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    start = f"{prefix}/"
    return {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}
