"""Saved image estimators: the same bits without any patient's image, and parts that must fit each other."""

import numpy as np
import pytest
from sklearn.utils.validation import check_is_fitted

from jaxsurv.__main__ import main
from jaxsurv.artifacts import read_model
from jaxsurv.estimators import InVA, load
from jaxsurv.estimators.card import card_of
from jaxsurv.models import InVAConfig, InVAHParams
from jaxsurv.types import InputError
from tests.estimators.conftest import changed

CONFIG = InVAConfig(widths=(8,), shallow=2, deep=2, shared=(3,))
N, HELD_OUT = 37, 7
INSIDE = np.ones((4, 5))
INSIDE[:, 4] = 0


def patients():
    """Two images of different shapes, named against the alphabet, and an outcome in another unit."""
    rng = np.random.default_rng(0)
    mri, ct = rng.normal(size=(N, 4, 5)), rng.normal(size=(N, 3))
    ct[::6] = np.nan
    return {"mri": mri, "ct": ct}, 1000 + 30 * mri + rng.normal(size=mri.shape)


@pytest.fixture(scope="module")
def fitted():
    model = InVA(CONFIG, InVAHParams(beta=0.5), epochs=4, draws=3, random_state=2)
    masks = {"ct": np.array([1, 0, 1])}
    return model.fit(*patients(), masks=masks, outcome_mask=INSIDE)


@pytest.fixture
def path(fitted, tmp_path):
    fitted.save(tmp_path / "m.zip", metrics={"R², external": (0.7, 0.6, 0.8)})
    return tmp_path / "m.zip"


def assert_alike(one, other):
    images, outcome = patients()
    np.testing.assert_array_equal(one.predict(images), other.predict(images))
    for level in (0.5, 0.95):
        intervals = (m.predict_interval(images, level=level) for m in (one, other))
        np.testing.assert_array_equal(*intervals)
    assert one.score(images, outcome) == other.score(images, outcome)


def test_a_loaded_model_is_the_same_to_the_bit(fitted, path):
    loaded = load(path)
    check_is_fitted(loaded)
    assert_alike(loaded, fitted)
    assert loaded.get_params() == fitted.get_params()
    lower, upper = loaded.predict_interval(patients()[0])
    assert (lower < upper)[:, INSIDE > 0].all()
    loaded.save(path.parent / "again.zip", metrics={"R², external": (0.7, 0.6, 0.8)})
    assert (path.parent / "again.zip").read_bytes() == path.read_bytes()
    masks = {"ct": np.array([1, 0, 1])}
    assert_alike(loaded.fit(*patients(), masks=masks, outcome_mask=INSIDE), fitted)


def test_the_file_has_no_axis_of_patients(path):
    stored = read_model(path)
    arrays = stored.weights | stored.preprocessing
    assert not [k for k, a in arrays.items() if {N, N - HELD_OUT, HELD_OUT} & set(a.shape)]
    assert stored.preprocessing["calibration/ratios"].shape == (HELD_OUT * 16,)


def test_what_is_set_after_the_fit_waits_for_the_next(fitted, path):
    model = load(path).set_params(draws=9, random_state=5, config=InVAConfig(deep=0))
    assert_alike(model, fitted)
    model.save(path.parent / "later")
    later = load(path.parent / "later")
    assert_alike(later, fitted)
    assert later.get_params() == load(path).get_params()


def test_what_is_refused_is_refused_after_loading(path):
    loaded, images = load(path), patients()[0]
    with pytest.raises(InputError, match=r"images \['pet'\] were not there in training"):
        loaded.predict({"pet": images["mri"]})
    with pytest.raises(
        InputError, match=r"patient 0 .* has only \['ct'\], which no held-out patient had"
    ):
        loaded.predict_interval({"ct": images["ct"][1:6]})


RATIOS, VARIANCE = "calibration/ratios", "calibration/residual_variance"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda e, w, p: e["config"].update(shallow=3), "the weights .* do not fit config"),
        (lambda e, w, p: e["config"].update(widths=[10**12]), r"config.widths\[0\] must not be"),
        (lambda e, w, p: e["config"].update(outcome="survival"), "damaged or of another make"),
        (lambda e, w, p: e["config"].update(trains="none"), "config.trains must not be 'none'"),
        (lambda e, w, p: w.pop("params['log_noise']['ct']"), "the weights .*log_noise.* do not fit"),
        (lambda e, w, p: e["images"].update(pet=[4, 5]), "inputs/pet/center.* does not fit images"),
        (lambda e, w, p: e["images"].update(mri=[5, 4]), "inputs/mri/center.* does not fit images"),
        (lambda e, w, p: e.update(outcome=[20]), "outcome/center.* does not fit images"),
        (lambda e, w, p: p.pop("outcome/mask"), "outcome/mask.* does not fit images"),
        (lambda e, w, p: p.update({"inputs/ct/scale": np.float32(0)}), "ct/scale' must be positive"),
        (lambda e, w, p: e["patterns"].append(["pet"]), r"patterns with images \['pet'\]"),
        (lambda e, w, p: e["training"].update(held_out=6), "calibration/ratios does not fit"),
        (lambda e, w, p: e["training"].pop("patients"), "training.patients is missing"),
        (lambda e, w, p: p.update({RATIOS: p[RATIOS][::-1]}), "ratios that ascend from 0"),
        (lambda e, w, p: p.update({RATIOS: p[RATIOS] - 1}), "ratios that ascend from 0"),
        (lambda e, w, p: p.update({VARIANCE: -p[VARIANCE]}), "variances that are not negative"),
        (lambda e, w, p: e["settings"].update(draws=0), "draws must be at least 1, got 0"),
        (lambda e, w, p: e["settings"].update(device="tpu"), "damaged or of another make"),
    ],
)  # fmt: skip
def test_parts_that_do_not_fit_each_other_are_refused(path, edit, message):
    with pytest.raises(InputError, match=message):
        load(changed(path, "other", edit))


def test_a_calibration_with_nan_is_not_written(path):
    def spoil(entries, weights, arrays):
        arrays[RATIOS] = np.where(arrays[RATIOS] > 0.5, np.nan, arrays[RATIOS])

    with pytest.raises(InputError, match=r"'calibration/ratios' has NaN"):
        changed(path, "other", spoil)


def test_the_card_says_what_it_is(path):
    lines = [line.removeprefix("- ") for line in card_of(read_model(path)).splitlines()]
    for line in (
        "trained on: 30 patients",
        "held out: 7 patients, who stopped the training and calibrate the intervals",
        "reads mri: 4 × 5 pixels",
        "reads ct: 3 pixels",
        "Predicts an image of 4 × 5 pixels.",
        "intervals for patients with ct, mri",
        "intervals for patients with mri",
        "R², external: 0.700 (0.600 to 0.800)",
    ):
        assert line in lines


@pytest.mark.parametrize("command", ["score", "explain"])
def test_risks_of_a_model_of_images_are_refused(command, path, capsys):
    assert main([command, str(path), "cohort", "--out", str(path.parent / "out")]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "m.zip is InVA, which predicts images" in error
    assert ".predict(images), or predict_interval(images)" in error
    assert main(["inspect", str(path)]) == 0
    assert "# InVA" in capsys.readouterr().out
