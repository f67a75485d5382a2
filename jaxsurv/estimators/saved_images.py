"""The image estimator as what model files hold, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypedDict

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.artifacts import StoredModel
from jaxsurv.data.tables import few
from jaxsurv.estimators.file_entries import (
    MOST_LISTED,
    check_entries,
    differing,
    longest_list,
    named,
    structured,
    tuples,
)
from jaxsurv.estimators.fitted_images import FittedImages, posterior_predictive
from jaxsurv.estimators.images import image_batch
from jaxsurv.metrics import IntervalCalibration
from jaxsurv.models import InVAConfig, InVAHParams, inva
from jaxsurv.preprocess import ImageScaler
from jaxsurv.types import InputError

MOST_DRAWS = 10_000  # of a prediction, each a pass through the network


class _TrainingEntry(TypedDict):
    patients: int
    held_out: int


class _Entries(TypedDict):
    config: InVAConfig
    hparams: InVAHParams
    images: Mapping[str, Sequence[int]]
    outcome: Sequence[int]
    patterns: Sequence[Sequence[str]]
    training: _TrainingEntry


_VARIANCE, _RATIOS = "calibration/residual_variance", "calibration/ratios"


def write_images(fitted: FittedImages, settings: Mapping[str, Any]) -> StoredModel:
    """The fitted model in entries and arrays; ``settings`` are the parameters of its estimator."""
    settings = dict(settings)
    config, hparams = settings.pop("config"), settings.pop("hparams")
    entries = {
        "settings": settings,
        "config": asdict(config),
        "hparams": hparams._asdict(),
        "images": {m: s.center.shape for m, s in fitted.scalers.items()},
        "outcome": fitted.outcome_scaler.center.shape,
        "patterns": sorted(fitted.patterns),
        "training": {"patients": fitted.patients, "held_out": fitted.held_out},
    }
    scalers = {_input(m): s for m, s in fitted.scalers.items()}
    scalers["outcome"] = fitted.outcome_scaler
    arrays = {f"{k}/{part}": v for k, s in scalers.items() for part, v in s._asdict().items()}
    arrays[_VARIANCE] = fitted.calibration.residual_variance
    arrays[_RATIOS] = fitted.calibration.ratios
    return StoredModel(
        entries, named(fitted.params), {name: np.asarray(a) for name, a in arrays.items()}
    )


def read_images(stored: StoredModel) -> tuple[FittedImages, dict[str, Any]]:
    """The fitted model and the parameters of its estimator; refuses parts that do not fit each other."""
    entries, arrays = stored.entries, stored.preprocessing
    check_entries(entries, _Entries, "manifest")
    if (longest := longest_list(entries["config"])) > MOST_LISTED:
        raise InputError(f"the config has a list of {longest}; the most is {MOST_LISTED}")
    config = InVAConfig(**tuples(entries["config"]))
    hparams = InVAHParams(**entries["hparams"])
    settings = {"config": config, "hparams": hparams, **entries["settings"]}
    draws, random_state = (int(settings[k]) for k in ("draws", "random_state"))
    if not 1 <= draws <= MOST_DRAWS:
        raise InputError(f"draws must be at least 1, got {draws}; the most is {MOST_DRAWS}")
    shapes = {_input(m): shape for m, shape in tuples(entries["images"]).items()}
    shapes["outcome"] = tuples(entries["outcome"])
    patients, held_out = (entries["training"][k] for k in ("patients", "held_out"))
    if not 0 < held_out < patients:
        raise InputError(f"{held_out} of {patients} patients held out is not possible")
    _check_arrays(arrays, shapes, held_out)
    scalers = {m: _scaler(arrays, _input(m)) for m in entries["images"]}
    outcome_scaler = _scaler(arrays, "outcome")
    patterns = frozenset(tuples(entries["patterns"]))
    if unknown := sorted({m for pattern in patterns for m in pattern} - set(scalers)):
        raise InputError(f"patterns with images {unknown}, the model reads {sorted(scalers)}")

    someone = image_batch(
        scalers, outcome_scaler, {m: np.zeros((1, *s.center.shape)) for m, s in scalers.items()}
    )
    key = jax.random.key(random_state)
    params = structured(stored.weights, jax.eval_shape(inva(config).init, key, someone))
    predict = partial(posterior_predictive, config=config, draws=draws)
    jax.eval_shape(predict, params, someone, key)  # what would fail later fails here
    return FittedImages(
        config, draws, random_state, params, scalers, outcome_scaler, patterns,
        IntervalCalibration(
            jnp.asarray(arrays[_VARIANCE]), jnp.asarray(arrays[_RATIOS]), len(arrays[_RATIOS])
        ),
        patients=patients, held_out=held_out,
    ), settings  # fmt: skip


def _input(image: str) -> str:
    return f"inputs/{image}"


def _scaler(arrays: Mapping[str, np.ndarray], name: str) -> ImageScaler:
    return ImageScaler(*(jnp.asarray(arrays[f"{name}/{part}"]) for part in ImageScaler._fields))


def _check_arrays(
    arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], held_out: int
) -> None:
    wanted = {_VARIANCE: shapes["outcome"]}
    for name, shape in shapes.items():
        wanted |= {f"{name}/center": shape, f"{name}/scale": (), f"{name}/mask": shape}
    inside = int(np.sum(arrays["outcome/mask"] > 0)) if "outcome/mask" in arrays else 0
    wanted[_RATIOS] = (held_out * inside,)
    found = {name: a.shape for name, a in arrays.items() if a.dtype == np.float32}
    if wrong := differing(found, wanted):
        raise InputError(f"the preprocessing {few(wrong)} does not fit images and patients")
    for name in shapes:
        if not 0 < (scale := arrays[f"{name}/scale"]) < np.inf:
            raise InputError(f"the preprocessing '{name}/scale' must be positive, got {scale}")
    ratios = arrays[_RATIOS]
    ascending = ratios.size and ratios[0] >= 0 and np.all(ratios[1:] >= ratios[:-1])
    if not ascending or np.any(arrays[_VARIANCE] < 0):
        raise InputError(
            "the calibration must be variances that are not negative and ratios that ascend from 0"
        )
