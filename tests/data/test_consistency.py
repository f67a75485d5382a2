"""What a hurried user's cohort gets wrong between its tables: names, text, the outcome as a feature."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, read_cohort
from jaxsurv.types import InputError

N = 60
RNG = np.random.default_rng(0)
NAMES = [f"PT{i:03d}" for i in range(N)]
OUTCOME = pd.DataFrame({"os_time": RNG.exponential(9, N), "os_event": RNG.integers(0, 2, N)}, NAMES)


def clinical(**columns):
    return pd.DataFrame({"age": RNG.normal(60, 9, N), **columns}, NAMES)


@pytest.mark.parametrize("column", ["os_time", "os_event"])
def test_the_outcome_is_no_feature(column):
    table = clinical(copy=OUTCOME[column].where(np.arange(N) % 3 > 0))
    with pytest.raises(
        InputError, match=f"'clinical': column copy is the outcome, equal to {column}"
    ):
        Cohort({"clinical": table}, OUTCOME)
    few = table.assign(copy=table["copy"].where(np.arange(N) < 25))  # equal in 16: may be chance
    Cohort({"clinical": few}, OUTCOME)
    almost = table.assign(copy=table["copy"].where(np.arange(N) != 1, 7.0))
    Cohort({"clinical": almost}, OUTCOME)


def test_text_that_is_no_category_is_told():
    with pytest.warns(
        DataWarning, match=r"no names, dates or remarks .*: id in 'clinical' \(such as 'n0'\)"
    ):
        Cohort({"clinical": clinical(id=[f"n{i}" for i in range(N)])}, OUTCOME)
    Cohort({"clinical": clinical(stage=["I", "II"] * (N // 2))}, OUTCOME)


@pytest.mark.parametrize(
    "form",
    [lambda v: f"{v:.1f}".replace(".", ","), "{:,.1f}".format],
    ids=["decimals", "thousands"],
)
def test_numbers_with_commas_are_not_taken_for_categories(form):
    psa = [form(v) for v in RNG.normal(5e3, 1e3, N)]
    table = clinical(sex=["m", "f"] * (N // 2), psa=psa)
    with pytest.raises(
        InputError, match=r"many numbers, the text '.*' in column 'psa'.*decimal point"
    ):
        Cohort({"clinical": table}, OUTCOME)


def test_whole_numbers_beside_none_are_numbers():
    age = pd.Series([*range(40, 40 + N - 1), None], NAMES, dtype=object)
    table = Cohort({"clinical": clinical(sex=["m", "f"] * (N // 2), age=age)}, OUTCOME).modalities[
        "clinical"
    ]
    assert table["age"].dtype == float
    assert np.isnan(table["age"].iloc[-1])


def test_none_in_a_file_is_a_category(tmp_path):
    OUTCOME.to_csv(tmp_path / "survival.csv")
    clinical(nodes=["None", "few", "NA"] * (N // 3)).to_csv(tmp_path / "clinical.csv")
    nodes = read_cohort(tmp_path).modalities["clinical"]["nodes"]
    assert nodes.iloc[:2].tolist() == ["None", "few"]
    assert nodes.isna().sum() == N // 3
