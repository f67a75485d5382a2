"""Image-on-image regression on simulated replicates: every method predicts the same images."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from scipy import stats

from jaxsurv.estimators.fitted_images import posterior_predictive
from jaxsurv.metrics import (
    IntervalScale,
    Predictive,
    calibrate_intervals,
    conformal_scale,
    prediction_interval,
)
from jaxsurv.models import ArrayBatch, InVAConfig, InVAHParams, inva
from jaxsurv.preprocess import fit_image_scaler
from jaxsurv.training import FitConfig, Masks, Plan, Store, once, sweep_chunks
from jaxsurv.types import Array

from .simulate import simulate_images

TESTED = 100  # patients in the test set of every replicate
HELD_OUT = 5  # every fifth other patient is in the validation set, which calibrates intervals too
Inputs = Literal["all", "joined", "image1", "image2"]


class Replicate(NamedTuple):
    """One simulated data set; with a leading axis, many.

    Attributes:
        seed: seed of the images.
        n: number of patients in training and validation sets.
        snr, private, shift: see :func:`experiments.inva.simulate.simulate_images`.
    """

    seed: Array
    n: Array
    snr: Array
    private: Array
    shift: Array


class Scores(NamedTuple):
    """Scores of one method on the test set of one replicate, each ``[h, w]``, a mean over patients.

    Attributes:
        error: squared error, in units of the outcome's variance in the training set.
        square: squared outcome, standardised by the training set; ``mean(error) / mean(square)`` is the
            relative error, 1 = no better than the training mean.
        normal_coverage, normal_width: normal 95 % intervals, see `normal_scale`.
        coverage, width: split conformal 95 % intervals.
    """

    error: Array
    square: Array
    normal_coverage: Array
    normal_width: Array
    coverage: Array
    width: Array


@dataclass(frozen=True)
class ImageStudy:
    """Settings that all replicates of one compiled program have in common.

    Attributes:
        side: side of the square images, in pixels.
        kernel, length: covariance and correlation length of the images' Gaussian processes.
        most: largest n of the replicates. The first n patients are in the training and validation sets,
            the last ``TESTED`` in the test set.
        inputs: images that a method reads: all, all joined to one large image, or a single one by name.
    """

    side: int = 32
    kernel: str = "matern52"
    length: float = 8.0
    most: int = 200
    inputs: Inputs = "all"

    def build(self, shared: Any, replicate: Replicate, seed: Array) -> tuple[ArrayBatch, Masks]:
        """Batch and masks of one run; pure, simulates on the device."""
        simulated = simulate_images(
            jax.random.key(replicate.seed),
            self.most + TESTED,
            shape=(self.side, self.side),
            kernel=self.kernel,
            length=self.length,
            private=replicate.private,
            snr=replicate.snr,
            shift=replicate.shift,
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
        batch = ArrayBatch(
            inputs=inputs,
            presence={m: jnp.ones(len(row)) for m in inputs},
            outcome=scaler.standardise(simulated.outcome),
            where=develop,
        )
        return batch, Masks(train, held_out, develop)


def normal_scale(
    predicted: Predictive, outcome: Array, train: Array, *, level: float = 0.95
) -> IntervalScale:
    """Scale of normal intervals: residual variance of the training rows, and normal quantile.

    The intervals are too narrow where a model overfits its training rows. The residuals of a mean over
    draws contain part of the spread of the draws, which :func:`jaxsurv.metrics.prediction_interval` adds
    again.

    Args:
        predicted: mean and variance over draws, all rows.
        outcome: ``[n, *shape]``.
        train: ``[n]`` booleans, True for training rows.
        level: coverage, in (0, 1).
    """
    variance = calibrate_intervals(predicted, outcome, train, train).residual_variance
    return IntervalScale(variance, jnp.asarray(stats.norm.ppf(0.5 + level / 2), variance.dtype))


def scores(batch: ArrayBatch, masks: Masks, predicted: Predictive) -> tuple[Scores, Array]:
    """Score a method's prediction of all rows.

    Returns:
        scores, and a map ``[3, h, w]`` of the first test patient: outcome, prediction, half the width of
        the conformal interval.
    """
    y, train = batch.outcome, masks.train

    def judged(scale: IntervalScale) -> tuple[Array, Array, Array]:
        lower, upper = (x[-TESTED:] for x in prediction_interval(predicted, scale))
        inside = (lower <= y[-TESTED:]) & (y[-TESTED:] <= upper)
        return jnp.mean(inside, axis=0), jnp.mean(upper - lower, axis=0), (upper - lower)[0] / 2

    normal_coverage, normal_width, _ = judged(normal_scale(predicted, y, train))
    scale = conformal_scale(predicted, y, train, masks.validation)
    coverage, width, half = judged(scale)
    error = jnp.mean((y - predicted.mean)[-TESTED:] ** 2, axis=0)
    square = jnp.mean(y[-TESTED:] ** 2, axis=0)
    found = Scores(error, square, normal_coverage, normal_width, coverage, width)
    return found, jnp.stack([y[-TESTED], predicted.mean[-TESTED], half])


def collect(config: InVAConfig, draws: int) -> Callable[[Any, ArrayBatch, Masks], Any]:
    """Function for a sweep to collect `scores` of the posterior mean over ``draws`` draws."""

    def collected(params: Any, batch: ArrayBatch, masks: Masks) -> tuple[Scores, Array]:
        predicted = posterior_predictive(params, batch, jax.random.key(0), config, draws)
        return scores(batch, masks, predicted)

    return collected


def replicates(n: int, snr: float, private: float, shift: int, seeds: range) -> Replicate:
    """Replicates of one condition."""
    k = len(seeds)
    return Replicate(
        np.asarray(seeds, np.uint32),  # type: ignore[arg-type]
        np.full(k, n),  # type: ignore[arg-type]
        np.full(k, float(snr)),  # type: ignore[arg-type]
        np.full(k, float(private)),  # type: ignore[arg-type]
        np.full(k, shift),  # type: ignore[arg-type]
    )


class Found(NamedTuple):
    """Results of one compiled call of a method, with a leading axis of replicates.

    Attributes:
        replicate, scores: replicates and their scores.
        maps: ``[runs, 3, h, w]``, see `scores`, or None.
        best_epoch: ``[runs]``; None for methods without epochs.
        curve: ``[runs, epochs]``, validation error, or None.
    """

    replicate: Replicate
    scores: Scores
    maps: np.ndarray | None = None
    best_epoch: np.ndarray | None = None
    curve: np.ndarray | None = None


def run_network(
    study: ImageStudy,
    config: InVAConfig,
    every: Replicate,
    training: FitConfig,
    *,
    draws: int,
    plan: Plan | None = None,
    store: Store | None = None,
) -> Iterator[Found]:
    """Train one network on every replicate: a sweep whose splits are replicates."""
    for chunk in sweep_chunks(
        inva(config), study.build, np.zeros(0), every, seeds=[0], hparams=[InVAHParams()],
        config=training, plan=plan, collect=collect(config, draws), store=store,
    ):  # fmt: skip
        its = jax.tree.map(lambda v, chunk=chunk: v[chunk.split], every)
        judged, maps = chunk.collected
        yield Found(its, judged, maps, chunk.best_epoch, chunk.history["validation"])


def one_by_one(
    every: Replicate,
    found: Callable[[Replicate], tuple[Scores, Array | None]],
    store: Store | None,
    *,
    maps: bool = True,
) -> Iterator[Found]:
    """Run a method without epochs on one replicate after the other: scores, and maps if it has them."""
    like = (Scores(*Scores._fields), 0 if maps else None)
    for i in range(len(every.seed)):
        one = jax.tree.map(lambda v, i=i: v[i], every)
        both = once(store, f"{i:06d}", lambda: like, lambda: found(one))  # noqa: B023
        kept, (judged, drawn) = jax.tree.map(lambda v: np.asarray(v)[None], (one, both))
        yield Found(kept, judged, drawn)


def run_baseline(
    study: ImageStudy,
    fit_predict: Callable[..., Array],
    every: Replicate,
    store: Store | None = None,
) -> Iterator[Found]:
    """Run a baseline method that predicts images.

    Args:
        study: settings of the replicates.
        fit_predict: ``(x [n, K, h, w], y [n, h, w], train, held_out) -> [n, h, w]``, jittable.
        every: replicates, with a leading axis.
        store: store of finished replicates.
    """

    @jax.jit
    def run(replicate: Replicate) -> tuple[Scores, Array]:
        batch, masks = study.build(None, replicate, jnp.uint32(0))
        x = jnp.stack(list(batch.inputs.values()), axis=1)
        mean = fit_predict(x, batch.outcome, masks.train, masks.validation)
        return scores(batch, masks, Predictive(mean, jnp.zeros_like(mean)))

    return one_by_one(every, run, store)


def tabulate(found: Found, pixels: np.ndarray | None = None, **labels: Any) -> pd.DataFrame:
    """Table with one row per replicate: its condition, and mean scores over pixels.

    Args:
        found: results of one method.
        pixels: ``[runs, m]`` positions in the flattened images; None = all.
        labels: further columns.
    """

    def mean(x: Array) -> np.ndarray:
        flat = np.asarray(x).reshape(len(x), -1)
        flat = flat if pixels is None else np.take_along_axis(flat, pixels, axis=1)
        return flat.mean(axis=1)

    means = {name: mean(x) for name, x in found.scores._asdict().items()}
    means["relative"] = means["error"] / means.pop("square")
    return pd.DataFrame(
        {**labels, **found.replicate._asdict(), **means, "best_epoch": found.best_epoch}
    )
