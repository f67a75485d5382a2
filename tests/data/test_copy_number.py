import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, five_states
from jaxsurv.types import InputError


def table(values):
    return pd.DataFrame({"gene": values}, index=[f"p{i}" for i in range(len(values))])


def states(values, *arguments, **options):
    return five_states(table(values), *arguments, **options)["gene"].tolist()


def test_states_of_log_ratios_by_hand():
    values = [-1.11, -1.1, -0.11, -0.1, 0, 0.1, 0.11, 0.7, 0.71]
    assert states(values, "log2_ratio") == [-2, -1, -1, 0, 0, 0, 1, 1, 2]
    assert states(values, "log2_ratio", thresholds=(-1, -0.5, 0.105, 0.2)) == [
        -2, -2, 0, 0, 0, 0, 1, 2, 2,
    ]  # fmt: skip


def test_states_of_copies_by_hand():
    values = [0, 0.4, 1, 1.6, 2, 2, 2.4, 3, 3.6, 9]
    assert states(values, "copies") == [-2, -2, -1, 0, 0, 0, 0, 1, 2, 2]


def test_missing_values_stay_missing_and_states_are_a_kind():
    values = table([np.nan, -0.5, 0.0, 0.05, 2.0]).assign(other=[0.5, 0.0, 0.0, -0.2, 0.0])
    frame = five_states(values, "log2_ratio")
    assert np.isnan(frame["gene"].iloc[0])
    survival = pd.DataFrame({"os_time": np.arange(1.0, 6), "os_event": 1}, frame.index)
    assert Cohort({"cnv": frame}, survival).kinds["cnv"] == "five_state"


def test_a_declared_kind_says_how_to_get_states():
    frame = table([-0.5, 0.0, 0.3])
    survival = pd.DataFrame({"os_time": np.arange(1.0, 4), "os_event": 1}, frame.index)
    with pytest.raises(InputError, match="five_states"):
        Cohort({"cnv": frame}, survival, kinds={"cnv": "five_state"})


@pytest.mark.parametrize(
    ("values", "scale", "message"),
    [
        ([1.0, 2.0, 3.0], "log2_ratio", "are these absolute"),
        ([-1.0, 0.0, 1.0], "log2_ratio", "states already"),
        ([-0.2, 2.0], "copies", r"negative number of copies -0.2 in column 'gene', patient 'p0'"),
        ([2.0, np.inf], "copies", "inf"),
        (["2", "gain"], "copies", "the value 'gain'"),
        ([np.nan, np.nan], "copies", "no value"),
        ([2.0], "ratio", "scale must be one of"),
    ],
)
def test_refusals(values, scale, message):
    with pytest.raises(InputError, match=message):
        states(values, scale)


@pytest.mark.parametrize("thresholds", [(0, 1, 2), (0, 0, 1, 2), (2, 1, 0, -1)])
def test_thresholds_increase(thresholds):
    with pytest.raises(InputError, match="four increasing numbers"):
        states([-1.0, 0.5], "log2_ratio", thresholds=thresholds)


@pytest.mark.parametrize(
    ("values", "scale", "counts_as"),
    [([3, 4, 4], "copies", "gain"), ([-2.1, -0.4, 0.1], "log2_ratio", "loss")],
)
def test_a_cohort_off_centre_is_told(values, scale, counts_as):
    with pytest.warns(DataWarning, match=f"counts as a {counts_as}"):
        states(values, scale)
