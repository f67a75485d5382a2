"""The loop over conditions, with methods that compute nothing."""

import jax
import numpy as np

from experiments.inva.bart import chosen_pixels
from experiments.inva.images import Found, ImageStudy, Scores
from experiments.inva.report import ImageCondition
from experiments.inva.run import run_conditions

BASE = ImageCondition(30, 5.0, 0.3, 0, "matern52")  # 0.3 is no float32
CONDITIONS = [BASE, BASE._replace(n=20), BASE._replace(kernel="exponential")]


def methods(study, every):
    """Scores that hold the position of a pixel; one method knows some pixels of few replicates only."""
    image = np.arange(16.0).reshape(4, 4)
    assert study.side == 4

    def found(replicate, known):
        k = len(replicate.seed)
        scores = Scores(*[np.broadcast_to(image, (k, 4, 4))] * 6)
        maps = np.broadcast_to(replicate.n[:, None, None, None], (k, 3, 4, 4))
        if known is None:
            return Found(replicate, scores, maps, np.ones(k, int), np.ones((k, 7)))
        masked = np.where(known, image, np.nan)[None]
        return Found(replicate, Scores(*[masked] * 6))

    def halves():
        for part in (slice(0, 3), slice(3, None)):
            yield found(jax.tree.map(lambda v, part=part: v[part], every), None)

    def one_by_one():
        for i in np.flatnonzero(every.seed < 2):
            replicate = jax.tree.map(lambda v, i=i: v[i : i + 1], every)
            known = np.zeros(16, bool)
            known[chosen_pixels(replicate.seed, 16, 5)[0]] = True
            yield found(replicate, known.reshape(4, 4))

    yield "all", halves()
    yield "some", one_by_one()


def test_rows_maps_and_curves_are_of_their_condition():
    kept, told = {}, []
    found = run_conditions(
        CONDITIONS, methods, ImageStudy(side=4), count=4, few=2, pixels=5,
        keep=kept.__setitem__, advance=lambda name, n: told.append((name, n)),
    )  # fmt: skip
    assert found.runs["method"].unique().tolist() == ["all"]
    assert found.runs.groupby(["kernel", "n"]).size().to_dict() == {
        ("exponential", 30): 4, ("matern52", 20): 4, ("matern52", 30): 4,
    }  # fmt: skip
    assert found.beside.groupby("method").size().to_dict() == {"all": 6, "some": 6}
    assert set(found.beside["seed"]) == {0, 1}
    wide = found.beside.pivot(index=["kernel", "n", "seed"], columns="method", values="error")
    np.testing.assert_array_equal(wide["all"], wide["some"])  # the same pixels
    assert wide["all"].nunique() == 2  # others in the other replicate
    assert kept["runs"].equals(found.runs)
    assert kept["beside"].equals(found.beside)
    assert sum(n for name, n in told if name == "all") == 12
    np.testing.assert_array_equal(found.maps["all"], np.full((3, 4, 4), 30))
    assert {name: curve.shape for name, curve in found.curves.items()} == {"all": (4, 7)}
