import inspect
import sys
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsurv.models import CoxNnetHParams, cox_nnet, nesterov, table_batch
from jaxsurv.training import (
    FitConfig,
    Masks,
    Plan,
    SweepResult,
    choose_plan,
    fit,
    step_flops,
    sweep,
    sweep_chunks,
)
from jaxsurv.training.memory import free_bytes
from jaxsurv.types import Array, InputError

from .toy import Rates, regression, rows

CONFIG = FitConfig(epochs=25, patience=6, burn_in=2)
RATES = [Rates(r, 0.2) for r in (0.02, 0.05, 0.1)]


class Fold(NamedTuple):
    masks: Masks
    shift: Array


def folds(k=2, n=24):
    fold = jnp.arange(n) % 4
    train, validation = (jnp.stack([(fold + s) % 4 == j for s in range(k)]) for j in (0, 1))
    return Fold(Masks(train, validation, train | validation), jnp.arange(k) * 0.1)


def build(shared, fold, seed):
    return shared._replace(y=shared.y + fold.shift), fold.masks


def swept(plan=None, seeds=(0, 1), hparams=RATES, objective=regression, k=2, **options):
    options = {"config": CONFIG, **options, "seeds": seeds, "hparams": hparams, "plan": plan}
    return sweep(objective, build, rows(), folds(k), **options)


def weights_and_rows(params, batch, masks):
    return {"weights": params, "rows": (jnp.sum(masks.train), batch.y)}


def test_every_combination_once_with_its_own_result():
    result = swept(Plan(devices=2, length=2, width=1))
    frame = result.to_frame()
    keys = list(zip(frame["split"], frame["seed"], frame["learning_rate"].round(4), strict=True))
    assert len(keys) == len(set(keys)) == 12
    np.testing.assert_allclose(
        frame["learning_rate"].head(3), [0.02, 0.05, 0.1]
    )  # settings fastest
    assert result.prediction.shape == (12, 24)
    assert result.history["error"].shape == (12, 25)
    for i in (0, 7, 11):
        fold = jax.tree.map(lambda x, i=i: x[frame["split"][i]], folds())
        batch, masks = build(rows(), fold, 0)
        key = jax.random.fold_in(jax.random.key(frame["seed"][i]), frame["split"][i])
        hparams = Rates(frame["learning_rate"][i], frame["noise"][i])
        alone = fit(key, regression, hparams, batch, masks, CONFIG)
        np.testing.assert_allclose(
            result.prediction[i], batch.x @ alone.params, rtol=1e-4, atol=1e-5
        )
        assert alone.best_epoch == result.best_epoch[i]


@pytest.mark.parametrize("plan", [Plan(2, 2, 1), Plan(1, 4, 1), Plan(2, 1, 3), Plan(1, 1, 12)])
def test_plans_agree_in_float64(plan, x64):
    reference = swept(Plan(1, 1, 1), collect=weights_and_rows)
    result = swept(plan, collect=weights_and_rows)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), reference, result
    )


@pytest.mark.parametrize(
    "config", [FitConfig(9, early_stopping=False), FitConfig(9, 2, 4, refit=True)]
)
@pytest.mark.parametrize("plan", [Plan(1, 2, 3), Plan(2, 2, 3), Plan(2, 3, 2)])
def test_groups_side_by_side_and_in_sequence_agree_in_float64(plan, config, x64):
    """Of runs that do not leave their slots before the others."""
    reference = swept(Plan(1, 1, 1), config=config, collect=weights_and_rows)
    result = swept(plan, config=config, collect=weights_and_rows)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), reference, result
    )


@pytest.mark.parametrize("width", [1, 3])
def test_one_width_gives_the_same_bits_wherever_a_run_stands(width):
    many = swept(Plan(2, 2, width))
    few = swept(Plan(1, 1, width), seeds=(1,), hparams=RATES[1:], k=2)
    at = [i for i, s in enumerate(many.seed) if s == 1 and many.hparams.learning_rate[i] > 0.03]
    np.testing.assert_array_equal(many.prediction[at], few.prediction)


def test_one_run_alone_has_the_bits_that_it_has_among_many_on_all_devices():
    many = swept(choose_plan(12))
    alone = swept(choose_plan(1), seeds=(1,), hparams=RATES[2:], k=1)
    assert choose_plan(1).devices == jax.local_device_count() > 1
    among = jax.tree.map(lambda x: x[5:6], many)
    assert (among.split, among.seed) == (0, 1)
    jax.tree.map(np.testing.assert_array_equal, alone, among)


def test_one_compilation_whatever_the_number_of_settings():
    def traces(hparams):
        count = 0

        def counted(params, batch, key, hparams):
            nonlocal count
            count += 1
            return regression.loss(params, batch, key, hparams)

        swept(Plan(2, 1, 1), hparams=hparams, objective=regression._replace(loss=counted))
        return count

    assert traces(RATES[:1]) == traces([Rates(0.01 * i) for i in range(1, 9)]) <= 3


def test_collects_from_the_best_parameters():
    result = swept(Plan(1, 2, 4), collect=weights_and_rows)  # the last call is padded
    weights, (n_train, y) = result.collected["weights"], result.collected["rows"]
    np.testing.assert_array_equal(n_train, np.full(12, 6))
    np.testing.assert_allclose(weights @ rows().x.T, result.prediction, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y[result.split == 1], np.tile(rows().y + np.float32(0.1), (6, 1)))


def test_collecting_changes_nothing_else_and_compiles_once():
    traces = []

    def collect(params, batch, masks):
        traces.append(1)
        return params

    with_it, without = swept(Plan(2, 1, 1), collect=collect), swept(Plan(2, 1, 1))
    assert len(traces) == 1
    assert without.collected is None
    jax.tree.map(np.testing.assert_array_equal, with_it._replace(collected=None), without)


def test_predicts_with_the_teacher_too():
    def loss(params, batch, key, hparams, teacher=None):
        return regression.loss(params, batch, key, hparams)

    negated = regression._replace(loss=loss, follow=lambda teacher, params, t, h: -params)
    result, plain = swept(objective=negated), swept()
    np.testing.assert_array_equal(result.teacher_prediction, -result.prediction)
    assert plain.teacher_prediction is None
    np.testing.assert_array_equal(result.prediction, plain.prediction)


def test_the_optimizer_is_the_callers():
    def sgd(hparams):
        return optax.sgd(hparams.learning_rate)

    result = swept(optimizer=sgd, k=1, seeds=(4,))
    batch, masks = build(rows(), jax.tree.map(lambda x: x[0], folds()), 0)
    key = jax.random.fold_in(jax.random.key(4), 0)
    alone = fit(key, regression, RATES[1], batch, masks, CONFIG, optimizer=sgd)
    np.testing.assert_allclose(result.prediction[1], batch.x @ alone.params, rtol=1e-4, atol=1e-5)
    assert not np.allclose(result.prediction, swept(k=1, seeds=(4,)).prediction)


def test_only_the_optimizer_reads_the_learning_rate():
    class Noise(NamedTuple):
        noise: Array | float = 0.0

    result = swept(
        optimizer=lambda hparams: optax.sgd(0.05), hparams=[Noise(0.1)], k=1, seeds=(0,),
        config=FitConfig(3, early_stopping=False),
    )  # fmt: skip
    assert np.isfinite(result.prediction).all()


def test_accelerators_are_not_asked_to_count_before_they_compile(monkeypatch):
    def uncounted():
        raise AssertionError("XLA on an accelerator has no count of what is not compiled")

    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert choose_plan(40, uncounted).runs == 40


def test_a_step_is_counted_with_the_rows_it_sees():
    hparams, cohort = (
        CoxNnetHParams(),
        table_batch(np.ones((400, 50)), np.ones(400), np.arange(400)),
    )
    all_rows, half = (
        step_flops(cox_nnet(), cohort, hparams, optimizer=nesterov, batch_size=size)
        for size in (None, 200)
    )
    products = (
        2 * 2 * 400 * 50 * 8
    )  # of the hidden layer: forwards, and the gradient of its weights
    assert products < all_rows < 1.5 * products
    assert 0.4 < half / all_rows < 0.6


def test_settings_share_initial_weights_and_noise():
    still = [
        Rates(0.0, noise) for noise in (0.1, 0.5)
    ]  # learning rate 0: the initial weights remain
    result = swept(seeds=(0, 1), hparams=still)
    prediction = result.prediction.reshape(2, 2, 2, -1)
    np.testing.assert_array_equal(prediction[:, :, 0], prediction[:, :, 1])
    assert not np.allclose(prediction[0, 0], prediction[0, 1])  # seeds differ
    assert not np.allclose(prediction[0, 0], prediction[1, 0])  # splits differ


@pytest.mark.parametrize("plan", [Plan(1, 2, 1), Plan(1, 1, 3)])
def test_a_split_alone_has_the_bits_that_it_has_among_all(plan):
    every = swept(plan, k=3)
    for s in range(3):
        split = jax.tree.map(lambda x, s=s: x[s : s + 1], folds(3))
        options = {"seeds": (0, 1), "hparams": RATES, "config": CONFIG, "plan": plan}
        alone = sweep(regression, build, rows(), split, **options, streams=[s])
        assert not alone.split.any()
        among = jax.tree.map(lambda x, s=s: x[every.split == s], every)
        jax.tree.map(np.testing.assert_array_equal, alone._replace(split=among.split), among)
    other = sweep(regression, build, rows(), split, **options)  # stream 0
    assert not np.array_equal(other.prediction, alone.prediction)


def test_a_whole_sweep_takes_the_arguments_of_its_chunks():
    whole, chunks = inspect.signature(sweep), inspect.signature(sweep_chunks)
    assert whole.parameters == chunks.parameters
    assert whole.return_annotation is SweepResult


def test_chunks_arrive_one_call_at_a_time():
    sizes = [
        len(chunk.seed)
        for chunk in sweep_chunks(
            regression,
            build,
            rows(),
            folds(),
            seeds=[0],
            hparams=RATES,
            config=CONFIG,
            plan=Plan(2, 2, 1),
        )
    ]
    assert sizes == [4, 2]


def test_frame_has_the_terms_of_the_best_epoch():
    result = swept(seeds=(0,))
    frame = result.to_frame()
    i = int(np.argmax(result.best_epoch))
    k = int(result.best_epoch[i])
    assert k > 1
    assert frame["error"][i] == result.history["error"][i, k - 1]
    assert frame["validation_loss"][i] == result.history["validation"][i, k - 1]


def test_frame_reads_each_run_at_its_own_best_epoch():
    """Runs that were best before, at and after their first epoch, and went on."""
    best, ran = np.array([3, 1, 0, 5]), np.array([5, 2, 4, 5])
    error = np.where(np.arange(5) < ran[:, None], np.arange(20).reshape(4, 5) / 7, np.nan)
    result = SweepResult(
        split=np.arange(4), seed=np.arange(4) + 10, hparams=Rates(np.arange(4) / 8, np.arange(4) / 9),
        prediction=np.zeros((4, 2)), best_epoch=best, best_score=np.array([0.1, 0.2, 0.3, 0.4]),
        epochs=ran, history={"error": error, "validation": -error},
    )  # fmt: skip
    frame = result.to_frame()
    np.testing.assert_array_equal(frame["error"], np.array([2, 5, 10, 19]) / 7)
    np.testing.assert_array_equal(frame["validation_loss"], result.best_score)
    np.testing.assert_array_equal(frame[["best_epoch", "epochs"]], np.stack([best, ran], axis=1))
    np.testing.assert_array_equal(frame["learning_rate"], np.arange(4) / 8)
    np.testing.assert_array_equal(frame["noise"], np.arange(4) / 9)
    assert (frame["seed"] - frame["split"] == 10).all()


@pytest.mark.parametrize("plan", [Plan(1, 12, 1), Plan(1, 1, 4)])
def test_a_sweep_keeps_the_epoch_that_validated_best(plan):
    """Runs that overshoot: the best epoch is neither the first nor the last."""
    result = swept(plan, config=FitConfig(40, 0, 10), hparams=[Rates(0.4), Rates(0.1), Rates(0.3)])
    at, history = result.best_epoch, result.history["validation"]
    assert np.sum((at > 0) & (at < result.epochs)) > 3
    trained = at > 0
    np.testing.assert_array_equal(at[trained], np.nanargmin(history, axis=1)[trained] + 1)
    np.testing.assert_array_equal(result.best_score[trained], np.nanmin(history, axis=1)[trained])
    np.testing.assert_array_equal(result.epochs, np.sum(~np.isnan(history), axis=1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: swept(seeds=(1, 1)), r"seeds must differ, got \[1, 1\]"),
        (lambda: swept(seeds=(0, -1)), r"seeds must be from 0 to .*, got \[0, -1\]"),
        (lambda: swept(hparams=[]), "at least one split, one seed and one setting"),
        (lambda: swept(streams=[3]), r"streams must be 2 numbers .*, one a split, got \[3\]"),
        (lambda: swept(streams=[0, -1]), r"streams must be 2 numbers from 0 to .* got \[0, -1\]"),
        (lambda: Plan(devices=99), "99 devices asked for, 2 present"),
        (lambda: Plan(width=0), "plan: width must be at least 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_plan_on_a_cpu_is_one_sequence_per_core():
    plan = choose_plan(200)
    assert (plan.devices, plan.width) == (2, 1)
    assert choose_plan(1) == plan  # few runs share the program of many, and so the bits


def test_small_networks_that_all_take_as_long_are_put_side_by_side():
    small, wide = choose_plan(200, lambda: 1e6), choose_plan(200, lambda: 1e9)
    assert (small.width, wide.width) == (16, 1)
    assert choose_plan(40, lambda: 6e7).width == choose_plan(4000, lambda: 6e7).width == 4


@pytest.mark.parametrize(("early_stopping", "width"), [(False, 16), (True, 1)])
def test_more_seeds_change_no_bit_of_the_others(early_stopping, width, monkeypatch):
    module = sys.modules["jaxsurv.training._sweep"]
    compile_runs, plans = module.compile_runs, []

    def noted(objective, build, config, plan, **options):
        plans.append(plan)
        return compile_runs(objective, build, config, plan, **options)

    monkeypatch.setattr(module, "compile_runs", noted)
    config = FitConfig(4, early_stopping=early_stopping)
    few, many = (swept(seeds=range(k), config=config, k=1) for k in (2, 9))
    assert [plan.width for plan in plans] == [width, width]
    np.testing.assert_array_equal(few.prediction, many.prediction[:6])


def test_masks_may_differ_between_the_seeds_of_a_split():
    def by_seed(shared, fold, seed):
        batch, masks = build(shared, fold, seed)
        return batch, masks._replace(develop=jnp.arange(24) < seed)

    result = sweep(
        regression,
        by_seed,
        rows(),
        folds(2),
        seeds=(3, 7),
        hparams=RATES[:1],
        config=CONFIG,
        collect=lambda params, batch, masks: jnp.sum(masks.develop),
    )
    np.testing.assert_array_equal(result.collected, result.seed)


def test_what_would_not_fit_is_done_with_half_the_width(monkeypatch, x64):
    from jaxsurv.training import mapped, memory

    def checked(free):
        monkeypatch.setattr(memory, "free_bytes", lambda devices: free)

    widths, whole = [], swept(Plan(1, 1, 4))

    def tell(compiled, devices):
        analysis = compiled.memory_analysis()
        widths.append(analysis.temp_size_in_bytes + analysis.output_size_in_bytes)
        memory.check_memory(compiled, devices)

    monkeypatch.setattr(mapped, "check_memory", tell)
    # the programs of newer versions of XLA may need less than the results themselves
    monkeypatch.setattr(sys.modules["jaxsurv.training._sweep"], "check_results", lambda *_: None)
    checked(10**12)
    swept(Plan(1, 1, 4))
    checked(widths[0] - 1)
    with pytest.warns(UserWarning, match="GB are free.*going on with a width of 2"):
        halved = swept(Plan(1, 1, 4))
    np.testing.assert_allclose(halved.prediction, whole.prediction, rtol=1e-9, atol=1e-12)
    checked(10)
    with pytest.raises(InputError, match=r"needs .* GB on each device, where 1e-08 GB are free"):
        swept(Plan(2, 2, 1))


def test_the_end_of_memory_is_met_with_half_the_width(monkeypatch):
    module = sys.modules["jaxsurv.training._sweep"]  # the package's name is that of the function
    compile_runs, seen = module.compile_runs, []

    def small(objective, build, config, plan, **options):
        program = compile_runs(objective, build, config, plan, **options)
        seen.append(plan)

        def call(shared, items):
            if plan.width > 1:
                raise module.OutOfMemory("met the end of memory")
            return program.call(shared, items)

        return program._replace(call=call)

    monkeypatch.setattr(module, "compile_runs", small)
    with pytest.warns(UserWarning, match="going on with a width of 1"):
        result = swept(Plan(1, 1, 2))
    assert seen == [Plan(1, 1, 2), Plan(1, 2, 1)]
    assert len(result.seed) == 12


def test_devices_of_a_cpu_share_the_memory_that_the_others_leave():
    one, two = (free_bytes(jax.local_devices()[:k]) for k in (1, 2))
    assert one == pytest.approx(2 * two, rel=0.2)


class Kept(dict):
    """A store in memory."""

    def load(self, part, like):
        return self.get(part)

    save = dict.__setitem__


def test_another_plan_does_not_read_what_one_has_finished():
    store = Kept()
    swept(Plan(2, 2, 1), store=store)
    again, fresh = (swept(Plan(1, 2, 1), store=kept) for kept in (store, None))
    assert len(store) == 3 + 6
    jax.tree.map(np.testing.assert_array_equal, again, fresh)


def test_a_sweep_that_went_on_with_half_the_width_is_resumed(monkeypatch):
    module = sys.modules["jaxsurv.training._sweep"]
    compile_runs, left, store = module.compile_runs, [1], Kept()
    whole = swept(Plan(1, 2, 1))

    def small(objective, build, config, plan, **options):
        program = compile_runs(objective, build, config, plan, **options)

        def call(shared, items):
            if plan.width > 1:
                raise module.OutOfMemory("met the end of memory")
            if not left:
                raise RuntimeError("killed")
            left.pop()
            return program.call(shared, items)

        return program._replace(call=call)

    monkeypatch.setattr(module, "compile_runs", small)
    halves = pytest.warns(UserWarning, match="going on with a width of 1")
    with halves, pytest.raises(RuntimeError, match="killed"):
        swept(Plan(1, 1, 2), store=store)
    assert list(store) == ["1x2x1-000000"]
    left += [1] * 5  # of six calls
    with pytest.warns(UserWarning, match="going on with a width of 1"):
        resumed = swept(Plan(1, 1, 2), store=store)
    jax.tree.map(np.testing.assert_array_equal, resumed, whole)
