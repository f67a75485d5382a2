"""Training curves of a sweep: every setting is there, and labelled."""

import numpy as np
import pytest

from jaxsurv.plots import training_curves


@pytest.fixture(scope="module")
def training():
    epochs = np.arange(1.0, 6.0)
    cox = np.tile(epochs, (6, 1)) + np.arange(6)[:, None]
    cox[0, 2:] = cox[1, 3:] = np.nan  # of the first setting's three runs one goes on to the end
    history = {"cox": cox, "kl": cox * 0 + 1, "validation": cox}
    panels = [("cox", "Cox loss"), ("kl", "KL (nats)"), ("validation", "validation loss")]
    return training_curves(history, np.repeat([0.5, 2.0], 3), panels=panels, legend="β")


def test_labels_of_the_training_curves(training):
    axes = training.axes
    assert [a.get_ylabel() for a in axes[:3]] == ["Cox loss", "KL (nats)", "validation loss"]
    assert [a.get_xlabel() for a in axes[:3]] == ["epoch"] * 3
    assert [a.axison for a in axes] == [True, True, True, False]
    assert [t.get_text() for t in training.legends[0].get_texts()] == ["0.5", "2"]
    assert training.legends[0].get_title().get_text() == "β"
    assert [a.get_yscale() for a in axes[:3]] == ["linear", "symlog", "linear"]


def test_a_line_is_the_mean_and_ends_where_half_of_its_runs_have_stopped(training):
    first, second = training.axes[0].lines
    np.testing.assert_array_equal(first.get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(first.get_ydata(), [2, 3, 11 / 3])  # (2 + 4 + 5) / 3
    np.testing.assert_array_equal(second.get_ydata(), np.arange(1, 6) + 4)
    assert first.get_color() != second.get_color()
