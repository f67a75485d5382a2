"""Selection against naive NumPy twins, and that it sees nothing but the rows that it is given."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jaxsurv.preprocess import (
    Features,
    drop_correlated,
    fit_scaler,
    select_by_elastic_net,
    select_by_variance,
    top_variance,
)
from jaxsurv.survival import coxnet_path

N, D = 60, 8
_ = np.nan


def table(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, D)) * rng.permutation(np.arange(D))  # one column is constant
    x[rng.random(x.shape) < 0.1] = np.nan
    return x.astype(np.float32)


def test_variance_by_hand():
    x = np.array([[1, 5, 0], [3, 5, _], [5, 5, 4], [99, 99, 99]], np.float32)
    where = np.array([True, True, True, False])
    assert top_variance(x, where, 1).tolist() == [False, False, True]  # 8/3, 0, 4
    assert top_variance(x, where, 3).tolist() == [True, False, True]


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_every_mask_of_a_vmap_takes_the_naive_top(seed):
    x, masks = table(seed), np.random.default_rng(seed).random((3, N)) < 0.5
    found = jax.jit(jax.vmap(lambda where: top_variance(x, where, 3)))(masks)
    for kept, where in zip(np.asarray(found), masks, strict=True):
        value = np.nanvar(x[where].astype(float), axis=0)
        np.testing.assert_array_equal(kept, np.isin(np.arange(D), np.argsort(-value)[:3]))


def naive_drop(z, where, among, priority, limit):
    r = np.abs(np.corrcoef(z[where].astype(float), rowvar=False))
    kept = []
    for j in sorted(range(z.shape[1]), key=lambda j: -priority[j]):
        if among[j] and all(r[j, k] < limit for k in kept):
            kept.append(j)
    return np.isin(np.arange(z.shape[1]), kept)


drop = jax.jit(drop_correlated)


@given(seed=st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_correlated_features_against_the_naive_twin(seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(N, 3)) @ rng.normal(size=(3, D)) + 0.2 * rng.normal(size=(N, D))
    z = z.astype(np.float32)
    z[:, 5] = 3 - 2 * z[:, 1]  # equal but for unit and sign
    where, among, priority = rng.random(N) < 0.7, rng.random(D) < 0.8, rng.normal(size=D)
    kept = np.asarray(drop(z, where, among, priority))
    np.testing.assert_array_equal(kept, naive_drop(z, where, among, priority, 0.9))
    assert not (kept[1] and kept[5])
    noise = np.where(where[:, None], z, 1e3 * rng.normal(size=z.shape)).astype(np.float32)
    np.testing.assert_array_equal(drop(noise, where, among, priority), kept)


def test_of_two_correlated_features_the_one_that_matters_more_stays():
    x = np.random.default_rng(0).normal(size=(N, 2))
    z = np.stack([x[:, 0], x[:, 0] + 0.1 * x[:, 1], x[:, 1], -x[:, 0]], axis=1)
    everyone, all_four = np.ones(N, bool), np.ones(4, bool)
    for priority, kept in (([4, 3, 2, 1], [0, 2]), ([1, 3, 2, 2], [1, 2]), ([0, 0, 0, 0], [0, 2])):
        found = drop(z, everyone, all_four, np.array(priority, float))
        assert np.flatnonzero(found).tolist() == kept
    found = drop(z, everyone, np.array([False, True, True, True]), np.array([4.0, 3, 2, 1]))
    assert np.flatnonzero(found).tolist() == [1, 2]


# --- by modality: genes, copy numbers, mutations, a small table, clinical

WIDTH = 14
COLUMNS = {m: slice(WIDTH * i, WIDTH * (i + 1)) for i, m in enumerate(["rna", "cnv", "mutation"])}
COLUMNS |= {"igh": slice(42, 46), "clinical": slice(46, 48)}
OMICS = {m: c for m, c in COLUMNS.items() if m != "clinical"}
PATIENTS = 150


@pytest.fixture(scope="module")
def cohort():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(PATIENTS, 48))
    x[:, COLUMNS["cnv"]] = np.digitize(x[:, COLUMNS["cnv"]], [-2, -1, 1, 2]) - 2
    x[:, 15] = x[:, 14]  # neighbours on a chromosome
    x[:, 28:46] = x[:, 28:46] > 0.5
    risk = 1.0 * x[:, 0] - 1.0 * x[:, 1] + 1.0 * x[:, 14] + 1.5 * x[:, 28]
    time = rng.exponential(np.exp(-risk))
    event = rng.random(PATIENTS) < 0.7
    presence = {m: np.ones(PATIENTS) for m in COLUMNS}
    presence["rna"][:40] = 0
    x[:40, COLUMNS["rna"]] = np.nan
    kind = np.arange(48)
    measured = (kind < 14) | (kind >= 46)
    x = x.astype(np.float32)
    features = Features(x, np.argsort(x, axis=0).astype(np.int32), measured)
    return features, presence, event, time


def elastic_net(cohort, where):
    features, presence, event, time = cohort
    scaler = jax.jit(fit_scaler)(features, where)
    return select_by_elastic_net(features, scaler, OMICS, presence, event, time, where)


def test_elastic_net_finds_what_matters_and_keeps_small_tables(cohort):
    kept = elastic_net(cohort, np.arange(PATIENTS) % 5 > 0)
    assert kept[[0, 1, 28]].all()
    assert kept[[14, 15]].sum() == 1  # equal copy numbers
    assert 3 <= kept[COLUMNS["rna"]].sum() < WIDTH
    assert kept[COLUMNS["mutation"]].sum() < WIDTH
    assert kept[42:].all()


def test_elastic_net_is_the_end_of_each_modalitys_own_path(cohort):
    features, presence, event, time = cohort
    where = np.arange(PATIENTS) % 5 > 0
    kept = elastic_net(cohort, where)
    for m, threshold in (("rna", 0.05), ("mutation", 0.2)):
        rows = where & (presence[m] > 0)
        x = features.x[rows, COLUMNS[m]].astype(float)
        z = (x - x.mean(axis=0)) / x.std(axis=0)
        path = coxnet_path(z, event[rows], time[rows], n_lambdas=5, lambda_min_ratio=0.01)
        coef = np.abs(np.asarray(path.coef[-1]))
        clear = np.abs(coef - threshold) > 0.01  # the scaler clips, and stops at a tolerance
        assert clear.sum() > 8
        np.testing.assert_array_equal(kept[COLUMNS[m]][clear], (coef > threshold)[clear])


def test_elastic_net_sees_only_rows_that_train_and_have_the_modality(cohort):
    features, presence, event, time = cohort
    where = np.arange(PATIENTS) % 5 > 0
    rng = np.random.default_rng(2)
    x, event, time = features.x.copy(), event.copy(), time.copy()
    x[~where] = rng.permuted(x[~where], axis=0)
    event[~where], time[~where] = rng.random((~where).sum()) < 0.5, rng.exponential(size=30)
    noisy = features._replace(x=x, order=np.argsort(x, axis=0).astype(np.int32))
    spoiled = elastic_net((noisy, presence, event, time), where)
    np.testing.assert_array_equal(spoiled, elastic_net(cohort, where))
    # the outcome of those who lack the modality says nothing about it
    event = cohort[2].copy()
    event[:40] = False
    other = elastic_net((features, presence, event, cohort[3]), where)
    rna = COLUMNS["rna"]
    np.testing.assert_array_equal(other[rna], elastic_net(cohort, where)[rna])


def test_without_events_nothing_of_a_modality_is_selected(cohort):
    features, presence, event, time = cohort
    kept = elastic_net((features, presence, event & (np.arange(PATIENTS) < 40), time), time > -1)
    assert not kept[COLUMNS["rna"]].any()
    assert kept[42:].all()


def test_top_variance_by_modality_before_z_scores_without_outliers(cohort):
    features = cohort[0]
    x = features.x.copy()
    x[:, COLUMNS["rna"]] *= np.float32(1.5) ** np.arange(WIDTH)
    x[60, 3] = 1e4  # one outlier
    where = np.ones(PATIENTS, bool)
    features = features._replace(x=x, order=np.argsort(x, axis=0).astype(np.int32))
    scaler = jax.jit(fit_scaler)(features, where)
    kept = select_by_variance(features, scaler, OMICS, where, k=4)
    assert np.flatnonzero(kept[COLUMNS["rna"]]).tolist() == [10, 11, 12, 13]
    assert [kept[c].sum() for c in COLUMNS.values()] == [4, 4, 4, 4, 2]
