"""What figures of a study say in words."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from jaxsurv.report.figures import survival_curves


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    risk = rng.normal(size=80)
    columns = {"risk": risk, "event": 1, "time": rng.exponential(np.exp(-2 * risk)), "setting": "a"}
    table = pd.DataFrame(columns)
    cohort = SimpleNamespace(name="some", time_unit="days")
    data = SimpleNamespace(
        cohort=cohort,
        endpoint="os",
        splits=SimpleNamespace(test=np.ones((1, 80), bool)),
        event=np.ones(80),
    )
    return SimpleNamespace(
        predictions=pd.concat([table, table.assign(setting="b", risk=0.0)]), data=data
    )


def test_curves_come_with_the_hazard_ratio_where_there_is_one_and_without_p(found):
    _, picture = survival_curves(found, "a", "b")
    assert "'a': hazard ratio " in picture.finding
    assert "p =" not in picture.finding + picture.caption
    assert " to " not in picture.finding  # no interval either
    assert "11 % of cohorts without any signal" in picture.caveat
    assert picture.finding.endswith("'b': nobody is above the median risk.")
    assert "nan" not in picture.caption
