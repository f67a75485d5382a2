"""The log-rank test against R's survdiff and its invariances."""

import jax
import numpy as np
import pytest
from scipy import stats

from jaxsurv.survival import logrank_test
from jaxsurv.types import InputError


@pytest.mark.parametrize(
    ("name", "jit"),
    [(n, False) for n in ("aml", "gbsg", "lung", "ovarian", "rats", "veteran")] + [("gbsg", True)],
)
@pytest.mark.usefixtures("x64")
def test_equals_r(reference, name, jit):
    table, numbers = reference(name)
    cases = [case for cases in numbers["logrank"].values() for case in cases]
    for expected in cases[-1:] if jit else cases:  # the last is stratified, with rho = 1
        group = table[expected["group"]].astype(str).to_numpy()
        strata = None if expected["strata"] is None else table[expected["strata"]].to_numpy()

        def test(event, time, strata, group=group, rho=expected["rho"]):
            return logrank_test(event, time, group, strata=strata, rho=rho)

        result = (jax.jit(test) if jit else test)(
            table["event"].to_numpy(), table["time"].to_numpy(), strata
        )
        keys = ("chisq", "p_value", "df", "observed", "expected")
        for ours, key in zip(result, keys, strict=True):
            np.testing.assert_allclose(ours, expected[key], rtol=1e-9, err_msg=key)


def test_masks_are_subsets_and_an_empty_group_counts_for_nothing():
    rng = np.random.default_rng(0)
    event, time, group = rng.random(60) < 0.6, rng.integers(1, 20, 60), rng.integers(0, 3, 60)
    here = group < 2
    masked = logrank_test(event, time, group, where=here)
    alone = logrank_test(event[here], time[here], group[here])
    np.testing.assert_allclose(masked[:3], alone[:3], rtol=1e-5)
    assert float(masked.degrees_of_freedom) == 1
    order = rng.permutation(60)
    shuffled = logrank_test(event[order], time[order], group[order], where=here[order])
    np.testing.assert_allclose(shuffled.statistic, masked.statistic, rtol=1e-6)


def test_p_values_are_uniform_without_a_difference():
    rng = np.random.default_rng(1)
    time, censoring = rng.exponential(1, (400, 80)), rng.exponential(2, (400, 80))
    group = np.arange(80) % 3
    p = jax.vmap(lambda e, t: logrank_test(e, t, group).p_value)(
        time <= censoring, np.minimum(time, censoring)
    )
    assert stats.kstest(np.asarray(p, float), "uniform").pvalue > 0.01


def test_refusals():
    event, time = np.ones(3), np.arange(3.0)
    with pytest.raises(InputError, match="needs two groups, found 1"):
        logrank_test(event, time, np.zeros(3))
    with pytest.raises(InputError, match=r"one common length, got time \[3\], group \[2\]"):
        logrank_test(event, time, np.zeros(2))
    with pytest.raises(InputError, match="group must be known while jit traces"):
        jax.jit(logrank_test)(event, time, np.arange(3))
