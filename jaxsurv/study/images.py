"""Image-on-image regression on simulated replicates: every method predicts the same images."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from jaxsurv.data.simulate_images import simulate_images
from jaxsurv.metrics import (
    Calibration,
    Predictive,
    conformal_calibration,
    normal_calibration,
    prediction_interval,
    predictive,
)
from jaxsurv.models import ImageBatch, InVAConfig, InVAHParams, inva
from jaxsurv.models.inva import draw
from jaxsurv.preprocess.images import fit_image_scaler
from jaxsurv.training import FitConfig, Masks, choose_plan, sweep_chunks
from jaxsurv.types import Array

TESTED = 100  # patients of every replicate on whom methods are judged
HELD_OUT = 5  # every fifth patient stops the training and calibrates the intervals
Inputs = Literal["all", "joined", "image1", "image2"]


class Replicate(NamedTuple):
    """One simulated data set, or with a leading axis many.

    Attributes:
        seed: of its images, and of what is trained on them.
        n: patients who train, or stop the training.
        snr, private: see :func:`jaxsurv.data.simulate_images`.
    """

    seed: Array
    n: Array
    snr: Array
    private: Array


class Scores(NamedTuple):
    """How one method predicts the test patients of one replicate.

    Attributes:
        error: mean squared error per pixel, in units of the outcome's variance in training.
        relative: the same over the variance of the test patients' outcome around the training mean:
            1 = no better than that mean.
        normal_coverage, normal_width: of normal 95 % intervals, see
            :func:`jaxsurv.metrics.normal_calibration`.
        coverage, width: of split conformal ones.
        maps: ``[3, h, w]`` of the first test patient: outcome, prediction, half the interval's width.
    """

    error: Array
    relative: Array
    normal_coverage: Array
    normal_width: Array
    coverage: Array
    width: Array
    maps: Array


@dataclass(frozen=True)
class ImageStudy:
    """What all replicates of one compiled program have in common.

    Attributes:
        side: of the square images, in pixels.
        kernel, length: of their Gaussian processes.
        most: largest n of the replicates. Patients up to n train; the last ``TESTED`` are tested.
        inputs: what a method reads: all images, all of them as one large image, or one alone.
    """

    side: int = 32
    kernel: str = "matern52"
    length: float = 8.0
    most: int = 200
    inputs: Inputs = "all"

    def build(self, shared: Any, replicate: Replicate, seed: Array) -> tuple[ImageBatch, Masks]:
        """One run's batch and masks; pure, simulates on the device."""
        simulated = simulate_images(
            jax.random.key(replicate.seed),
            self.most + TESTED,
            shape=(self.side, self.side),
            kernel=self.kernel,
            length=self.length,
            private=replicate.private,
            snr=replicate.snr,
        )
        row = jnp.arange(self.most + TESTED)
        develop = row < replicate.n
        held_out = develop & (row % HELD_OUT == HELD_OUT - 1)
        train = develop & ~held_out

        inputs = {m: fit_image_scaler(x, train).standardise(x) for m, x in simulated.inputs.items()}
        if self.inputs == "joined":
            inputs = {"joined": jnp.concatenate(list(inputs.values()), axis=-1)}
        elif self.inputs != "all":
            inputs = {self.inputs: inputs[self.inputs]}
        scaler = fit_image_scaler(simulated.outcome, train)
        batch = ImageBatch(
            inputs=inputs,
            presence={m: jnp.ones(len(row)) for m in inputs},
            outcome=scaler.standardise(simulated.outcome),
            where=develop,
        )
        return batch, Masks(train, held_out, develop)


def scores(batch: ImageBatch, masks: Masks, predicted: Predictive) -> Scores:
    """Of a method's prediction of all rows."""
    y, train = batch.outcome, masks.train

    def judged(calibration: Calibration) -> tuple[Array, Array, Array]:
        lower, upper = (x[-TESTED:] for x in prediction_interval(predicted, calibration))
        inside = (lower <= y[-TESTED:]) & (y[-TESTED:] <= upper)
        return jnp.mean(inside), jnp.mean(upper - lower), (upper - lower)[0] / 2

    normal_coverage, normal_width, _ = judged(normal_calibration(predicted, y, train))
    conformal = conformal_calibration(predicted, y, train, masks.validation)
    coverage, width, half = judged(conformal)
    error = jnp.mean((y - predicted.mean)[-TESTED:] ** 2)
    relative = error / jnp.mean(y[-TESTED:] ** 2)
    first = jnp.stack([y[-TESTED], predicted.mean[-TESTED], half])
    return Scores(error, relative, normal_coverage, normal_width, coverage, width, first)


def collect(config: InVAConfig, draws: int) -> Callable[[Any, ImageBatch, Masks], Scores]:
    """What a sweep over replicates collects: the scores of the mean over ``draws`` of the posterior."""
    one = draw(config)

    def collected(params: Any, batch: ImageBatch, masks: Masks) -> Scores:
        return scores(
            batch, masks, predictive(partial(one, params, batch), jax.random.key(0), draws)
        )

    return collected


def replicates(n: int, snr: float, private: float, seeds: range) -> Replicate:
    """The replicates of one condition."""
    k = len(seeds)
    each = (np.full(k, v) for v in (np.int32(n), np.float32(snr), np.float32(private)))
    return Replicate(np.asarray(seeds, np.uint32), *each)  # type: ignore[arg-type]


class Found(NamedTuple):
    """What one compiled call of a method gave, all with a leading axis of its replicates.

    Attributes:
        replicate, scores: of each.
        curve: ``[runs, epochs]`` error of the held-out rows, or None for methods without epochs.
    """

    replicate: Replicate
    scores: Scores
    curve: np.ndarray | None = None


def run_network(
    study: ImageStudy, config: InVAConfig, every: Replicate, training: FitConfig, *, draws: int
) -> Iterator[Found]:
    """Train one network on every replicate: a sweep whose splits are replicates."""
    for chunk in sweep_chunks(
        inva(config), study.build, np.zeros(0), every, seeds=[0], hparams=[InVAHParams()],
        config=training, plan=choose_plan(len(every.seed)), collect=collect(config, draws),
    ):  # fmt: skip
        its = jax.tree.map(lambda v, chunk=chunk: v[chunk.split], every)
        yield Found(its, chunk.collected, chunk.history["validation"])


def run_baseline(
    study: ImageStudy, fit_predict: Callable[..., Array], every: Replicate
) -> Iterator[Found]:
    """A method without epochs, one replicate after the other.

    Args:
        study: of the replicates.
        fit_predict: ``(x [n, K, h, w], y [n, h, w], train, held_out) -> [n, h, w]``, jittable.
        every: replicates, with a leading axis.
    """

    @jax.jit
    def one(replicate: Replicate) -> Scores:
        batch, masks = study.build(None, replicate, jnp.uint32(0))
        x = jnp.stack(list(batch.inputs.values()), axis=1)
        mean = fit_predict(x, batch.outcome, masks.train, masks.validation)
        return scores(batch, masks, Predictive(mean, jnp.zeros_like(mean)))

    for i in range(len(every.seed)):
        replicate = jax.tree.map(lambda v, i=i: v[i : i + 1], every)
        found = one(jax.tree.map(lambda v: v[0], replicate))
        yield Found(replicate, jax.tree.map(lambda v: np.asarray(v)[None], found))


def tabulate(found: Found, **labels: Any) -> pd.DataFrame:
    """One row per replicate, maps left out."""
    columns: Mapping[str, Any] = found.replicate._asdict() | found.scores._asdict()
    return pd.DataFrame({**labels, **{n: np.asarray(v) for n, v in columns.items() if n != "maps"}})
