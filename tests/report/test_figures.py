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


def test_curves_come_with_hazard_ratio_and_p_where_there_are_any(found):
    _, picture = survival_curves(found, "a", "b")
    assert "'a': hazard ratio " in picture.finding
    assert picture.finding.count("log-rank p < 0.0001") == 1
    assert picture.finding.endswith("'b': nobody is above the median risk.")
    assert "nan" not in picture.caption
