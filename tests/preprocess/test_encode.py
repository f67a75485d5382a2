"""Tables as numbers: a small cohort worked by hand, and the bundled one end to end."""

import jax
import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, load_tcga_acc
from jaxsurv.preprocess import encode, fit_scaler, sort_columns, transform, two_valued

PATIENTS = ["p1", "p2", "p3", "p4"]
_ = np.nan


@pytest.fixture(scope="module")
def encoded():
    survival = pd.DataFrame({"os_time": [4.0, 3, 2, 1], "os_event": [1, 0, 1, 0]}, PATIENTS)
    return encode(
        Cohort(
            {
                # rows in another order than the survival table, and not all of them
                "rna": pd.DataFrame({"A": [7, 0, 3], "B": [1, _, 2**20 - 1]}, ["p4", "p1", "p2"]),
                "clinical": pd.DataFrame(
                    {
                        "age": [50.0, _, 61, 70],
                        "sex": ["male", "female", None, "male"],
                        "stage": ["ii", "iii", "i", None],
                        "smoker": [0, 1, _, 1],
                    },
                    PATIENTS,
                ),
                "mutation": pd.DataFrame({"TP53": [1, 0, _], "KRAS": [0, 1, 1]}, PATIENTS[:3]),
                "cnv": pd.DataFrame({"MYC": [-2, 0, 2], "EGFR": [-1, 1, _]}, PATIENTS[1:]),
                "protein": pd.DataFrame({"p53": [-1.5, 2.25]}, ["p3", "p1"]),
            },
            survival,
            kinds={"rna": "counts"},
        )
    )


def test_values_by_hand(encoded):
    columns = {
        "A": [0, 2, _, 3],
        "B": [_, 20, _, 1],
        "age": [50, _, 61, 70],
        "sex=male": [1, 0, _, 1],
        "stage=i": [0, 0, 1, _],
        "stage=ii": [1, 0, 0, _],
        "stage=iii": [0, 1, 0, _],
        "stage=(rank)": [2 + 1 / 3, 3 + 1 / 3, 1 + 1 / 3, _],
        "smoker": [0, 1, _, 1],
        "TP53": [1, 0, _, _],
        "KRAS": [0, 1, 1, _],
        "MYC": [_, -2, 0, 2],
        "EGFR": [_, -1, 1, _],
        "p53": [2.25, _, -1.5, _],
    }
    assert encoded.names == tuple(columns)
    assert encoded.x.dtype == np.float32
    np.testing.assert_array_equal(encoded.x, np.float32(list(columns.values())).T)


def test_each_modality_has_its_columns_and_patients(encoded):
    start = {m: (c.start, c.stop) for m, c in encoded.columns.items()}
    assert start == {
        "rna": (0, 2),
        "clinical": (2, 9),
        "mutation": (9, 11),
        "cnv": (11, 13),
        "protein": (13, 14),
    }
    presence = {m: p.tolist() for m, p in encoded.presence.items()}
    assert presence == {
        "rna": [1, 1, 0, 1],
        "clinical": [1, 1, 1, 1],
        "mutation": [1, 1, 1, 0],
        "cnv": [0, 1, 1, 1],
        "protein": [1, 0, 1, 0],
    }


def test_what_a_feature_is(encoded):
    named = np.array(encoded.names)
    codes = {"sex=male", "stage=i", "stage=ii", "stage=iii", "smoker"}
    assert set(named[encoded.measured]) == codes | {"A", "B", "age", "p53", "stage=(rank)"}
    assert set(named[two_valued(encoded.x, np.ones(4, bool))]) == codes | {"TP53", "KRAS"}


def test_order_sorts_every_column_missing_last(encoded):
    features = sort_columns(encoded)
    ordered = np.take_along_axis(features.x, features.order, axis=0)
    np.testing.assert_array_equal(ordered, np.sort(encoded.x, axis=0))


def test_tcga_acc_end_to_end():
    cohort = load_tcga_acc()
    encoded = encode(cohort)
    rna = cohort.modalities["rna"]
    rows = cohort.survival.index.get_indexer(rna.index)
    np.testing.assert_allclose(encoded.x[rows, encoded.columns["rna"]], np.log2(rna + 1), rtol=1e-6)
    where = np.arange(92) % 3 > 0
    standardise = jax.jit(lambda f, where: transform(fit_scaler(f, where), f.x))
    z = np.asarray(standardise(sort_columns(encoded), where))
    assert z.shape == (92, len(encoded.names))
    assert np.isfinite(z).all()
    for modality, columns in encoded.columns.items():
        absent = encoded.presence[modality] == 0
        assert absent.sum() == 92 - len(cohort.modalities[modality])
        assert not z[absent, columns].any()
    known = where[:, None] & np.isfinite(encoded.x)
    count = known.sum(axis=0)
    within = np.abs(z).max(axis=0, where=known, initial=0) < 4.99  # others are clipped once more
    assert within.mean() > 0.8
    np.testing.assert_allclose((z * known).sum(axis=0)[within] / count[within], 0, atol=1e-5)
    sd = np.sqrt((z**2 * known).sum(axis=0) / count)
    assert (sd < 1 + 1e-5).all()
    two = np.asarray(two_valued(encoded.x, where))
    np.testing.assert_allclose(sd[(sd > 0) & encoded.measured & ~two & within], 1, rtol=1e-4)
    carriers = np.nansum(encoded.x[where][:, two], axis=0)
    common = (carriers >= 5) & (count[two] - carriers >= 5)
    assert 0 < common.sum() < two.sum()
    np.testing.assert_array_equal(sd[two] > 0, common)
