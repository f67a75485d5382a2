"""The page about one patient: what is drawn is the row of the table, the percentiles and the reasons."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv import plots
from jaxsurv.types import InputError

ROW = pd.Series(
    {"risk": 0.8, "percentile": 83.2, "survival_10": 0.4, "survival_0": 1.0, "survival_5.5": 0.7,
     "group": "high"},
    name="P7",
)  # fmt: skip
TRAINING = np.linspace(-2, 2, 101)
WHY = pd.Series(
    [0.1, -0.5, 0.0, 0.9, -0.2],
    pd.MultiIndex.from_product([["rna"], ["a", "$b", "c", "_d", "e"]]),
)


def test_the_panels_show_the_row_the_percentiles_and_the_largest_contributions():
    figure = plots.patient_sheet(ROW, TRAINING, WHY, top=3, unit="days", title="P7")
    figure.draw_without_rendering()
    curve, place, why = figure.axes
    x, y = curve.lines[0].get_data()
    assert (x.tolist(), y.tolist()) == ([0, 5.5, 10], [1.0, 0.7, 0.4])  # in the order of time
    assert curve.get_title(loc="left") == "median 10 days; 40% at 10"
    assert place.lines[0].get_xdata()[0] == 0.8
    assert sum(p.get_height() for p in place.patches) == 101
    assert place.get_title(loc="left") == "high risk, percentile 83"
    assert [t.get_text() for t in why.get_yticklabels()] == ["rna _d", "rna $b", "rna e"]
    assert [p.get_width() for p in why.patches] == [0.9, -0.5, -0.2]
    assert why.get_xlabel().endswith("+0.10 of all others")
    never = plots.patient_sheet(ROW.replace({0.4: 0.6}), TRAINING, WHY).axes[0]
    assert never.get_title(loc="left").startswith("median not reached")


def test_what_is_missing_is_named():
    with pytest.raises(InputError, match="risk_table with times="):
        plots.patient_sheet(ROW.drop(["survival_0", "survival_10"]), TRAINING, WHY)
    with pytest.raises(InputError, match=r"101 percentiles, got shape \[2\]"):
        plots.patient_sheet(ROW, [0.0, 1.0], WHY)


def test_it_reads_what_an_estimator_gives():
    from jaxsurv.data import load_tcga_acc
    from jaxsurv.estimators import Coxnet

    cohort = load_tcga_acc()
    model = Coxnet(components=2, n_lambdas=10).fit(cohort, "os")
    table = model.risk_table(cohort, np.linspace(0, 2000, 11))
    who = str(table.index[3])
    why = model.explain(cohort, steps=8).patients.loc[who]
    figure = plots.patient_sheet(table.loc[who], model.fitted().cohort.percentiles, why)
    figure.draw_without_rendering()
    assert len(figure.axes[0].lines[0].get_xdata()) == 11
