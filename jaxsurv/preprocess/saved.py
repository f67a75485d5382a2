"""Preprocessing as entries and arrays of a model file, and back."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from jaxsurv.preprocess.conditional_gaussian import ConditionalGaussian, Regression
from jaxsurv.preprocess.imputation import Imputation
from jaxsurv.preprocess.preprocessing import Preprocessing
from jaxsurv.preprocess.round_robin import RoundRobin
from jaxsurv.preprocess.scale import Scaler
from jaxsurv.preprocess.schema import Schema

FORMAT = 2  # 1 told networks who has a modality of which they read no feature


def pack(fitted: Preprocessing) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Split a fitted preprocessing into a part for JSON, and arrays by name."""
    form = FORMAT if fitted.hides_unread else 1
    header: dict[str, Any] = {"format": form, "schema": asdict(fitted.schema)}
    arrays = _named("scaler", fitted.scaler._asdict())
    arrays |= _named("projection", fitted.projection) | _named("chosen", fitted.chosen)
    if fitted.selected is not None:
        arrays["selected"] = np.asarray(fitted.selected)
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
    # files of earlier versions have no indicators, shifts or orders
    indicators = {m: tuple(names) for m, names in schema.get("indicators", {}).items()}
    shifts = {
        m: {c: (float(origin), float(unit)) for c, (origin, unit) in columns.items()}
        for m, columns in schema.get("shifts", {}).items()
    }
    orders = {
        m: {c: {k: float(r) for k, r in ranks.items()} for c, ranks in columns.items()}
        for m, columns in schema.get("orders", {}).items()
    }
    fitted = Preprocessing(
        Schema(schema["kinds"], features, categories, indicators, shifts, orders),
        Scaler(**_below("scaler", arrays)),
        _below("projection", arrays),
        _below("chosen", arrays),
        selected=arrays.get("selected"),
        hides_unread=header["format"] > 1,
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
        scaler = fitted.scaler._replace(gain=fitted.gain)
        model = ConditionalGaussian(scaler, fitted.columns, patterns, regressions)
    imputation = Imputation(model, arrays["imputed"])
    return replace(fitted, imputation=imputation)


def _named(prefix: str, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {f"{prefix}/{name}": np.asarray(a) for name, a in arrays.items()}


def _below(prefix: str, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    start = f"{prefix}/"
    return {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}
