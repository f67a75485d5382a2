"""The study of outcome heads. Five programs to compile, hence slow."""

import numpy as np
import pandas as pd
import pytest

from experiments import heads
from jaxsurv.models.heads import HEADS

ONE = [head for head in HEADS if head != "competing"]  # of one kind of event


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no feature of mutation")
def test_smoke(tmp_path):
    assert heads.main(["--preset", "smoke", "--out", str(tmp_path / "r")]) == 0
    summary = pd.read_csv(tmp_path / "r" / "summary.csv").set_index("setting")
    slopes = pd.read_csv(tmp_path / "r" / "calibration.csv").set_index("setting")
    assert list(slopes.index) == ONE
    assert np.isfinite(slopes["mean"]).all()
    assert (slopes.loc["cox", ["reference_mean", "undefined"]] == 0).all()
    other = summary.loc[ONE[1:]]
    assert other["ibs_reference_mean"].abs().gt(0).all()
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Minus cox, whose calibration slope is" in page
    assert all(f"{head}: C " in page for head in ONE[1:])
