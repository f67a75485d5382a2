"""Figures of Cox models, calibration and decisions: what is drawn is what was computed."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv import plots
from jaxsurv.metrics import calibration_curve, net_benefit
from jaxsurv.survival import (
    cox_fit,
    coxnet_cv,
    coxnet_path,
    kaplan_meier,
    martingale_residuals,
    proportional_hazards_test,
    schoenfeld_residuals,
    survival_function,
)
from jaxsurv.types import InputError

RNG = np.random.default_rng(0)
N = 120
X = pd.DataFrame(RNG.normal(size=(N, 3)), columns=["age", "$cost", "_dose"]).assign(
    sex=np.arange(N) % 2
)
TIME = np.ceil(RNG.exponential(np.exp(-X["age"])) * 20) / 20
EVENT = RNG.random(N) < 0.8


def texts(axis):
    return [t.get_text() for t in axis.get_ticklabels()]


def drawn(figure):
    figure.draw_without_rendering()
    return figure


def test_forest_has_ratios_limits_and_numbers():
    table = cox_fit(X, EVENT, TIME).summary()
    table.loc["age", "hr_upper"] = 1e9
    table.loc["sex", ["hazard_ratio", "hr_lower", "hr_upper", "p"]] = np.nan
    figure = drawn(plots.hazard_ratios(table, title="model"))
    ax = figure.axes[0]
    assert texts(ax.yaxis) == ["age", "$cost", "_dose", "sex"]
    lines = {
        round(float(line.get_ydata()[0])): line for line in ax.lines if len(line.get_xdata()) == 2
    }
    np.testing.assert_allclose(lines[1].get_xdata(), table.loc["$cost", ["hr_lower", "hr_upper"]])
    assert lines[0].get_xdata()[1] == ax.get_xlim()[1]  # cut off, with an arrow
    assert [line.get_marker() for line in ax.lines].count(">") == 1
    told = texts(ax.child_axes[0].yaxis)
    row = table.loc["$cost"]
    assert told[1].startswith(f"{row.hazard_ratio:.2f} ({row.hr_lower:.2f} to {row.hr_upper:.2f})")
    assert "p < 0.001" in told[0]
    with pytest.raises(InputError, match="needs rows with the columns"):
        plots.hazard_ratios(table[["coef"]])


def test_schoenfeld_panels():
    fit = cox_fit(X, EVENT, TIME)
    test = proportional_hazards_test(X, EVENT, TIME)
    residuals = schoenfeld_residuals(X, EVENT, TIME, fit.coef, scaled=True)
    figure = drawn(plots.schoenfeld(residuals, test, xlabel="months"))
    axes = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title(loc="left").split(" (")[0] for ax in axes] == list(X.columns)
    for k, ax in enumerate(axes):
        dots = next(line for line in ax.lines if line.get_marker() == "o")
        np.testing.assert_array_equal(dots.get_ydata(), residuals.residuals[:, k])
        dashed = next(line for line in ax.lines if line.get_linestyle() == "--")
        np.testing.assert_allclose(dashed.get_ydata()[0], fit.coef[k], atol=1e-6)
    with pytest.raises(InputError, match="give those of one x"):
        plots.schoenfeld(residuals._replace(residuals=residuals.residuals[:, :2]), test)


def test_smooth_of_residuals_follows_the_form_of_the_effect():
    u = np.linspace(-2, 2, 2000)
    life = np.random.default_rng(1).exponential(np.exp(-(u**2)))
    m = martingale_residuals(np.zeros(2000), np.ones(2000), life)
    table = pd.DataFrame({"u": u, "two": np.arange(2000) % 2})
    figure = drawn(plots.residuals_against(m, table, ylabel="martingale"))
    smooth = max(figure.axes[0].lines, key=lambda line: line.get_linewidth())
    y = np.asarray(smooth.get_ydata())
    assert y[0] > y[50] + 0.5 < y[-1] + 0.0  # a parabola
    means = [line for line in figure.axes[1].lines if line.get_markersize() == 5]
    np.testing.assert_allclose(means[0].get_ydata(), [m[::2].mean(), m[1::2].mean()])
    with pytest.raises(InputError, match="common length"):
        plots.residuals_against(m[:9], table)
    with pytest.raises(InputError, match="residuals has NaN"):
        plots.residuals_against(np.full(2000, np.nan), table)


@pytest.mark.parametrize("groups", [3, 6])
def test_kaplan_meier_of_any_groups(groups):
    group = np.array(list("xyzabc"))[np.arange(N) % groups]
    here = np.arange(N) % 11 > 0
    figure = drawn(
        plots.kaplan_meier_groups(EVENT, TIME, group, where=here, xlabel="t", note="p = 1")
    )
    ax = figure.axes[0]
    names = sorted(set(group))
    told = [t.get_text() for t in ax.get_legend().get_texts()]
    own = here & (group == names[0])
    assert told[0] == f"{names[0]} (n = {own.sum()}, events = {EVENT[own].sum()})"
    assert len(told) == groups
    curves = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    at = np.asarray(curves[0].get_xdata())
    expected = kaplan_meier(EVENT[own], TIME[own])(at)
    np.testing.assert_allclose(curves[0].get_ydata(), expected, atol=1e-12)
    assert len(ax.collections) == (3 if groups == 3 else 0)  # bands
    ticks = dict(zip(figure.axes[1].get_xticks(), texts(figure.axes[1].xaxis), strict=True))
    at_risk = [int(w) for w in ticks[0].split() if w.isdigit()]
    assert at_risk == [int((here & (group == g)).sum()) for g in names]
    with pytest.raises(InputError, match="40 groups are more than 20"):
        plots.kaplan_meier_groups(EVENT, TIME, np.arange(N) % 40)


def test_paths_and_cross_validation():
    cv = coxnet_cv(X, EVENT, TIME, np.arange(N) % 4, n_lambdas=20)
    figure = drawn(plots.coefficient_paths(cv, scale=X.std().to_numpy(), top=2))
    upper, lower = figure.axes[:2]
    lambdas = np.asarray(cv.path.lambdas)
    np.testing.assert_allclose(lower.lines[0].get_ydata(), cv.deviance)
    marks = [float(line.get_xdata()[0]) for line in lower.lines[1:]]
    np.testing.assert_allclose(marks, [cv.lambda_min, cv.lambda_1se])
    age = next(line for line in upper.lines if line.get_label() == "age")
    np.testing.assert_allclose(
        age.get_ydata(), np.asarray(cv.path.coef)[:, 0] * X["age"].std(), rtol=1e-5
    )
    counts = upper.child_axes[0]
    k = np.abs(np.log(lambdas) - np.log(counts.get_xticks()[-1])).argmin()
    assert texts(counts.xaxis)[-1] == str((np.asarray(cv.path.coef)[k] != 0).sum())
    path = coxnet_path(X.to_numpy(), EVENT, TIME, n_lambdas=5)
    assert len(drawn(plots.coefficient_paths(path, list("abcd"))).axes) == 1
    with pytest.raises(InputError, match="x has 4 columns, but names has 1"):
        plots.coefficient_paths(path, ["a"])


def test_a_path_is_not_shown_where_it_is_far_worse_than_nothing():
    """Columns of noise: the deviance explodes, and would flatten all that is of interest."""
    x = np.random.default_rng(1).normal(size=(N, 60))
    cv = coxnet_cv(x, EVENT, TIME, np.arange(N) % 4, n_lambdas=30, lambda_min_ratio=0.001)
    mean, error = np.asarray(cv.deviance), np.asarray(cv.standard_error)
    assert mean[-1] > mean[0] + 40 * error[0]
    upper, lower = drawn(plots.coefficient_paths(cv)).axes[:2]
    shown = lower.lines[0].get_ydata()
    assert mean.argmin() < len(shown) < 30
    assert (shown[:-1] <= mean[0] + 4 * error[0]).all()
    assert all(len(line.get_xdata()) in (2, len(shown)) for line in upper.lines)


def test_calibration_and_decisions():
    s = np.exp(-0.5 * np.exp(X["age"].to_numpy()))
    curve = calibration_curve(s, EVENT, TIME, 0.5)
    ax = drawn(plots.calibration(curve, title="held out")).axes[0]
    smooth = next(line for line in ax.lines if line.get_label().startswith("smooth"))
    order = np.argsort(1 - s)
    np.testing.assert_allclose(smooth.get_xdata(), (1 - s)[order])
    np.testing.assert_allclose(smooth.get_ydata(), curve.observed[order])
    q = np.linspace(0.1, 0.6, 6)
    models = {
        name: net_benefit(risk, EVENT, TIME, 0.5, q, n_samples=20)
        for name, risk in (("age", 1 - s), ("_none", np.full(N, 0.4)))
    }
    ax = drawn(plots.decision_curves(models)).axes[0]
    assert [t.get_text().strip("\u200b") for t in ax.get_legend().get_texts()] == [
        "treat nobody", "treat everybody", "age", "_none"
    ]  # fmt: skip
    assert list(ax.lines[0].get_ydata()) == [0, 0]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), models["age"].treat_all)
    np.testing.assert_allclose(ax.lines[2].get_ydata(), models["age"].net_benefit)
    other = net_benefit(1 - s[:90], EVENT[:90], TIME[:90], 0.5, q, n_samples=20)
    with pytest.raises(InputError, match="'fewer' has other patients"):
        plots.decision_curves({**models, "fewer": other})
    with pytest.raises(InputError, match="models is empty"):
        plots.decision_curves({})


def test_a_nomogram_gives_the_survival_of_the_model():
    """Points of a patient's values are added up, and the total is looked up, as with a ruler."""
    time = TIME * np.exp(-X @ [0.0, 0.7, -0.5, 1.0])
    fit = cox_fit(X, EVENT, time)
    figure = drawn(plots.nomogram(fit, X, [0.5, 1.0], unit="years", title="model"))
    (ax,) = figure.axes
    names = ["points", *X.columns, "total points", "survival, 0.5 years", "survival, 1 years"]
    marks = {name: [] for name in names}
    for text in ax.texts:
        x, y = text.get_position()
        if text.get_transform() == ax.transData:
            marks[names[int(y)]].append((x, float(text.get_text())))
    scale = {name: np.array(sorted(rows)).T for name, rows in marks.items()}

    def read(name, value):
        """Place on the scale of a value, by a straight line between two marks."""
        places, values = scale[name]
        slope, origin = np.polyfit(values, places, 1)
        return slope * value + origin

    assert max(np.ptp(scale[name][0]) for name in X.columns) <= 100
    for row in (3, 50, 99):
        total = sum(read(name, X[name].iloc[row]) for name in X.columns)
        place = read("total points", total)
        expected = survival_function(fit.baseline, [X.iloc[row] @ fit.coef], [0.5, 1.0])[0]
        for name, alive in zip(names[-2:], expected, strict=True):
            places, values = scale[name]
            order = np.argsort(values)
            assert np.interp(alive, values[order], places[order]) == pytest.approx(place, abs=1.5)


def test_a_nomogram_of_nothing_is_refused():
    fit = cox_fit(X, EVENT, TIME)
    with pytest.raises(InputError, match=r"x must be \[n, 4\] as in the fit, got \[120, 2\]"):
        plots.nomogram(fit, X[["age", "sex"]], [1.0])
    with pytest.raises(InputError, match="horizons is empty"):
        plots.nomogram(fit, X, [])
    with pytest.raises(InputError, match="no column of x changes the hazard"):
        plots.nomogram(fit, X.iloc[[0, 0]], [1.0])
    with pytest.raises(InputError, match="age"):
        plots.nomogram(fit, X.assign(age=np.where(np.arange(N) == 3, np.nan, X["age"])), [1.0])
    within = cox_fit(X[["age"]], EVENT, TIME, strata=np.arange(N) % 2)
    with pytest.raises(InputError, match="one per stratum"):
        plots.nomogram(within, X[["age"]], [1.0])
