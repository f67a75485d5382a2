"""The RBF kernel and the median bandwidth against their definitions in NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxsurv.divergences import hsic, median_bandwidth, mmd2, mmd2_standard_normal, rbf_kernel
from jaxsurv.types import InputError
from tests.divergences import naive

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 3)), RNG.normal(size=(5, 3))

median = jax.jit(lambda x, y, where: median_bandwidth(x, y, where=where))


def distances(z):
    return np.sqrt(((z[:, None] - z[None]) ** 2).sum(-1))[np.triu_indices(len(z), 1)]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("bandwidth", [0.7, np.array([0.5, 1.0, 4.0])])
def test_kernel_is_its_definition(bandwidth):
    ours = rbf_kernel(X, Y, bandwidth=bandwidth)
    np.testing.assert_allclose(ours, naive.kernel(X, Y, bandwidth), rtol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e3])
def test_kernel_stays_a_kernel_in_float32(offset):
    x = np.float32(RNG.normal(size=(50, 8)) + offset)
    k = np.asarray(rbf_kernel(x, x, bandwidth=0.05))
    assert k.max() <= 1  # no squared distance below zero
    np.testing.assert_allclose(np.diag(k), 1, atol=5e-3)
    wide = rbf_kernel(x, x, bandwidth=3.0)
    np.testing.assert_allclose(wide, naive.kernel(x.astype(float), x.astype(float), 3), atol=1e-4)


@pytest.mark.usefixtures("x64")
def test_derivatives_where_points_coincide():
    x = np.vstack([X, X[:2]])

    def total(x, y):
        return rbf_kernel(x, y, bandwidth=1.3).sum()

    check_grads(jax.jit(total), (x, X), order=1, modes=["rev"])
    hessian = jax.hessian(total)(X[:1], X[:1])[0, :, 0]
    np.testing.assert_allclose(hessian, -np.eye(3) / 1.3**2, atol=1e-12)


@pytest.mark.usefixtures("x64")
def test_median_against_another_package(reference):
    table, expected = reference("kernels", "kernels.json")
    z = table[expected["columns_used"]].to_numpy(float)[:100]
    for ours in (median_bandwidth(z), median_bandwidth(z[:30], z[30:])):
        np.testing.assert_allclose(ours, expected["median_pairwise_distance_first100"], rtol=1e-9)


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_median_of_any_number_of_pairs(n):
    where, z = np.arange(7) < n, X.copy()
    z[~where] = np.nan
    alone = median_bandwidth(z, where=where)
    np.testing.assert_allclose(alone, np.median(distances(X[:n])), rtol=1e-5)
    pooled = median(z, Y, where)
    np.testing.assert_allclose(pooled, np.median(distances(np.vstack([X[:n], Y]))), rtol=1e-5)


def test_median_of_many_rows_is_that_of_some():
    x = RNG.normal(size=(3000, 4))
    where = np.arange(3000) % 3 > 0  # 2,000 rows: few enough for all pairs
    some = np.median(distances(x[where]))
    np.testing.assert_allclose(median_bandwidth(x, where=where), some, rtol=1e-5)
    np.testing.assert_allclose(median_bandwidth(x), some, rtol=0.02)
    sorted_rows = np.sort(x, axis=0)  # the first rows alone would be too close to each other
    np.testing.assert_allclose(
        median_bandwidth(sorted_rows), np.median(distances(sorted_rows[::3])), rtol=0.02
    )


def test_median_is_a_usable_constant():
    assert median_bandwidth(np.zeros((3, 2))) == 1
    assert median(X, Y[:1], np.zeros(7, bool)) == 1
    assert not jax.grad(lambda x: median_bandwidth(x, Y))(jnp.asarray(X)).any()


def test_refusals():
    with pytest.raises(
        InputError, match=r"x must have shape \[n, d\], got \[7\]; use x\[:, None\]"
    ):
        rbf_kernel(X[:, 0], Y, bandwidth=1.0)
    with pytest.raises(InputError, match=r"equally many columns, got \[7, 3\] and \[5, 2\]"):
        rbf_kernel(X, Y[:, :2], bandwidth=1.0)
    with pytest.raises(InputError, match=r"bandwidth must be finite and > 0, got 0"):
        rbf_kernel(X, Y, bandwidth=0.0)
    with pytest.raises(InputError, match=r"bandwidth must be .* got shape \[2, 2\]"):
        rbf_kernel(X, Y, bandwidth=np.ones((2, 2)))
    with pytest.raises(InputError, match=r"where must have shape \[n\] = \[7\], got \[7, 1\]"):
        median_bandwidth(X, where=np.ones((7, 1), bool))


@pytest.mark.parametrize("scale", [1e20, 1e-20])
@pytest.mark.parametrize(
    "statistic",
    [
        lambda x, y, b: mmd2(x, y, bandwidth=b),
        lambda x, y, b: mmd2(x, y, bandwidth=b * np.array([0.5, 1, 2]), estimator="unbiased"),
        lambda x, y, b: hsic(x, y, bandwidth_x=b, bandwidth_y=b),
        lambda x, y, b: hsic(x, y / b, bandwidth_x=b, bandwidth_y=1.0, estimator="unbiased"),
        lambda x, y, b: rbf_kernel(x, y, bandwidth=b),
    ],
    ids=["mmd2", "mixture", "hsic", "hsic of one", "kernel"],
)
def test_the_unit_of_the_data_changes_nothing(statistic, scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(12, 2))
    y, where = 1 + x**2, np.arange(12) != 3
    bandwidth = median_bandwidth(x, y, where=where)
    changed = np.where(where[:, None], x * scale, 1e30)  # what is masked has no scale
    of_all = median_bandwidth(changed, y * scale, where=where)
    np.testing.assert_allclose(of_all, bandwidth * scale, rtol=1e-5)
    b = float(bandwidth)
    got = statistic(x * scale, y * scale, b * scale)
    np.testing.assert_allclose(got, statistic(x, y, b), rtol=1e-4, atol=1e-6)


STATISTICS = {
    "mmd2": (
        lambda x, y, b: mmd2(x, y, bandwidth=b),
        lambda x, y, b: naive.mmd2(x, y, b, "biased"),
    ),
    "unbiased": (
        lambda x, y, b: mmd2(x, y, bandwidth=[b, 2 * b], estimator="unbiased"),
        lambda x, y, b: naive.mmd2(x, y, [b, 2 * b], "unbiased"),
    ),
    "hsic": (
        lambda x, y, b: hsic(x, y, bandwidth_x=b, bandwidth_y=2.0),
        lambda x, y, b: naive.hsic(x, y, b, 2.0, "biased"),
    ),
    "kernel": (
        lambda x, y, b: rbf_kernel(x, x, bandwidth=b),
        lambda x, y, b: naive.kernel(x, x, b),
    ),
    "normal": (
        lambda x, y, b: mmd2_standard_normal(x, bandwidth=b),
        lambda x, y, b: (
            naive.kernel(x, x, b).mean()
            + (b**2 / (b**2 + 2)) ** 1.5
            - 2 * np.mean((b**2 / (b**2 + 1)) ** 1.5 * np.exp(-(x**2).sum(1) / (2 * (b**2 + 1))))
        ),
    ),
}
WIDE = np.random.default_rng(1).normal(size=(14, 3))
FAR = {
    "1e20": 1e20 * WIDE,
    "1e-20": 1e-20 * WIDE,
    "1e5": 1e5 * WIDE,
    "clusters": WIDE + 3e4 * (np.arange(14) % 2)[:, None],
    "one far": np.where(np.arange(14)[:, None] == 5, 1e20, WIDE),
}


@pytest.mark.parametrize("bandwidth", [1.0, 1e20, 1e-20])
@pytest.mark.parametrize("data", FAR)
@pytest.mark.parametrize("name", STATISTICS)
def test_samples_of_another_size_than_the_bandwidth_are_right_or_refused(name, data, bandwidth):
    ours, right = STATISTICS[name]
    y = np.roll(WIDE, 1, axis=1)
    others = {"hsic": 0.0, "kernel": 0.0}.get(name, 1.0)  # y, or the prior, are about 1 wide
    if max(np.ptp(FAR[data]), others) > 1e7 * bandwidth:
        with pytest.raises(InputError, match=r"x.* vary by .*beside bandwidth.*median_bandwidth"):
            ours(FAR[data], y, bandwidth)
        return
    got = ours(FAR[data], y, bandwidth)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, right(FAR[data], y, bandwidth), rtol=1e-5, atol=3e-7)
    single = ours(FAR[data].astype(np.float32), y.astype(np.float32), bandwidth)
    np.testing.assert_allclose(single, got, rtol=1e-2, atol=3e-7)


@pytest.mark.parametrize("data", FAR)
def test_the_median_does_not_depend_on_a_far_row(data):
    x = FAR[data]
    np.testing.assert_allclose(median_bandwidth(x), np.median(distances(x)), rtol=1e-5)
    both = np.concatenate([x, 1 + WIDE])
    np.testing.assert_allclose(median_bandwidth(x, 1 + WIDE), np.median(distances(both)), rtol=1e-5)
    some = np.arange(14) != 5
    np.testing.assert_allclose(
        median_bandwidth(x, where=some), np.median(distances(x[some])), rtol=1e-5
    )
    many = np.tile(x, (200, 1)) * (1 + 1e-3 * np.arange(2800))[:, None]
    rows = np.floor(2800 / 2048 * np.arange(2048)).astype(int)
    np.testing.assert_allclose(median_bandwidth(many), np.median(distances(many[rows])), rtol=1e-5)


def test_a_median_of_zero_is_one_at_every_scale():
    assert median_bandwidth(np.append(np.zeros(9), 1e20)[:, None]) == 1


def test_an_offset_between_columns_is_no_width():
    apart = WIDE + np.array([0.0, 60.0, 1.7e9])
    got = mmd2(apart, apart[:9], bandwidth=1.0)
    np.testing.assert_allclose(got, naive.mmd2(apart, apart[:9], 1.0, "biased"), atol=1e-6)
