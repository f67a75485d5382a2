"""The loss over devices against the loss on one, and against its definition."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType

from jaxsurv.survival import (
    neg_log_partial_likelihood,
    prepare_risk_sets,
    shard_risk_sets,
    sharded_neg_log_partial_likelihood,
)
from jaxsurv.types import InputError
from tests.survival.naive_cox import naive_loss
from tests.survival.reference_cox import quick_jit

N = 61  # no multiple of 2 or 4
RANK = np.arange(N)
RNG = np.random.default_rng(0)
EVENT, TIME = RNG.random(N) < 0.6, RNG.exponential(1, N)
LAST = np.quantile(TIME, 0.4)
WEIGHTS = RNG.choice([0.0, 0.5, 1.0, 3.0], N)
CASES = {
    "no ties": (EVENT, TIME, {}),
    "tied across every border": (EVENT, RANK // 13, {}),
    "one time": (EVENT, np.ones(N), {}),
    "all events first": (RANK < 9, RANK, {}),
    "all events last": (RANK > 51, RANK // 3, {}),
    "follow-up ends on one day": (EVENT & (TIME < LAST), np.minimum(TIME, LAST), {}),
    "weights": (EVENT, np.ceil(4 * TIME), {"weights": WEIGHTS}),
    "some rows": (EVENT, np.ceil(4 * TIME), {"where": RANK % 3 > 0}),
    "a block without rows": (RANK[:3] < 2, RANK[:3], {}),
    "no event": (RANK < 0, TIME, {}),
}


@partial(quick_jit, static_argnames="ties")
def loss_and_gradient(log_hazard, risk_sets, ties="efron"):
    return jax.value_and_grad(sharded_neg_log_partial_likelihood)(
        log_hazard, risk_sets, ties=ties, reduction="sum"
    )


@partial(quick_jit, static_argnames="ties")
def on_one_device(log_hazard, risk_sets, ties="efron"):
    return jax.value_and_grad(
        lambda x: neg_log_partial_likelihood(x, risk_sets=risk_sets, ties=ties, reduction="sum")
    )(log_hazard)


def over_devices(log_hazard, event, time, ties="efron", **options):
    """The summed loss, and its gradient in the order of the rows."""
    risk_sets = shard_risk_sets(prepare_risk_sets(event, time, **options))
    loss, gradient = loss_and_gradient(risk_sets.place(log_hazard), risk_sets, ties)
    return loss, risk_sets.to_rows(gradient)


def equals_one_device(case, ties):
    event, time, options = CASES[case]
    for scale in (1, 300):  # in plain numbers, and in logs
        x = scale * np.random.default_rng(1).normal(size=len(time))
        expected, gradient = on_one_device(x, prepare_risk_sets(event, time, **options), ties)
        got, got_gradient = over_devices(x, event, time, ties, **options)
        np.testing.assert_allclose(got, expected, rtol=1e-12)
        np.testing.assert_allclose(got_gradient, gradient, rtol=1e-12, atol=1e-14 * event.any())


@pytest.mark.parametrize(
    ("case", "ties"),
    [*((case, "efron") for case in CASES), ("one time", "breslow"), ("weights", "breslow")],
)
@pytest.mark.usefixtures("x64")
def test_equals_one_device(case, ties):
    equals_one_device(case, ties)


def test_equals_one_device_on_four():
    """In a process of its own, since devices are counted once."""
    code = (
        "import jax; jax.config.update('jax_num_cpu_devices', 4)\n"
        "jax.config.update('jax_enable_x64', True)\n"
        "from tests.survival import test_sharded as here\n"
        "assert jax.device_count() == 4\n"
        "for case in here.CASES:\n"
        "    here.equals_one_device(case, 'efron')\n"
        "print('equal')"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.stdout == "equal\n", done.stderr


@pytest.mark.parametrize(
    "scores",
    [
        100 * RNG.normal(size=N),
        300 - 600 * TIME / TIME.max(),  # late risk sets are tiny
        600 * TIME / TIME.max() - 300,
        np.where(np.median(TIME) == TIME, 300, RNG.normal(size=N)),
        RNG.uniform(-1e4, 1e4, N),
    ],
)
def test_float32_is_exact_over_any_spread(scores):
    scores = scores.astype(np.float32)
    loss, gradient = over_devices(scores, EVENT, np.ceil(4 * TIME))
    naive, naive_gradient = naive_loss(scores, EVENT, np.ceil(4 * TIME))
    assert abs(loss - naive) <= 1e-6 * naive
    unit = np.spacing(np.abs(scores).max())  # what a score is known to
    np.testing.assert_allclose(gradient, naive_gradient, rtol=1e-4, atol=max(1e-6, 2 * unit))


def test_float32_of_many_rows():
    n = 30_000  # of several blocks of totals
    rng = np.random.default_rng(2)
    event, time = rng.random(n) < 0.3, np.ceil(rng.exponential(500, n))
    scores = rng.normal(size=n).astype(np.float32)
    expected, gradient = on_one_device(scores, prepare_risk_sets(event, time))
    got, got_gradient = over_devices(scores, event, time)
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    np.testing.assert_allclose(got_gradient, gradient, rtol=1e-5, atol=1e-6)


def test_a_block_without_rows_costs_no_digits():
    scores = np.float32([-8192.25, -8192.0])  # tied, so that one device has both
    loss, _ = over_devices(scores, np.ones(2), np.ones(2))
    np.testing.assert_allclose(loss, naive_loss(scores, np.ones(2), np.ones(2))[0], rtol=1e-6)


@pytest.mark.usefixtures("x64")
def test_derivatives_of_parameters_and_of_second_order():
    features = RNG.normal(size=(N, 3))
    coefficients = np.array([0.5, -1.0, 2.0])
    alone = prepare_risk_sets(EVENT, np.ceil(4 * TIME))
    risk_sets = shard_risk_sets(alone)
    x = risk_sets.place(features)

    def loss(b):
        return sharded_neg_log_partial_likelihood(x @ b, risk_sets)

    def loss_alone(b):
        return neg_log_partial_likelihood(features @ b, risk_sets=alone)

    for derivative in (jax.grad, jax.hessian):
        np.testing.assert_allclose(
            quick_jit(derivative(loss))(coefficients),
            quick_jit(derivative(loss_alone))(coefficients),
            atol=1e-13,
        )


def test_tied_events_stay_together_and_blocks_are_even():
    for event, time, options in CASES.values():
        row = shard_risk_sets(prepare_risk_sets(event, time, **options)).row.reshape(2, -1)
        assert sorted(row[row >= 0]) == list(range(len(time)))
        assert (row[:, [0, -1]] == -1).all()
        first, second = (set(np.asarray(time)[r][np.asarray(event)[r]]) for r in _rows(row))
        assert not first & second
    event, time, _ = CASES["follow-up ends on one day"]
    first, second = _rows(shard_risk_sets(prepare_risk_sets(event, time)).row.reshape(2, -1))
    assert (len(first), len(second)) == (30, 31)


def _rows(blocks):
    return [block[block >= 0] for block in blocks]


def test_only_totals_travel_between_devices():
    risk_sets = shard_risk_sets(prepare_risk_sets(EVENT, TIME))
    x = risk_sets.place(np.float32(TIME))
    program = loss_and_gradient.lower(x, risk_sets).compile()
    assert program.output_shardings[1] == x.sharding
    travels = re.findall(
        r"= (\w+\[[\d,]*\])\S* (?:all-gather|all-reduce|all-to-all|collective-permute)\(",
        program.as_text(),
    )
    assert set(travels) == {"f32[2]", "f32[]"}


def test_rows_come_from_a_memory_map_and_go_back(tmp_path):
    table = np.arange(N * 2, dtype=np.float32).reshape(N, 2)
    np.save(tmp_path / "x.npy", table)
    risk_sets = shard_risk_sets(prepare_risk_sets(EVENT, TIME))
    placed = risk_sets.place(np.load(tmp_path / "x.npy", mmap_mode="r"))
    assert len(placed.addressable_shards) == 2
    np.testing.assert_array_equal(risk_sets.to_rows(placed), table)
    there = risk_sets.row >= 0
    assert (np.diff(TIME[risk_sets.row[there]]) >= 0).all()


def test_what_stands_at_free_places_is_ignored():
    risk_sets = shard_risk_sets(prepare_risk_sets(EVENT, TIME))
    x = risk_sets.place(np.float32(TIME))
    other = jnp.where(risk_sets.row >= 0, x, jnp.nan)
    for got, expected in zip(
        loss_and_gradient(other, risk_sets), loss_and_gradient(x, risk_sets), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


def test_refuses_by_name():
    alone = prepare_risk_sets(EVENT, TIME)
    risk_sets = shard_risk_sets(alone)
    x = risk_sets.place(TIME)
    explicit = jax.make_mesh((2,), ("time",), axis_types=(AxisType.Explicit,))
    square = jax.make_mesh((2, 1), ("a", "b"), axis_types=(AxisType.Auto,) * 2)
    strata = prepare_risk_sets(EVENT, TIME, strata=RANK % 2)
    for match, call in {
        "strata cannot be cut": lambda: shard_risk_sets(strata),
        "delayed entry cannot be cut": lambda: shard_risk_sets(
            prepare_risk_sets(EVENT, TIME, entry=TIME / 2)
        ),
        "one axis, of type Auto, got .*Explicit": lambda: shard_risk_sets(alone, explicit),
        "one axis, of type Auto, got axes": lambda: shard_risk_sets(alone, square),
        "each of the 61 patients, got \\[60, 1\\]": lambda: risk_sets.place(TIME[:60, None]),
        "places.* = \\[66\\], got \\[61\\]; compute it from": lambda: (
            sharded_neg_log_partial_likelihood(TIME, risk_sets)
        ),
        "log_hazard has NaN": lambda: sharded_neg_log_partial_likelihood(x * np.nan, risk_sets),
        "ties must be": lambda: sharded_neg_log_partial_likelihood(x, risk_sets, ties="exact"),
        "reduction must be": lambda: sharded_neg_log_partial_likelihood(
            x, risk_sets, reduction="none"
        ),
    }.items():
        with pytest.raises(InputError, match=match):
            call()
