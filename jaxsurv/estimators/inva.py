"""InVA with fit, predict and score as scikit-learn has them, for images as arrays."""

from collections.abc import Mapping
from functools import partial
from typing import Self

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.settings import check_whole
from jaxsurv.artifacts import StoredModel
from jaxsurv.estimators.fitted_estimator import FittedEstimator
from jaxsurv.estimators.fitted_images import FittedImages, compiled_predictive
from jaxsurv.estimators.images import (
    image_batch,
    number_of_patients,
    outcome_images,
    patterns_of,
    region,
)
from jaxsurv.estimators.saved_images import read_images, write_images
from jaxsurv.metrics import calibrate_intervals
from jaxsurv.models import ArrayBatch, InVAConfig, InVAHParams, inva
from jaxsurv.preprocess import fit_image_scaler
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import ArrayLike, InputError, Key


class InVA(FittedEstimator[FittedImages]):
    """Predict one image of a patient from others, with intervals.

    Images are centred pixel by pixel and put on one scale; a share of the patients is held out of the
    training, stops it and calibrates the intervals. See :func:`jaxsurv.models._inva.inva`. Images are a
    dict, which the splitters of scikit-learn cannot index; config and hparams are set whole, as in
    ``set_params(config=replace(model.config, deep=0))``. What is set counts from the next `fit` on.
    A saved model keeps of the held-out patients how far each pixel was from its prediction, in ascending
    order, and no image.

    Args:
        config: static choices, among them widths and convolutions; the outcome must be an image.
        hparams: weights of the loss, learning rate.
        epochs: most epochs.
        patience: epochs without a better error of the held-out patients after which training stops.
        batch_size: patients per step.
        held_out: share of the patients that trains nothing.
        draws: number of posterior draws that a prediction averages.
        random_state: seed of the split, the initial weights and all noise.

    Attributes:
        model_: :class:`jaxsurv.estimators.fitted_images.FittedImages`, the fitted model.
        result_: result of :func:`jaxsurv.training.fit`, with the training history, which model files do
            not hold.

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
        random_state: int = 0,
    ) -> None:
        self._set(locals())

    def _store(self) -> StoredModel:
        return write_images(self.fitted(), self.settings_)

    @classmethod
    def _restore(cls, stored: StoredModel) -> Self:
        fitted, settings = read_images(stored)
        return cls(**settings)._keep(fitted)

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
            outcome_mask: ``[*shape]``, 1 inside the region of interest; predictions are 0 outside.

        Raises:
            InputError: no image, shapes that disagree, a value that is not finite inside a mask, a patient
                without any image, too few patients to hold some out.
        """
        if self.config.outcome != "image":
            raise InputError("InVA predicts images; for survival use jaxsurv.models._inva")
        if not images:
            raise InputError("no image is given; needs at least one")
        if not 0 < self.held_out < 1:
            raise InputError(f"held_out must be between 0 and 1, got {self.held_out}")
        check_whole("draws", self.draws)
        check_whole("random_state", self.random_state, 0)
        n = number_of_patients(images)
        if unknown := sorted(set(masks or {}) - set(images)):
            raise InputError(f"masks for {unknown}, the images are {sorted(images)}")
        rows = np.random.default_rng(self.random_state).permutation(n)
        held_out = np.isin(np.arange(n), rows[: round(self.held_out * n)])
        if min(held_out.sum(), (~held_out).sum()) < 2:
            raise InputError(
                f"{n} patients with held_out={self.held_out} leave {held_out.sum()} to calibrate and "
                f"{(~held_out).sum()} to train; needs at least 2 of each"
            )
        train = jnp.asarray(~held_out)
        inside = region("outcome", outcome, outcome_mask)
        y = jnp.asarray(outcome_images(outcome, n, inside))
        scalers = {}
        for m, x in images.items():
            within = region(m, x, (masks or {}).get(m))
            scalers[m] = fit_image_scaler(jnp.asarray(x, jnp.float32), train, within)
        outcome_scaler = fit_image_scaler(y, train, inside)
        batch = image_batch(scalers, outcome_scaler, images)
        for m, there in batch.presence.items():
            if np.asarray(there)[~held_out].sum() < 2:
                raise InputError(
                    f"fewer than 2 of the patients who train have image {m!r}; leave it out"
                )
        batch = batch._replace(outcome=outcome_scaler.standardise(y))
        roles = Masks(train, ~train, jnp.ones(n, bool))
        config = FitConfig(self.epochs, 0, self.patience, self.batch_size)
        key = jax.random.key(self.random_state)
        result = _train(key, self.hparams, batch, roles, self.config, config)
        calibration = calibrate_intervals(
            compiled_predictive(result.params, batch, key, self.config, self.draws),
            batch.outcome, roles.train, roles.validation, mask=outcome_scaler.mask,
        )  # fmt: skip
        known = calibration.ratios[: int(calibration.count)]
        patterns = frozenset(p for p, h in zip(patterns_of(batch), held_out, strict=True) if h)
        self.result_ = result
        return self._keep(FittedImages(
            self.config, self.draws, self.random_state, result.params, scalers, outcome_scaler,
            patterns, calibration._replace(ratios=known),
            patients=n, held_out=int(held_out.sum()),
        ))  # fmt: skip

    def predict(self, images: Mapping[str, ArrayLike]) -> np.ndarray:
        """``[n, *shape]``: the mean over draws of the posterior, in the outcome's unit.

        Args:
            images: ``{image: [n, *shape]}``, see `fit`; an image that nobody has may be left out.
        """
        return self.fitted().predict(images)

    def predict_interval(
        self, images: Mapping[str, ArrayLike], *, level: float = 0.95
    ) -> tuple[np.ndarray, np.ndarray]:
        """``lower, upper``, each ``[n, *shape]``, calibrated on the held-out patients.

        The level is for the average over the pixels inside the mask and over patients who lack what the
        held-out patients lack, see :func:`jaxsurv.metrics.conformal_scale`.

        Raises:
            InputError: see `predict`; a patient has a set of images that no held-out patient had: nothing
                says how wrong such predictions are.
        """
        return self.fitted().interval(images, level)

    def score(self, images: Mapping[str, ArrayLike], outcome: ArrayLike) -> float:
        """R²: 1 - squared error / squared distance from the mean, over pixels inside the mask.

        The mean is that of the training patients, where scikit-learn takes the scored ones'.
        """
        predicted, scaler = self.predict(images), self.fitted().outcome_scaler
        inside = np.asarray(scaler.mask) > 0
        y = outcome_images(outcome, len(predicted), inside)
        mean = np.asarray(scaler.center)
        away = ((y - mean) ** 2)[:, inside].sum()
        return float(1 - ((y - predicted) ** 2)[:, inside].sum() / away)


# one program for all estimators of a configuration and all calls with arrays of one shape
@partial(jax.jit, static_argnames=("config", "training"))
def _train(key: Key, hparams: InVAHParams, batch: ArrayBatch, roles: Masks, config, training):
    return fit(key, inva(config), hparams, batch, roles, training)
