"""A trained image model with all that new patients need; it holds no patient's image."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import jax
import numpy as np

from jaxsurv.estimators.images import image_batch, patterns_of
from jaxsurv.metrics import (
    IntervalCalibration,
    Predictive,
    calibrated_scale,
    prediction_interval,
    predictive,
)
from jaxsurv.models import ArrayBatch, InVAConfig, drawn_prediction
from jaxsurv.preprocess import ImageScaler
from jaxsurv.types import ArrayLike, InputError, Key, Params


@dataclass(frozen=True)
class FittedImages:
    """InVA and its preprocessing; images in, images and their intervals out.

    Attributes:
        config: static choices.
        draws, seed: number of posterior draws, and seed, of all predictions; the calibration holds for
            these only.
        params: parameters of the network.
        scalers: image to its scaler, fitted to the training patients.
        outcome_scaler: scaler of the outcome, fitted to the training patients.
        patterns: sets of images that some held-out patient had, names sorted.
        calibration: calibration of the intervals, in the standardised outcome's unit.
        patients: number of patients used for fitting, held-out ones included.
        held_out: number of those who stopped the training and calibrate the intervals.
    """

    config: InVAConfig
    draws: int
    seed: int
    params: Params
    scalers: Mapping[str, ImageScaler]
    outcome_scaler: ImageScaler
    patterns: frozenset[tuple[str, ...]]
    calibration: IntervalCalibration
    patients: int
    held_out: int

    def predict(self, images: Mapping[str, ArrayLike]) -> np.ndarray:
        """``[n, *shape]``, in the outcome's unit."""
        predicted = self._predictive(self._read(images))
        return np.asarray(self.outcome_scaler.restore(predicted.mean))

    def interval(
        self, images: Mapping[str, ArrayLike], level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """``lower, upper``, each ``[n, *shape]``; refuses sets of images that no held-out patient had."""
        batch = self._read(images)
        for i, pattern in enumerate(patterns_of(batch)):
            if pattern not in self.patterns:
                raise InputError(
                    f"patient {i} (counted from 0) has only {list(pattern)}, which no held-out patient "
                    "had: nothing calibrates an interval for such patients"
                )
        scale = calibrated_scale(self.calibration, level=level)
        bounds = prediction_interval(self._predictive(batch), scale)
        lower, upper = (np.asarray(self.outcome_scaler.restore(b)) for b in bounds)
        return lower, upper

    def _read(self, images: Mapping[str, ArrayLike]) -> ArrayBatch:
        return image_batch(self.scalers, self.outcome_scaler, images)

    def _predictive(self, batch: ArrayBatch) -> Predictive:
        key = jax.random.key(self.seed)
        return compiled_predictive(self.params, batch, key, self.config, self.draws)


def posterior_predictive(
    params: Params, batch: ArrayBatch, key: Key, config: InVAConfig, draws: int
) -> Predictive:
    """Mean and variance over ``draws`` of the posterior; one draw where all would be alike."""
    one = partial(drawn_prediction(config), params, batch)
    return predictive(one, key, draws if config.deep else 1)


compiled_predictive = jax.jit(posterior_predictive, static_argnames=("config", "draws"))
