"""Simulated replicates: who trains on what, and scores that mean what they say."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.inva.images import (
    TESTED,
    Found,
    ImageStudy,
    Scores,
    replicates,
    run_baseline,
    run_network,
    scores,
    tabulate,
)
from jaxsurv.metrics import Predictive
from jaxsurv.models import InVAConfig
from jaxsurv.training import FitConfig

STUDY = ImageStudy(side=8, length=2.0, most=30)
EVERY = jax.tree.map(
    lambda a, b: np.concatenate([a, b]),
    replicates(20, 5.0, 0.5, 0, range(2)),
    replicates(30, 1.0, 0.1, 2, range(2)),
)


@pytest.fixture(scope="module")
def built():
    return jax.jit(jax.vmap(lambda r: STUDY.build(None, r, jnp.uint32(0))))(EVERY)


def test_rows_have_one_role_and_test_rows_none(built):
    batch, masks = built
    assert masks.train.sum(axis=1).tolist() == [16, 16, 24, 24]
    assert masks.validation.sum(axis=1).tolist() == [4, 4, 6, 6]
    assert not np.any(masks.train & masks.validation)
    np.testing.assert_array_equal(masks.develop, masks.train | masks.validation)
    np.testing.assert_array_equal(batch.where, masks.develop)
    assert not np.any(masks.develop[:, -TESTED:])


def test_images_are_standardised_on_training_rows(built):
    batch, masks = built
    for x in (*batch.inputs.values(), batch.outcome):
        for r in range(4):
            z = np.asarray(x[r])[masks.train[r]]
            np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-5)
            np.testing.assert_allclose((z**2).mean(), 1, rtol=1e-4)


def test_images_depend_on_the_replicates_seed_alone(built):
    batch, _ = built
    assert not np.array_equal(batch.inputs["image1"][0], batch.inputs["image1"][1])
    again = jax.jit(lambda r: STUDY.build(None, r, jnp.uint32(7)))(
        jax.tree.map(lambda v: v[1], EVERY)
    )[0]
    np.testing.assert_allclose(again.outcome, batch.outcome[1], atol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "shapes"),
    [("joined", {"joined": (8, 16)}), ("image2", {"image2": (8, 8)})],
)
def test_what_a_method_reads(inputs, shapes, built):
    one = jax.tree.map(lambda v: v[0], EVERY)
    batch, _ = jax.jit(lambda r: replace(STUDY, inputs=inputs).build(None, r, jnp.uint32(0)))(one)
    assert {m: x.shape[1:] for m, x in batch.inputs.items()} == shapes
    last = next(iter(batch.inputs.values()))[..., -8:]
    np.testing.assert_allclose(last, built[0].inputs["image2"][0], atol=1e-5)


def test_scores_of_known_predictions(built):
    batch, masks = (jax.tree.map(lambda v: v[2], tree) for tree in built)
    y = batch.outcome
    nothing, maps = scores(batch, masks, Predictive(jnp.zeros_like(y), jnp.zeros_like(y)))
    np.testing.assert_allclose(nothing.error, nothing.square, rtol=1e-6)
    np.testing.assert_allclose(nothing.error, jnp.mean(y[-TESTED:] ** 2, axis=0), rtol=1e-6)
    assert 0.9 < nothing.coverage.mean() < 1
    np.testing.assert_array_equal(maps[0], y[-TESTED])
    off, maps = scores(batch, masks, Predictive(y + 0.5, jnp.zeros_like(y)))
    np.testing.assert_allclose(off.error, jnp.full((8, 8), 0.25), rtol=1e-5)
    np.testing.assert_allclose(off.width, jnp.ones((8, 8)), rtol=1e-4)  # every residual is 0.5
    np.testing.assert_allclose(maps[1:], [y[-TESTED] + 0.5, jnp.full((8, 8), 0.5)], rtol=1e-4)


def test_rows_are_means_over_all_or_some_pixels():
    image = np.arange(8.0).reshape(2, 2, 2)
    found = Found(jax.tree.map(lambda v: v[:2], EVERY), Scores(image, image + 1, *[image] * 4))
    frame = tabulate(found, method="m")
    assert frame["error"].tolist() == [1.5, 5.5]
    assert frame["relative"].tolist() == [1.5 / 2.5, 5.5 / 6.5]  # a ratio of means
    some = tabulate(found, np.array([[3, 0], [1, 1]]))
    assert some["error"].tolist() == [1.5, 5.0]
    assert "square" not in frame


def test_a_sweep_collects_one_row_per_replicate():
    config = InVAConfig(widths=(8,), shallow=2, deep=2, shared=(4,))
    (found,) = run_network(STUDY, config, EVERY, FitConfig(2, 0, 2, 16), draws=2)
    frame = tabulate(found, method="InVA")
    assert frame["n"].tolist() == [20, 20, 30, 30]
    assert np.isfinite(frame.drop(columns="method").to_numpy(float)).all()
    assert found.maps.shape == (4, 3, 8, 8)
    assert found.curve.shape == (4, 2)


def test_baselines_read_what_trained_methods_read(built):
    seen = []

    def mean_of_images(x, y, train, held_out):
        seen.append(x.shape)
        return jnp.mean(x, axis=1)

    frames = [tabulate(found) for found in run_baseline(STUDY, mean_of_images, EVERY)]
    assert seen == [(130, 2, 8, 8)]  # traced once
    assert [f["n"].item() for f in frames] == [20, 20, 30, 30]
    batch, masks = (jax.tree.map(lambda v: v[3], tree) for tree in built)
    mean = sum(batch.inputs.values()) / 2
    expected, _ = scores(batch, masks, Predictive(mean, jnp.zeros_like(mean)))
    np.testing.assert_allclose(frames[3]["error"], expected.error.mean(), rtol=1e-4)
