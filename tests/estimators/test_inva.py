"""The InVA estimator: units, masks, missing images, intervals, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from jaxsurv.estimators import InVA
from jaxsurv.estimators.fitted_images import compiled_predictive
from jaxsurv.estimators.images import image_batch
from jaxsurv.metrics import conformal_scale, prediction_interval
from jaxsurv.models import InVAConfig
from jaxsurv.types import InputError

CONFIG = InVAConfig(widths=(16,), shallow=4, deep=2, shared=(4,))
N, SHAPE = 160, (4, 5)


def patients():
    """Two images that hold the factors of the outcome, which is in another unit."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, N, 1, 1)) * np.ones((1, 1, *SHAPE))
    images = {
        "ct": 40 + 5 * a + rng.normal(0, 0.5, a.shape),
        "mri": b + rng.normal(0, 0.1, b.shape),
    }
    return images, 1000 + 30 * (a + b) + rng.normal(0, 6, a.shape)


def last(images):
    return {m: x[-40:] for m, x in images.items()}


@pytest.fixture(scope="module")
def fitted():
    images, outcome = patients()
    first = {m: x[:120] for m, x in images.items()}
    return InVA(CONFIG, epochs=120, draws=8).fit(first, outcome[:120])


def test_predicts_in_the_unit_of_the_outcome(fitted):
    images, outcome = patients()
    predicted = fitted.predict(last(images))
    assert predicted.shape == (40, *SHAPE)
    assert 980 < predicted.mean() < 1020
    score = fitted.score(last(images), outcome[-40:])
    assert score > 0.5
    error = ((predicted - outcome[-40:]) ** 2).sum()
    mean = np.asarray(fitted.model_.outcome_scaler.center)
    assert score == pytest.approx(1 - error / ((outcome[-40:] - mean) ** 2).sum(), abs=1e-4)


def test_intervals_cover_what_they_say(fitted):
    images, outcome = patients()
    widths = []
    for level in (0.5, 0.95):
        lower, upper = fitted.predict_interval(last(images), level=level)
        inside = (lower <= outcome[-40:]) & (outcome[-40:] <= upper)
        assert abs(inside.mean() - level) < 0.08
        widths.append((upper - lower).mean())
    assert widths[0] < widths[1]


def test_held_out_patients_train_nothing():
    """Other images and outcomes of theirs: the same scalers and, epoch by epoch, the same training loss."""
    images, outcome = patients()
    model = InVA(CONFIG, epochs=3, draws=2, random_state=3)
    fitted = model.fit(images, outcome)
    held_out = np.random.default_rng(3).permutation(N)[: N // 5]
    assert fitted.model_.held_out == N // 5
    rng = np.random.default_rng(1)
    other = {m: x.copy() for m, x in images.items()}
    for x in other.values():
        x[held_out] = rng.normal(500, 50, (N // 5, *SHAPE))
    changed = outcome.copy()
    changed[held_out] = rng.normal(0, 500, (N // 5, *SHAPE))
    again = clone(model).fit(other, changed)
    for one, two in (
        (fitted.model_.scalers, again.model_.scalers),
        (fitted.model_.outcome_scaler, again.model_.outcome_scaler),
    ):
        jax.tree.map(np.testing.assert_array_equal, one, two)
    history, same = fitted.result_.history, again.result_.history
    done = min(fitted.result_.epochs, again.result_.epochs)
    np.testing.assert_allclose(history["loss"][:done], same["loss"][:done], rtol=1e-6)
    assert not np.allclose(history["validation"][:done], same["validation"][:done])


def interval_from_the_cohort(model, images, outcome, new, level):
    """What an estimator that keeps its whole cohort computes: it predicts it again in each call."""
    fitted, n = model.model_, len(outcome)

    def predictive(batch):
        key = jax.random.key(model.random_state)
        return compiled_predictive(fitted.params, batch, key, model.config, model.draws)

    scaler = fitted.outcome_scaler
    held_out = np.random.default_rng(model.random_state).permutation(n)[: round(model.held_out * n)]
    row = jnp.isin(jnp.arange(n), held_out)
    developed, patients = (image_batch(fitted.scalers, scaler, x) for x in (images, new))
    y = scaler.standardise(jnp.asarray(outcome, jnp.float32))
    scale = conformal_scale(predictive(developed), y, ~row, row, level=level, mask=scaler.mask)
    bounds = prediction_interval(predictive(patients), scale)
    return tuple(np.asarray(scaler.restore(b)) for b in bounds)


@pytest.mark.parametrize("level", [0.3, 0.95, 0.9999])
def test_intervals_are_those_of_the_whole_cohort(fitted, level):
    images, outcome = patients()
    first, y = {m: x[:120] for m, x in images.items()}, outcome[:120]
    expected = interval_from_the_cohort(fitted, first, y, last(images), level)
    np.testing.assert_array_equal(fitted.predict_interval(last(images), level=level), expected)


def test_a_missing_image_is_left_out_and_nobody_else_changes(fitted):
    images, _ = patients()
    lacks = {m: x.copy() for m, x in last(images).items()}
    lacks["ct"][:5] = np.nan
    predicted = fitted.predict(lacks)
    assert np.isfinite(predicted).all()
    np.testing.assert_allclose(predicted[5:], fitted.predict(last(images))[5:], rtol=1e-6)
    assert np.abs(predicted[:5] - fitted.predict(last(images))[:5]).max() > 5
    lacks["mri"][2] = np.nan
    with pytest.raises(InputError, match=r"patient 2 \(counted from 0\) has no image"):
        fitted.predict(lacks)


def test_outside_the_mask_nothing_is_read_and_0_predicted():
    images, outcome = patients()
    inside = np.ones(SHAPE)
    inside[:, 4] = 0
    spoiled = {m: np.where(inside > 0, x, np.nan) for m, x in images.items()}
    masks = dict.fromkeys(images, inside)
    model = InVA(CONFIG, epochs=3, draws=2)
    one = model.fit(spoiled, outcome, masks=masks, outcome_mask=inside).predict(spoiled)
    other = clone(model).fit(images, outcome, masks=masks, outcome_mask=inside).predict(images)
    np.testing.assert_array_equal(one, other)
    assert not one[:, :, 4].any()
    lower, upper = model.predict_interval(spoiled)
    assert not lower[:, :, 4].any()
    assert (lower < upper)[:, :, :4].all()


def test_clones_and_seeds(fitted):
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "result_")
    images, outcome = patients()
    small = InVA(CONFIG, epochs=3, draws=2)
    one, same, other = (
        clone(small).set_params(random_state=s).fit(images, outcome).predict(images)
        for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": {}}, "no image is given"),
        ({"held_out": 0.0}, "held_out must be between 0 and 1, got 0.0"),
        ({"held_out": 0.005}, "160 patients with held_out=0.005 leave 1 to calibrate"),
        ({"absent": "ct"}, "fewer than 2 of the patients who train have image 'ct'"),
        ({"masks": {"ct": np.zeros(SHAPE)}}, "the mask of 'ct' has shape .* and 0 pixels inside"),
        (
            {"outcome": np.zeros((40, *SHAPE))},
            r"outcome has shape \(40, 4, 5\), needs \(160, 4, 5\)",
        ),
        (
            {"masks": {"pet": np.ones(SHAPE)}},
            r"masks for \['pet'\], the images are \['ct', 'mri'\]",
        ),
        ({"spoil": (3, "ct")}, r"image 'ct' of patient 3 \(counted from 0\) .* not finite"),
        ({"spoil": (5, "outcome")}, r"image 'outcome' of patient 5 \(counted from 0\) has a value"),
        ({"short": "mri"}, "the images must be of the same patients"),
    ],
)
def test_refuses(change, message):
    images, outcome = patients()
    images, outcome = change.get("images", images), change.get("outcome", outcome)
    if "spoil" in change:
        row, name = change["spoil"]
        (outcome if name == "outcome" else images[name])[row, 0, 0] = np.nan
    if "absent" in change:
        images[change["absent"]][1:] = np.nan
    if "short" in change:
        images["mri"] = images["mri"][:-1]
    model = InVA(CONFIG, held_out=change.get("held_out", 0.2))
    with pytest.raises(InputError, match=message):
        model.fit(images, outcome, masks=change.get("masks"))


def test_refuses_what_training_did_not_have(fitted):
    images, _ = patients()
    with pytest.raises(InputError, match=r"images \['pet'\] were not there in training"):
        fitted.predict({"pet": images["ct"]})
    with pytest.raises(InputError, match=r"image 'ct' has shape \(4, 4\), \(4, 5\) in training"):
        fitted.predict({"ct": images["ct"][:, :, :4]})
    for call in (InVA(CONFIG).predict, InVA(CONFIG).predict_interval):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            call(images)
    with pytest.raises(
        InputError, match=r"patient 0 .* has only \['mri'\], which no held-out patient had"
    ):
        fitted.predict_interval({"mri": images["mri"]})


def test_scores_refuse_outcomes_that_would_be_stretched_or_guessed(fitted):
    images, outcome = patients()
    with pytest.raises(InputError, match=r"outcome has shape \(1, 4, 5\), needs \(40, 4, 5\)"):
        fitted.score(last(images), outcome[:1])
    outcome[-38] = np.nan
    with pytest.raises(InputError, match=r"patient 2 \(counted from 0\) has no outcome image"):
        fitted.score(last(images), outcome[-40:])


def test_a_refused_fit_changes_nothing(fitted):
    images, outcome = patients()
    before = fitted.predict(last(images))
    strange = {m: 1e6 + x for m, x in images.items()}
    for x in strange.values():
        x[0] = np.nan
    with pytest.raises(InputError, match=r"patient 0 .* has no image"):
        fitted.fit(strange, outcome)
    np.testing.assert_array_equal(fitted.predict(last(images)), before)


def test_predicts_images_only():
    images, _ = patients()
    with pytest.raises(InputError, match="predicts images; for survival use"):
        InVA(InVAConfig(outcome="survival")).fit(images, images["ct"])
