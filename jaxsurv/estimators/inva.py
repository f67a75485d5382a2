"""InVA with the face of a scikit-learn regressor, for images as arrays."""

from collections.abc import Mapping
from functools import partial
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator

from jaxsurv.metrics import Predictive, conformal_calibration, prediction_interval, predictive
from jaxsurv.models import ImageBatch, InVAConfig, InVAHParams, inva
from jaxsurv.models.inva import draw
from jaxsurv.preprocess.images import ImageScaler, fit_image_scaler
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import Array, ArrayLike, InputError, Key, Params


class InVA(BaseEstimator):
    """Predict one image of a patient from others, with intervals.

    Images are centred pixel by pixel and put on one scale; a share of the patients is held out of the
    training, stops it and calibrates the intervals. See :func:`jaxsurv.models.inva.inva`.

    Args:
        config: static choices, among them widths and convolutions; the outcome must be an image.
        hparams: weights of the loss, learning rate.
        epochs: most epochs.
        patience: epochs without a better error of the held-out patients after which training stops.
        batch_size: patients per step.
        held_out: share of the patients that trains nothing.
        draws: of the posterior that a prediction averages.
        seed: of the split, the initial weights and all noise.

    Attributes:
        result_: of :func:`jaxsurv.training.fit`, with the training history.

    >>> import numpy as np
    >>> mri = np.random.default_rng(0).normal(size=(30, 4, 4))
    >>> model = InVA(InVAConfig(widths=(8,), shallow=2, deep=2), epochs=2).fit({"mri": mri}, -mri)
    >>> lower, upper = model.predict_interval({"mri": mri}, level=0.9)
    >>> lower.shape, bool((lower < upper).all())
    ((30, 4, 4), True)
    """

    def __init__(
        self,
        config: InVAConfig = InVAConfig(),
        hparams: InVAHParams = InVAHParams(),
        *,
        epochs: int = 300,
        patience: int = 20,
        batch_size: int = 32,
        held_out: float = 0.2,
        draws: int = 32,
        seed: int = 0,
    ) -> None:
        self.config = config
        self.hparams = hparams
        self.epochs = epochs
        self.patience = patience
        self.batch_size = batch_size
        self.held_out = held_out
        self.draws = draws
        self.seed = seed

    def fit(
        self,
        images: Mapping[str, ArrayLike],
        outcome: ArrayLike,
        *,
        masks: Mapping[str, ArrayLike] | None = None,
        outcome_mask: ArrayLike | None = None,
    ) -> Self:
        """Train on patients whose outcome image is known.

        Args:
            images: ``{image: [n, *shape]}``; NaN in all pixels of a patient who lacks the image.
            outcome: ``[n, *shape]``.
            masks: ``{image: [*shape]}``, 1 inside the region of interest; images not named are read whole.
            outcome_mask: likewise; predictions are 0 outside.

        Raises:
            InputError: no image, shapes that disagree, a value that is not finite inside a mask, a patient
                without any image, too few patients to hold some out.
        """
        if self.config.outcome != "image":
            raise InputError("InVA predicts images; for survival use jaxsurv.models.inva")
        if not images:
            raise InputError("no image is given; needs at least one")
        n = _patients(images)
        y = np.asarray(outcome, np.float32)
        if len(y) != n:
            raise InputError(f"{len(y)} outcome images for {n} patients")
        if unknown := sorted(set(masks or {}) - set(images)):
            raise InputError(f"masks for {unknown}, the images are {sorted(images)}")
        inside = {m: _inside(m, x, (masks or {}).get(m)) for m, x in images.items()}
        outcome_inside = _inside("outcome", y, outcome_mask)
        if not _present("outcome", y, outcome_inside).all():
            raise InputError("a patient has no outcome image; leave such patients out")
        rows = np.random.default_rng(self.seed).permutation(n)
        held_out = np.isin(np.arange(n), rows[: round(self.held_out * n)])
        if min(held_out.sum(), (~held_out).sum()) < 2:
            raise InputError(
                f"{n} patients with held_out={self.held_out} leave {held_out.sum()} to calibrate and "
                f"{(~held_out).sum()} to train; needs at least 2 of each"
            )
        train = jnp.asarray(~held_out)
        self._scalers = {
            m: fit_image_scaler(jnp.asarray(x, jnp.float32), train, inside[m])
            for m, x in images.items()
        }
        self._outcome_scaler = fit_image_scaler(jnp.asarray(y), train, outcome_inside)
        batch = self._batch(images, self._outcome_scaler.standardise(jnp.asarray(y)))
        config = FitConfig(self.epochs, 0, self.patience, self.batch_size)
        roles = Masks(train, ~train, jnp.ones(n, bool))
        key = jax.random.key(self.seed)
        self.result_ = _train(key, self.hparams, batch, roles, self.config, config)
        self._development = self._predictive(batch), batch.outcome, roles
        return self

    def predict(self, images: Mapping[str, ArrayLike]) -> np.ndarray:
        """``[n, *shape]``: the mean over draws of the posterior, in the outcome's unit.

        Args:
            images: as in `fit`; an image that nobody has may be left out.
        """
        predicted = self._predictive(self._batch(images))
        return np.asarray(self._outcome_scaler.restore(predicted.mean))

    def predict_interval(
        self, images: Mapping[str, ArrayLike], *, level: float = 0.95
    ) -> tuple[np.ndarray, np.ndarray]:
        """``lower, upper``, each ``[n, *shape]``, calibrated on the held-out patients.

        The level holds on average over the pixels inside the mask, see
        :func:`jaxsurv.metrics.conformal_calibration`.
        """
        developed, outcome, roles = self._known
        calibration = conformal_calibration(
            developed, outcome, roles.train, roles.validation,
            level=level, mask=self._outcome_scaler.mask,
        )  # fmt: skip
        bounds = prediction_interval(self._predictive(self._batch(images)), calibration)
        lower, upper = (np.asarray(self._outcome_scaler.restore(b)) for b in bounds)
        return lower, upper

    def score(self, images: Mapping[str, ArrayLike], outcome: ArrayLike) -> float:
        """R²: 1 - squared error / squared distance from the training mean, over pixels inside the mask."""
        predicted, scaler = self.predict(images), self._outcome_scaler
        y = scaler.restore(scaler.standardise(jnp.asarray(outcome, jnp.float32)))
        mean = scaler.restore(jnp.zeros_like(y))
        return float(1 - jnp.sum((y - predicted) ** 2) / jnp.sum((y - mean) ** 2))

    @property
    def _known(self) -> tuple[Predictive, Array, Masks]:
        if not hasattr(self, "_development"):
            raise InputError("this InVA has not been fitted; call fit first")
        return self._development

    def _predictive(self, batch: ImageBatch) -> Predictive:
        key = jax.random.key(self.seed)
        return _predict(self.result_.params, batch, key, self.config, self.draws)

    def _batch(self, images: Mapping[str, ArrayLike], outcome: Array | None = None) -> ImageBatch:
        scalers: dict[str, ImageScaler] = self._scalers
        if unknown := sorted(set(images) - set(scalers)):
            raise InputError(
                f"images {unknown} were not there in training, which had {sorted(scalers)}"
            )
        n = _patients(images)
        inputs, presence = {}, {}
        for m, scaler in scalers.items():
            shape = scaler.center.shape
            x = np.asarray(images.get(m, np.full((n, *shape), np.nan)), np.float32)
            if x.shape[1:] != shape:
                raise InputError(f"image {m!r} has shape {x.shape[1:]}, {shape} in training")
            there = _present(m, x, np.asarray(scaler.mask) > 0)
            inputs[m] = scaler.standardise(jnp.asarray(x))
            presence[m] = jnp.asarray(there, jnp.float32)
        absent = np.flatnonzero(~np.any([np.asarray(p) > 0 for p in presence.values()], axis=0))
        if len(absent):
            raise InputError(f"patient {absent[0]} (counted from 0) has no image; leave it out")
        outcome_mask = self._outcome_scaler.mask
        return ImageBatch(
            inputs=inputs,
            presence=presence,
            outcome=jnp.zeros((n, *outcome_mask.shape)) if outcome is None else outcome,
            where=jnp.ones(n, bool),
            feature_mask={m: s.mask for m, s in scalers.items()},
            outcome_mask=outcome_mask,
        )


# one program for all estimators of a configuration and all calls with arrays of one shape
@partial(jax.jit, static_argnames=("config", "training"))
def _train(key: Key, hparams: InVAHParams, batch: ImageBatch, roles: Masks, config, training):
    return fit(key, inva(config), hparams, batch, roles, training)


@partial(jax.jit, static_argnames=("config", "draws"))
def _predict(params: Params, batch: ImageBatch, key: Key, config, draws: int) -> Predictive:
    return predictive(partial(draw(config), params, batch), key, draws)


def _patients(images: Mapping[str, ArrayLike]) -> int:
    sizes = {m: len(x) for m, x in images.items()}
    if len(set(sizes.values())) != 1:
        raise InputError(f"the images must be of the same patients, got numbers {sizes}")
    return next(iter(sizes.values()))


def _inside(name: str, images: ArrayLike, mask: ArrayLike | None) -> np.ndarray:
    """``[*shape]`` booleans."""
    shape = np.shape(images)[1:]
    inside = np.ones(shape, bool) if mask is None else np.asarray(mask) > 0
    if inside.shape != shape or not inside.any():
        raise InputError(
            f"the mask of {name!r} has shape {inside.shape} and {inside.sum()} pixels inside; needs "
            f"shape {shape} and at least one"
        )
    return inside


def _present(name: str, x: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """``[n]`` booleans, who has the image; refuses images with holes."""
    values = x[:, inside]
    there = np.asarray(~np.isnan(values).all(axis=1))
    if len(bad := np.flatnonzero(there & ~np.isfinite(values).all(axis=1))):
        raise InputError(
            f"image {name!r} of patient {bad[0]} (counted from 0) has a value that is not finite; impute "
            "it, mask the pixel, or set all of the image to NaN if the patient lacks it"
        )
    return there
