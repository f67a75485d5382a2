"""Every entry of a model file replaced by something else: refused by name, or the same predictions."""

import copy

import numpy as np
import pytest

import jaxsurv.estimators.fitted_estimator as files
from jaxsurv.artifacts import read_model
from jaxsurv.estimators import (
    HCL,
    CoxMT,
    Coxnet,
    CoxNnet,
    InVA,
    MORiskVAE,
    MyeVAE,
    SurvivalStack,
    load,
)
from jaxsurv.estimators.fitted_estimator import KINDS
from jaxsurv.models import InVAConfig
from jaxsurv.types import InputError
from tests.estimators.conftest import PARTS

OTHERS = (None, "x", -1, 1e308, [], {}, True)
SHORT = {"epochs": 1, "n_seeds": 1, "modalities": PARTS}
NETWORKS = (MORiskVAE, MyeVAE, CoxNnet, CoxMT, HCL)
MADE = {
    **{kind.__name__: lambda kind=kind: kind(**SHORT) for kind in NETWORKS},
    "Network": lambda: KINDS["Network"]("SurvivalVAE", **SHORT),
    "Coxnet": lambda: Coxnet(n_lambdas=3, folds=2, modalities=PARTS),
    "SurvivalStack": lambda: SurvivalStack(grid={}, **SHORT),
    "InVA": lambda: InVA(
        InVAConfig(widths=(4,), shallow=2, deep=2, shared=(3,)), epochs=1, draws=2
    ),
}
IMAGES = np.random.default_rng(0).normal(size=(20, 3, 3))


@pytest.fixture(scope="module", params=[*MADE])
def stored(request, patients, tmp_path_factory):
    model = MADE[request.param]()
    model.fit(*(({"mri": IMAGES}, -IMAGES) if request.param == "InVA" else patients))
    path = tmp_path_factory.mktemp("model") / "m.zip"
    model.save(path, metrics={"C": (0.7, 0.6, 0.8)})
    return read_model(path)


def predictions(model, patients):
    if isinstance(model, InVA):
        return model.predict({"mri": IMAGES})
    return model.risk_table(patients[0], [0.5]).drop(columns="group").to_numpy()


def leaves(value, place=()):
    """Places of everything in nested lists and dicts that holds nothing else; a long list's ends."""
    if isinstance(value, dict | list) and value:
        keys = list(value) if isinstance(value, dict) else sorted({0, len(value) - 1})
        for k in keys:
            yield from leaves(value[k], (*place, k))
    else:
        yield place


def test_all_estimators_are_here():
    assert set(MADE) == {k for k, kind in KINDS.items() if kind.__module__.startswith("jaxsurv.")}


@pytest.mark.filterwarnings("ignore")
def test_no_entry_of_another_type_makes_another_model(stored, patients, monkeypatch):
    def forged(place, new):
        entries = copy.deepcopy(stored.entries)
        *path, last = place
        at = entries
        for k in path:
            at = at[k]
        at[last] = new
        monkeypatch.setattr(files, "read_model", lambda _: stored._replace(entries=entries))
        return load("forged")

    monkeypatch.setattr(files, "read_model", lambda _: stored)
    expected = predictions(load("as it was"), patients)
    loaded = 0
    for i, place in enumerate(leaves(stored.entries)):
        if place[0] in ("schema", "files"):  # see tests/artifacts
            continue
        old = stored.entries
        for k in place:
            old = old[k]
        for new in (OTHERS[(i + k) % len(OTHERS)] for k in (0, 2, 4)):
            if type(new) is type(old) and isinstance(new, str | bool):
                continue  # a name for a name is another model, not a broken one
            if "percentiles" in place and new == -1:
                continue  # as low as some percentile may be
            try:
                model = forged(place, new)
            except InputError:
                continue
            loaded += 1
            np.testing.assert_array_equal(predictions(model, patients), expected, str((place, new)))
    assert loaded < 120


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("settings", "random_state"), "x", r"settings.random_state must not be 'x'"),
        (("versions", "jax"), 3, r"manifest.versions.jax must not be 3"),
        (("metrics", "C", "value"), True, r"manifest.metrics.C.value must not be True"),
    ],
)
def test_the_entry_is_named(stored, monkeypatch, place, value, message):
    entries = copy.deepcopy(stored.entries)
    at = entries
    for k in place[:-1]:
        at = at[k]
    at[place[-1]] = value
    monkeypatch.setattr(files, "read_model", lambda _: stored._replace(entries=entries))
    with pytest.raises(InputError, match=message):
        load("forged")


def test_arrays_of_another_type_are_refused(stored, monkeypatch):
    for part in ("weights", "preprocessing"):
        arrays = getattr(stored, part)
        for name, a in arrays.items():
            for dtype in (np.float16, np.int8):
                if name == "center":
                    continue
                other = stored._replace(**{part: {**arrays, name: a.astype(dtype)}})
                monkeypatch.setattr(files, "read_model", lambda _, other=other: other)
                with pytest.raises(InputError):
                    load("forged")


def test_numbers_that_decide_work_have_bounds(stored, monkeypatch):
    entries = copy.deepcopy(stored.entries)
    if stored.entries["model"] == "InVA":
        entries["settings"]["draws"] = 10**7
    elif entries.get("config") and "widths" in entries["config"]:
        by_modality = isinstance(entries["config"]["widths"], dict)
        entries["config"]["widths"] = {"one": [4] * 999} if by_modality else [4] * 999
    else:
        pytest.skip("nothing decides work")
    monkeypatch.setattr(files, "read_model", lambda _: stored._replace(entries=entries))
    with pytest.raises(InputError, match=r"the most is (10000|256)"):
        load("forged")
