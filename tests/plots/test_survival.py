"""Kaplan-Meier figures: what is drawn, and what is written beside it."""

import numpy as np
import pytest
from matplotlib.collections import PolyCollection

from jaxsurv.plots import RiskGroups, risk_groups, survival_curve

TIME = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10])
EVENT = np.array([1, 1, 1, 0, 1, 1, 1, 0, 0, 1])
PANEL = RiskGroups(np.arange(10) < 4, EVENT, TIME, "hazard ratio 2", "Gaussian")


@pytest.fixture(scope="module")
def axes():
    figure = risk_groups([PANEL], xlabel="time (months)", title="acc")
    assert figure.get_suptitle() == "acc"
    figure.draw_without_rendering()
    return figure.axes


def test_labels(axes):
    ax = axes[0]
    assert ax.get_xlabel() == "time (months)"
    assert ax.get_ylabel() == "event-free probability"
    assert ax.get_title(loc="left") == "Gaussian"
    assert [t.get_text() for t in ax.texts] == ["hazard ratio 2"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "low risk (n = 6, events = 4)",
        "high risk (n = 4, events = 3)",
    ]


def test_each_group_has_a_curve_its_censorings_and_a_band(axes):
    lines = [line for line in axes[0].lines if len(line.get_xdata())]
    curves = [x for x in lines if x.get_drawstyle() == "steps-post"]
    assert len(curves) == 2
    assert len([c for c in axes[0].collections if isinstance(c, PolyCollection)]) == 2
    # high risk: deaths at 1, 2 and 3, then censored
    np.testing.assert_allclose(curves[1].get_ydata()[[1, 2, 3, -1]], [0.75, 0.5, 0.25, 0.25])
    censored = [x.get_xdata().tolist() for x in lines if x.get_linestyle() == "None"]
    assert censored == [[8, 9], [4]]


def test_numbers_at_risk_are_below(axes):
    ticks = dict(zip(axes[1].get_xticks(), axes[1].get_xticklabels(), strict=True))
    assert [int(w) for w in ticks[0].get_text().split() if w.isdigit()] == [6, 4]
    assert [int(w) for w in ticks[6].get_text().split() if w.isdigit()] == [5, 0]  # one until 6


def test_a_patient_is_at_risk_at_the_own_time():
    time = np.array([0.0, *range(100, 1000, 100)])
    figure = survival_curve(np.ones(10, int), time, xlabel="time", note="")
    ticks = dict(zip(figure.axes[1].get_xticks(), figure.axes[1].get_xticklabels(), strict=True))
    counts = {
        t: [int(w) for w in label.get_text().split() if w.isdigit()] for t, label in ticks.items()
    }
    assert counts[0] == [10, 0, 0]
    assert counts[400] == [6, 0, 4]


def test_the_curve_of_a_cohort():
    figure = survival_curve(
        np.array([1, 0, 1]), np.array([1.0, 2, 4]), xlabel="time (days)", note="median 4", title="t"
    )
    figure.draw_without_rendering()
    ax = figure.axes[0]
    curve = next(x for x in ax.lines if x.get_drawstyle() == "steps-post" and len(x.get_xdata()))
    np.testing.assert_allclose(curve.get_ydata()[[0, 1, -1]], [1, 2 / 3, 0])
    assert ax.get_legend() is None
    assert [t.get_text() for t in ax.texts] == ["median 4"]


def test_panels_are_side_by_side_and_a_group_may_be_empty():
    nobody = PANEL._replace(high=np.zeros(10, bool), note="", title="constant")
    figure = risk_groups([PANEL, nobody], xlabel="time (months)")
    left, right = (ax for ax in figure.axes if ax.get_xlabel())
    assert [ax.get_title(loc="left") for ax in (left, right)] == ["Gaussian", "constant"]
    assert [t.get_text() for t in right.get_legend().get_texts()] == [
        "low risk (n = 10, events = 7)"
    ]
