"""Maps of latent spaces: every patient in every panel, one colour scale, test patients marked."""

import numpy as np
import pytest

from experiments.latent_structure.maps import LatentMap, latent_maps

RNG = np.random.default_rng(0)
TEST = np.arange(50) < 12
MAPS = [LatentMap(name, RNG.normal(size=(50, 2)), RNG.normal(size=50)) for name in ("a", "b")]


@pytest.fixture(scope="module")
def figure():
    return latent_maps(MAPS, TEST, axis="t-SNE", label="log hazard", title="acc: 50 patients")


def test_every_patient_is_in_every_panel(figure):
    for ax, panel in zip(figure.axes, MAPS, strict=False):
        assert ax.get_title(loc="left") == panel.title
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("t-SNE 1", "t-SNE 2")
        for dots, rows in zip(ax.collections, (~TEST, TEST), strict=True):
            np.testing.assert_array_equal(dots.get_offsets(), panel.position[rows])
            np.testing.assert_array_equal(dots.get_array(), panel.risk[rows])


def test_one_scale_for_all(figure):
    limits = {dots.get_clim() for ax in figure.axes[:2] for dots in ax.collections}
    risks = np.concatenate([m.risk for m in MAPS])
    assert limits == {tuple(np.quantile(risks, [0.02, 0.98]))}
    assert figure.axes[2].get_ylabel() == "log hazard"
    assert {dots.get_cmap().name for ax in figure.axes[:2] for dots in ax.collections} == {
        "viridis"
    }


def test_test_patients_have_their_own_marker(figure):
    ordinary, tested = figure.axes[0].collections
    assert len(ordinary.get_paths()[0]) != len(tested.get_paths()[0])
    names = [t.get_text() for t in figure.legends[0].get_texts()]
    assert names == ["development patients (n = 38)", "test patients (n = 12)"]
