"""Training from a stream against the same steps by hand, and what runs while it trains."""

import threading

import jax
import numpy as np
import optax
import pytest

from jaxsurv.data import open_rows
from jaxsurv.metrics import concordance_index
from jaxsurv.models import CoxNnetHParams, cox_nnet, table_batch
from jaxsurv.training import fit_stream, prefetched
from jaxsurv.types import InputError

from .toy import Rates, regression, rows

KEY = jax.random.key(0)
BATCHES = [rows(8, seed=i) for i in range(5)]


def in_order(seed):
    return BATCHES


def test_equals_the_same_steps_by_hand():
    held_out = rows(30, seed=9)
    result = fit_stream(KEY, regression, Rates(), in_order, passes=2, held_out=held_out)

    params = regression.init(jax.random.split(KEY)[0], BATCHES[0])
    transform = optax.adam(0.05)
    state = transform.init(params)
    losses, scores = [], []
    for _ in range(2):
        for batch in BATCHES:
            loss, gradient = jax.value_and_grad(regression.score)(params, batch)
            updates, state = transform.update(gradient, state)
            params = optax.apply_updates(params, updates)
            losses.append(loss)
        scores.append(regression.score(params, held_out))
    np.testing.assert_allclose(result.params, params, rtol=1e-5)
    np.testing.assert_allclose(
        result.history["error"], np.reshape(losses, (2, 5)).mean(axis=1), rtol=1e-5
    )
    np.testing.assert_allclose(result.history["validation"], scores, rtol=1e-5)
    assert result.teacher is None


def test_orders_and_noise_are_functions_of_the_key():
    seeds, noisy = [], Rates(noise=0.3)

    def draw(seed):
        seeds.append(seed)
        return BATCHES

    first = fit_stream(KEY, regression, noisy, draw, passes=3)
    again = fit_stream(KEY, regression, noisy, draw, passes=3)
    np.testing.assert_array_equal(first.params, again.params)
    of_run = seeds[: len(seeds) // 2]
    assert seeds == 2 * of_run
    assert len(set(of_run)) == 3  # one order for each pass
    other = fit_stream(jax.random.key(1), regression, noisy, draw)
    assert not np.allclose(other.params, first.params)

    drawing = regression._replace(
        loss=lambda params, batch, key, hparams: (0 * params[0], {"u": jax.random.uniform(key)})
    )

    def sums(steps):
        run = fit_stream(KEY, drawing, Rates(), lambda seed: BATCHES[:steps], passes=2)
        return steps * run.history["u"]

    of_steps = np.diff([[0, 0], sums(1), sums(2), sums(3)], axis=0)
    assert len(set(of_steps.ravel().round(4))) == 6


def test_hyperparameters_are_annealed_from_pass_to_pass():
    annealed = regression._replace(
        anneal=lambda hparams, progress: hparams._replace(noise=progress),
        loss=lambda params, batch, key, hparams: (0 * params[0], {"noise": hparams.noise}),
    )
    result = fit_stream(KEY, annealed, Rates(), in_order, passes=3)
    np.testing.assert_allclose(result.history["noise"], [0, 0.5, 1])


def test_a_teacher_follows_every_step():
    def loss(params, batch, key, hparams, teacher=None):
        return regression.loss(params, batch, key, hparams)

    counting = regression._replace(loss=loss, follow=lambda teacher, params, t, hparams: params + t)
    held_out = rows(30, seed=9)
    result = fit_stream(KEY, counting, Rates(), in_order, passes=2, held_out=held_out)
    np.testing.assert_allclose(result.teacher, result.params + 10, rtol=1e-6)
    score = regression.score(result.params, held_out)  # of the student
    np.testing.assert_allclose(result.history["validation"][-1], score, rtol=1e-6)


def test_the_step_is_compiled_once():
    traces = []

    def loss(params, batch, key, hparams):
        traces.append(1)
        return regression.loss(params, batch, key, hparams)

    fit_stream(KEY, regression._replace(loss=loss), Rates(), in_order, passes=3)
    assert len(traces) == 2  # one for the shapes of the terms, one for the step


def test_the_next_item_is_made_while_one_is_in_use_and_no_other():
    made, second = [], threading.Event()

    def items():
        for i in range(4):
            made.append((i, threading.current_thread()))
            if i == 1:
                second.set()
            yield i

    stream = prefetched(items())
    assert next(stream) == 0
    assert second.wait(timeout=60)
    assert [i for i, _ in made] == [0, 1]
    assert list(stream) == [1, 2, 3]
    assert threading.main_thread() not in {thread for _, thread in made}


def test_one_thread_reads_all_passes():
    threads = set()

    def draw(seed):
        threads.add(threading.get_native_id())
        yield from BATCHES

    fit_stream(KEY, regression, Rates(), draw, passes=4)
    assert len(threads - {threading.get_native_id()}) == 1


def test_errors_of_the_reader_reach_the_caller_and_its_thread_ends():
    def broken(seed):
        yield BATCHES[0]
        raise InputError("row 7 is broken")

    before = threading.active_count()
    with pytest.raises(InputError, match="row 7"):
        fit_stream(KEY, regression, Rates(), broken)
    stream = prefetched(iter(range(100)))
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_refuses_runs_without_steps():
    with pytest.raises(InputError, match="passes must be at least 1"):
        fit_stream(KEY, regression, Rates(), in_order, passes=0)
    with pytest.raises(InputError, match="yields no batch"):
        fit_stream(KEY, regression, Rates(), lambda seed: [])


def simulated(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 6)).astype(np.float32)
    risk = x @ np.array([1.0, -1.0, 0.5, 0, 0, 0])
    life, end = rng.exponential(np.exp(-risk)), rng.exponential(2, n)
    return x, risk, life <= end, np.minimum(life, end)


def test_a_cox_network_learns_from_risk_sets_within_the_batch(tmp_path):
    x, _, event, time = simulated(8000, seed=0)
    order = np.argsort(time)  # the hardest order for a reader of blocks
    np.save(tmp_path / "x.npy", x[order])
    stored = open_rows(tmp_path / "x.npy", event[order], time[order])

    def draw(seed):
        batches = stored.shuffled(seed, batch_size=200, block_rows=20, buffer_blocks=100)
        return (table_batch(*columns) for columns in batches)

    x, risk, event, time = simulated(1000, seed=1)
    held_out = table_batch(x, event, time)
    hparams = CoxNnetHParams(l2=0.0, learning_rate=0.02)
    result = fit_stream(KEY, cox_nnet(), hparams, draw, passes=3, held_out=held_out)
    assert result.history["validation"][2] < result.history["validation"][0]
    assert set(result.history) == {"loss", "cox", "squared_weights", "validation"}
    reached = concordance_index(cox_nnet().predict(result.params, held_out), event, time).index
    possible = concordance_index(risk, event, time).index
    assert reached > possible - 0.01
