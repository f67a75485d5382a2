import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from jaxsurv.training import FitConfig, Masks, each_row_once, fit
from jaxsurv.types import InputError, Objective

from .toy import Rates, regression, rows

N = 24
TRAIN = jnp.arange(N) < 12
VALIDATION = (jnp.arange(N) >= 12) & (jnp.arange(N) < 18)
MASKS = Masks(TRAIN, VALIDATION, TRAIN | VALIDATION)


def scripted(scores):
    """One parameter that grows by a twelfth of the batch's rows each epoch, so that on the twelve
    training rows it counts the epochs; its score is ``scores[epoch]``."""
    scores = jnp.asarray(scores)
    return Objective(
        init=lambda key, batch: jnp.zeros(()),
        loss=lambda params, batch, key, hparams: (
            -params * jnp.sum(batch.where) / 12,
            {"step": params},
        ),
        predict=lambda params, batch: batch.y * params,
        score=lambda params, batch: scores[jnp.round(params).astype(int)],
    )


def run(objective, config, hparams=Rates(1.0)):
    count_epochs = {"optimizer": lambda h: optax.sgd(h.learning_rate)}
    return fit(jax.random.key(0), objective, hparams, rows(), MASKS, config, **count_epochs)


def test_returns_the_parameters_of_the_best_epoch():
    result = run(scripted([5.0, 4, 2, 3, 6, 1, 9]), FitConfig(epochs=6, patience=6))
    assert result.best_epoch == 5
    assert result.best_score == 1
    assert result.params == 5
    np.testing.assert_array_equal(result.history["validation"], [4, 2, 3, 6, 1, 9])
    np.testing.assert_array_equal(result.history["step"], range(6))


def test_stops_when_patience_is_spent_and_forgets_what_came_after():
    result = run(scripted([5.0, 4, 6, 6, 6, 0]), FitConfig(epochs=5, burn_in=0, patience=3))
    assert (int(result.best_epoch), int(result.epochs)) == (1, 4)
    assert np.isnan(result.history["validation"][4])


def test_patience_counts_from_the_end_of_burn_in():
    scores = [5.0, 4, 6, 6, 6, 0, 6, 6]
    result = run(scripted(scores), FitConfig(epochs=7, burn_in=3, patience=2))
    assert (int(result.best_epoch), int(result.epochs)) == (5, 7)


def test_a_run_that_never_improves_returns_its_initial_parameters():
    result = run(scripted([1.0, 2, 2, 2]), FitConfig(epochs=3))
    assert (int(result.best_epoch), float(result.params)) == (0, 0.0)


def test_without_early_stopping_the_last_parameters_count():
    config = FitConfig(epochs=6, burn_in=0, patience=1, early_stopping=False)
    result = run(scripted([1.0, 2, 0, 9, float("nan"), 8, 7]), config)
    assert (int(result.best_epoch), int(result.epochs), float(result.params)) == (6, 6, 6.0)
    assert result.best_score == 7
    assert set(result.history) == {"step"}  # a score in each epoch would be thrown away


def test_nan_scores_never_win():
    nan = float("nan")
    result = run(scripted([nan, 3.0, nan, 2.0]), FitConfig(epochs=3))
    assert (int(result.best_epoch), float(result.best_score)) == (3, 2.0)


def test_only_training_rows_train_and_only_validation_rows_stop():
    batch = rows()
    config = FitConfig(epochs=30, patience=30)
    base = fit(jax.random.key(1), regression, Rates(), batch, MASKS, config)
    test = ~MASKS.develop
    changed = batch._replace(x=batch.x + 7.0 * test[:, None], y=batch.y - 9.0 * test)
    leaked = fit(jax.random.key(1), regression, Rates(), changed, MASKS, config)
    jax.tree.map(np.testing.assert_array_equal, base, leaked)
    moved = batch._replace(y=batch.y + 1.0 * VALIDATION)
    stopped = fit(jax.random.key(1), regression, Rates(), moved, MASKS, config)
    np.testing.assert_array_equal(base.history["error"], stopped.history["error"])
    assert not np.array_equal(base.history["validation"], stopped.history["validation"])


@pytest.mark.parametrize("batch_size", [5, 12, 50])
def test_an_epoch_of_minibatches_draws_every_training_row_once(batch_size):
    counting = Objective(
        init=lambda key, batch: jnp.zeros(N),
        loss=lambda params, batch, key, hparams: (
            -jnp.sum(params[batch.x] * batch.where),
            {"rows": jnp.sum(batch.where)},
        ),
        predict=lambda params, batch: params,
        score=lambda params, batch: 0.0 - jnp.sum(params),
    )
    batch = rows()._replace(x=jnp.arange(N))
    result = fit(
        jax.random.key(3),
        counting,
        Rates(1.0),
        batch,
        MASKS,
        FitConfig(epochs=1, batch_size=batch_size),
        optimizer=lambda h: optax.sgd(h.learning_rate),
    )
    np.testing.assert_array_equal(result.params, TRAIN)  # each training row once, no other
    steps = -(-12 // batch_size)
    np.testing.assert_allclose(result.history["rows"][0], 12 / steps)


def test_refit_trains_on_all_development_rows_for_the_chosen_epochs():
    objective = scripted([5.0, 4, 2, 3, 6])
    first = run(objective, FitConfig(epochs=4))
    refitted = run(objective, FitConfig(epochs=4, refit=True))
    assert (float(first.params), float(refitted.params)) == (2.0, 2 * 18 / 12)
    jax.tree.map(
        np.testing.assert_array_equal, first._replace(params=0), refitted._replace(params=0)
    )


def test_refit_without_early_stopping_takes_every_epoch_again():
    result = run(scripted([5.0, 4, 2, 3]), FitConfig(3, early_stopping=False, refit=True))
    assert (float(result.params), int(result.best_epoch)) == (3 * 18 / 12, 3)
    assert result.best_score == 3  # of the parameters before the refit


def test_a_loss_may_have_no_terms():
    plain = scripted([5.0, 4, 6])
    silent = plain._replace(loss=lambda *arguments: (plain.loss(*arguments)[0], {}))
    result = run(silent, FitConfig(epochs=2))
    assert (set(result.history), int(result.best_epoch)) == ({"validation"}, 1)


def annealed(batch_size=None, refit=False):
    """The parameter sums up, per epoch, how far the run is times a twelfth of the rows."""
    objective = Objective(
        init=lambda key, batch: jnp.zeros(()),
        loss=lambda params, batch, key, hparams: (
            -params * hparams.noise * jnp.sum(batch.where) / 12,
            {"noise": hparams.noise},
        ),
        predict=lambda params, batch: batch.y * params,
        score=lambda params, batch: -params,
        anneal=lambda hparams, progress: hparams._replace(noise=progress),
    )
    return run(objective, FitConfig(epochs=8, batch_size=batch_size, refit=refit))


@pytest.mark.parametrize("batch_size", [None, 12])
def test_annealing_goes_from_0_to_exactly_1(batch_size):
    noise = annealed(batch_size).history["noise"]
    np.testing.assert_allclose(noise, np.arange(8) / 7, rtol=1e-6)
    assert (noise[0], noise[-1]) == (0, 1)


def test_a_refit_repeats_the_schedule():
    np.testing.assert_allclose(annealed(refit=True).params, 4 * 18 / 12, rtol=1e-6)


def test_a_run_of_one_epoch_stands_at_the_start_of_the_schedule():
    record = regression._replace(
        loss=lambda params, batch, key, hparams: (jnp.sum(params), {"noise": hparams.noise}),
        anneal=lambda hparams, progress: hparams._replace(noise=progress),
    )
    assert run(record, FitConfig(epochs=1)).history["noise"] == 0


def test_alone_and_vmapped_agree(x64):
    config = FitConfig(epochs=60, patience=10, burn_in=5)

    def one(key, rate):
        return fit(key, regression, Rates(rate, 0.3), rows(), MASKS, config)

    keys, rates = jax.random.split(jax.random.key(0), 4), jnp.array([0.2, 0.05, 0.02, 0.1])
    together = jax.jit(jax.vmap(one))(keys, rates)
    assert len(set(np.asarray(together.epochs).tolist())) > 1  # they stop at different epochs
    for i in range(4):
        alone = jax.jit(one)(keys[i], rates[i])
        jax.tree.map(
            lambda a, b, i=i: np.testing.assert_allclose(a, b[i], rtol=1e-9, atol=1e-12),
            alone,
            together,
        )


def followed(scores, *, rate=0.5, **config):
    """`scripted`, with a teacher that goes a part of the way to the parameters after each step."""
    plain = scripted(scores)

    def loss(params, batch, key, hparams, teacher=None):
        value, terms = plain.loss(params, batch, key, hparams)
        return value, {**terms, "teacher": params if teacher is None else teacher}

    def follow(teacher, params, t, hparams):
        return teacher + rate * (params - teacher) + 100 * t

    objective = plain._replace(loss=loss, follow=follow)
    return run(plain, FitConfig(**config)), run(objective, FitConfig(**config))


def teachers(steps, rate=0.5):
    """By hand: after step t the parameters are t."""
    teacher = [0.0]
    for t in range(1, steps + 1):
        teacher.append(teacher[-1] + rate * (t - teacher[-1]) + 100 * t)
    return teacher


def test_a_teacher_follows_and_changes_nothing_else():
    plain, result = followed([5.0, 4, 2, 3, 6, 1, 9], epochs=6, patience=6)
    assert plain.teacher is None
    np.testing.assert_array_equal(result.history.pop("teacher"), teachers(6)[:6])
    assert result.teacher == teachers(6)[5]  # of the best epoch
    jax.tree.map(np.testing.assert_array_equal, result._replace(teacher=None), plain)


def test_a_refit_starts_with_a_new_teacher():
    result = followed([5.0, 4, 2, 3], epochs=3, refit=True)[1]
    assert result.best_epoch == 2
    first = 0.5 * 1.5 + 100  # 18 rows: a step of 1.5
    assert result.teacher == first + 0.5 * (3 - first) + 200


def test_the_steps_of_all_minibatches_are_counted():
    _, result = followed([5.0, 4], epochs=1, batch_size=4)
    assert result.params == 1
    teacher = 0.0
    for t in (1, 2, 3):
        teacher += 0.5 * (t / 3 - teacher) + 100 * t
    np.testing.assert_allclose(result.teacher, teacher, rtol=1e-6)


def test_minibatches_are_drawn_as_the_objective_wants():
    def twice(batch, key, size):
        steps, minibatch = each_row_once(batch, key, size)
        return 2 * steps, lambda i: minibatch(i // 2)

    objective = scripted([5.0, 4, 3])._replace(draw=twice)
    assert run(objective, FitConfig(epochs=1, batch_size=4)).params == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"burn_in": -1}, "burn_in must be at least 0"),
        ({"batch_size": 1}, "batch_size must be at least 2"),
    ],
)
def test_refuses_impossible_settings(options, message):
    with pytest.raises(InputError, match=message):
        FitConfig(**options)
