"""Cox-MT against its published definition, written out."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import CoxMTConfig, CoxMTHParams, adam_l2, cox_mt, features, mean_teacher
from jaxsurv.models._cox_mt import confident
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import InputError
from tests.models.patients import SIZES, N, in_double, make_batch
from tests.models.test_minibatches import without_outcome

QUIET = CoxMTHParams(noise=0.0, dropout=0.0)
LABELLED = np.arange(N) % 4 != 0
HIDDEN = (6, 4)
TRAIN = jnp.arange(N) < 30
MASKS = Masks(TRAIN, TRAIN, TRAIN)  # the score improves, so that the last students count
CONFIG = FitConfig(epochs=4, burn_in=4, patience=4, batch_size=8)


def model(consistency="both"):
    return cox_mt(CoxMTConfig(HIDDEN, consistency))


def semi_supervised(labelled=LABELLED):
    batch = without_outcome(make_batch(), labelled)
    return batch._replace(offset=jnp.zeros(N))


@jax.jit
def initial(key, batch):
    return model().init(key, batch)


def some_params(batch, seed=0):
    params = initial(jax.random.key(seed), batch)
    noise = jax.random.normal(jax.random.key(seed + 10), (4,))
    return jax.tree.map(lambda p: p + 0.1 * noise[p.size % 4], params)


def risk(params, batch):
    """The network in NumPy."""
    h = np.asarray(features(batch))
    for i in range(3):
        layer = params["params"][f"Dense_{i}"]
        h = h @ np.asarray(layer["kernel"])
        if i < 2:
            h = np.maximum(h + np.asarray(layer["bias"]), 0)
    return h[:, 0]


@pytest.mark.parametrize("consistency", ["both", "censored", "unlabelled", "none"])
def test_loss_is_the_published_formula(x64, consistency):
    batch = in_double(semi_supervised()).restrict(jnp.arange(N) != 5)
    student, teacher = some_params(batch), some_params(batch, 1)
    eta, taught = risk(student, batch), risk(teacher, batch)
    event, time = map(np.asarray, batch.outcome[:2])
    there = np.arange(N) != 5
    known = LABELLED & there
    died = np.flatnonzero((event > 0) & known)
    cox = -np.mean([eta[i] - np.log(np.exp(eta[known & (time >= time[i])]).sum()) for i in died])
    squares = (eta - taught) ** 2
    censored, unlabelled = squares[known & (event == 0)].mean(), squares[there & ~LABELLED].mean()
    expected = {
        "both": (censored + unlabelled) / 2,
        "censored": censored,
        "unlabelled": unlabelled,
        "none": 0,
    }[consistency]
    hparams = QUIET._replace(weight=0.7)
    ours, terms = model(consistency).loss(student, batch, jax.random.key(0), hparams, teacher)
    np.testing.assert_allclose(terms["cox"], cox, rtol=1e-12)
    np.testing.assert_allclose(ours, cox + 0.7 * expected, rtol=1e-12)


def test_without_unlabelled_patients_the_censored_part_counts_in_full():
    batch, teacher = make_batch(), some_params(make_batch(), 1)
    student, key = some_params(batch), jax.random.key(0)
    unknown = batch._replace(labelled=jnp.ones(N, bool))
    both, nobody, alone = (
        m.loss(student, b, key, QUIET, teacher)[1]["consistency"]
        for m, b in ((model(), batch), (model(), unknown), (model("censored"), batch))
    )
    assert alone > 0
    np.testing.assert_array_equal([both, nobody], [alone, alone])


def test_uncensored_patients_never_enter_the_consistency():
    batch = semi_supervised()
    died = np.asarray(batch.outcome.event) > 0
    noise = 3.0 * jax.random.normal(jax.random.key(3), (N, 1))

    def terms(rows, **where):
        x = {m: v + jnp.where(rows[:, None], noise, 0) for m, v in batch.inputs.items()}
        changed = batch._replace(inputs=x, **where)
        params = some_params(batch), some_params(batch, 1)
        return model().loss(params[0], changed, jax.random.key(1), CoxMTHParams(), params[1])[1]

    base = terms(np.zeros(N, bool))
    assert base["consistency"] > 0
    assert terms(died)["consistency"] == base["consistency"]
    assert terms(died)["cox"] != base["cox"]
    assert terms(~LABELLED)["consistency"] != base["consistency"]
    assert terms(~LABELLED)["cox"] == base["cox"]
    assert terms(LABELLED & ~died)["consistency"] != base["consistency"]
    only_deaths = batch.restrict(died)
    params = some_params(batch)
    assert (
        model().loss(params, only_deaths, jax.random.key(1), CoxMTHParams())[1]["consistency"] == 0
    )


def test_the_teacher_gets_no_gradient():
    batch = semi_supervised()
    student, teacher = some_params(batch), some_params(batch, 1)

    def loss(student, teacher):
        return model().loss(student, batch, jax.random.key(0), CoxMTHParams(), teacher)[0]

    to_student, to_teacher = jax.grad(loss, (0, 1))(student, teacher)
    assert not any(np.any(g) for g in jax.tree.leaves(to_teacher))
    assert all(np.any(g) for g in jax.tree.leaves(to_student))
    assert loss(student, teacher) != loss(student, student)
    # a student who is their own teacher does not move the target either
    gradient = jax.grad(lambda p: model().loss(p, batch, jax.random.key(0), CoxMTHParams())[0])
    by_hand = jax.grad(loss)(student, student)
    jax.tree.map(np.testing.assert_array_equal, gradient(student), by_hand)


def test_noise_and_dropout_are_independent_and_in_both():
    batch = semi_supervised()
    params = some_params(batch)

    def consistency(**hparams):
        h = QUIET._replace(**hparams)
        return model().loss(params, batch, jax.random.key(0), h, params)[1]["consistency"]

    assert consistency() == 0
    assert consistency(noise=0.1) > 0
    assert consistency(dropout=0.2) > 0


def test_clear_pseudo_risks():
    batch, own = make_batch().restrict(jnp.arange(N) != 5), jnp.linspace(-1, 2, N).at[5].set(99)
    there = np.arange(N) != 5
    z = (own - own[there].mean()) / own[there].std()
    for threshold in (0.0, 0.5, 1.5):
        np.testing.assert_array_equal(confident(own, batch, threshold), np.abs(z) >= threshold)


def test_pseudo_risks_are_the_networks_own_where_clear(x64):
    """The network without noise is the target: without noise the loss is 0, and it has no gradient."""
    batch = in_double(semi_supervised())
    objective, student = cox_mt(CoxMTConfig(HIDDEN, rule="pseudo-risk")), some_params(batch)

    def term(params=student, **hparams):
        h = QUIET._replace(**hparams)
        return objective.loss(params, batch, jax.random.key(0), h)[1]["consistency"]

    assert term() == 0
    values = [float(term(noise=0.3, threshold=t)) for t in (0.0, 0.5, 1.0, 9.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[1] > values[3] == 0
    # a common shift moves both the prediction and its target, of which one alone has a derivative
    last = jax.grad(lambda p: term(p, noise=0.3, threshold=0.0))(student)["params"]["Dense_2"]

    def shifted(eps):
        moved = jax.tree.map(lambda p: p, student)
        moved["params"]["Dense_2"]["kernel"] = (1 + eps) * student["params"]["Dense_2"]["kernel"]
        return term(moved, noise=0.3, threshold=0.0)

    along = jnp.sum(last["kernel"] * student["params"]["Dense_2"]["kernel"])
    assert abs(along - (shifted(1e-6) - shifted(-1e-6)) / 2e-6) > 0.1 * abs(along)
    assert objective.follow is None


def test_moving_average_closed_form(x64):
    students, alpha = np.random.default_rng(0).normal(size=9), 0.7
    teacher = jnp.asarray(students[0])
    for t in range(1, 9):
        hparams = CoxMTHParams(alpha=alpha)
        teacher = mean_teacher(teacher, jnp.asarray(students[t]), jnp.int32(t), hparams)
        if t == 2:  # 2/3 < alpha: still the plain mean
            np.testing.assert_allclose(teacher, students[:3].mean(), rtol=1e-12)
    decay = alpha ** np.arange(5, -1, -1)  # of steps 3 to 8
    expected = alpha**6 * students[:3].mean() + (1 - alpha) * decay @ students[3:]
    np.testing.assert_allclose(teacher, expected, rtol=1e-12)


def test_weight_decay_is_in_the_gradient():
    hparams = CoxMTHParams(learning_rate=0.1, weight_decay=0.5)
    optimizer = adam_l2(hparams)
    params, gradient = jnp.float32([2.0, -1.0, 1.0]), jnp.float32([-0.9, 0.6, 0.0])
    update, _ = optimizer.update(gradient, optimizer.init(params), params)
    # the first step of Adam is the sign of what it sees: g + 0.5 p
    np.testing.assert_allclose(update, [-0.1, -0.1, -0.1], rtol=1e-4)


def test_ramp_up():
    anneal = model().anneal
    weight = [
        float(anneal(CoxMTHParams(2.0, ramp_up=0.5), jnp.float32(x)).weight)
        for x in (0, 0.25, 0.5, 1)
    ]
    np.testing.assert_allclose(weight, [2 * np.exp(-5), 2 * np.exp(-1.25), 2, 2], rtol=1e-6)
    assert anneal(CoxMTHParams(2.0), jnp.float32(0)).weight == 2


@cache
def training(consistency, batch_size):
    config = replace(CONFIG, batch_size=batch_size)
    objective, batch = model(consistency), semi_supervised()

    @jax.jit
    def run(h):
        key = jax.random.key(0)
        return fit(key, objective, h, batch, MASKS, config, optimizer=adam_l2)

    return run


def trained(consistency="both", batch_size=8, **hparams):
    run = training(consistency, batch_size)
    return run(jax.tree.map(jnp.float32, CoxMTHParams(**hparams))), run


def test_weight_0_of_pseudo_risks_is_the_supervised_network():
    batch = semi_supervised()
    objective = cox_mt(CoxMTConfig(HIDDEN, rule="pseudo-risk"))
    result = jax.jit(
        lambda h: fit(jax.random.key(0), objective, h, batch, MASKS, CONFIG, optimizer=adam_l2)
    )(jax.tree.map(jnp.float32, CoxMTHParams(weight=0.0)))
    jax.tree.map(np.testing.assert_array_equal, result.params, trained("none")[0].params)


@pytest.mark.parametrize("batch_size", [8, None])
def test_weight_0_is_the_supervised_network(batch_size):
    (supervised, _), (result, run) = (
        trained("none", batch_size),
        trained("both", batch_size, weight=0.0),
    )
    jax.tree.map(np.testing.assert_array_equal, result.params, supervised.params)
    np.testing.assert_array_equal(result.history["cox"], supervised.history["cox"])
    assert supervised.teacher is None
    assert result.best_epoch > 0
    assert not np.array_equal(*(jax.tree.leaves(p)[1] for p in (result.params, result.teacher)))
    other = run(jax.tree.map(jnp.float32, CoxMTHParams(weight=3.0, alpha=0.9, noise=0.05)))
    assert not np.array_equal(*(jax.tree.leaves(r.params)[1] for r in (result, other)))
    assert run._cache_size() == 1  # all settings are one program


def test_alone_and_vmapped_agree(x64):
    batch = in_double(semi_supervised())

    def one(key, weight, alpha):
        h = CoxMTHParams(weight, alpha, ramp_up=0.5)
        return fit(key, model(), h, batch, MASKS, CONFIG, optimizer=adam_l2)

    settings = jax.random.split(jax.random.key(0), 2), jnp.array([0.3, 1]), jnp.array([0.5, 0.99])
    together, alone = jax.jit(jax.vmap(one))(*settings), jax.jit(one)
    for i in range(2):
        jax.tree.map(
            lambda a, b, i=i: np.testing.assert_allclose(a, b[i], rtol=1e-8, atol=1e-10),
            alone(*(s[i] for s in settings)),
            together,
        )


def test_two_sources_of_which_one_is_absent():
    batch = make_batch()
    tokens = jax.random.normal(jax.random.key(0), (N, 5, 3))
    seen = jnp.ones((N, 5)).at[:10].set(0)
    batch = batch._replace(
        inputs=batch.inputs | {"images": tokens}, presence=batch.presence | {"images": seen}
    )
    objective = cox_mt(CoxMTConfig((4,), sources=("rna", "images"), tokens=4, width=8, heads=2))
    params = jax.tree.map(lambda p: p + 0.1, objective.init(jax.random.key(0), batch))
    base = objective.predict(params, batch)
    assert np.isfinite(base).all()
    zeros = batch._replace(inputs=batch.inputs | {"images": tokens.at[:10].set(7.0)})
    np.testing.assert_array_equal(objective.predict(params, zeros), base)
    order = jnp.array([3, 1, 4, 0, 2])
    moved = batch._replace(
        inputs=batch.inputs | {"images": tokens[:, order]},
        presence=batch.presence | {"images": seen[:, order]},
    )
    np.testing.assert_allclose(objective.predict(params, moved), base, rtol=1e-5, atol=1e-6)
    value, _ = objective.loss(params, batch, jax.random.key(1), CoxMTHParams())
    assert np.isfinite(value)
    with pytest.raises(
        InputError, match=r"no modality \['images'\], the data have \['cnv', 'rna'\]"
    ):
        objective.init(jax.random.key(0), make_batch())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"consistency": "all"}, "consistency must be one of .*, got 'all'"),
        ({"sources": ("rna", "rna")}, "sources must be the names of two modalities"),
        ({"rule": "fixmatch"}, "rule must be one of .*, got 'fixmatch'"),
        ({"heads": 3}, "width 256 must be a multiple of heads, 3"),
    ],
)
def test_refuses_impossible_configurations(options, message):
    with pytest.raises(InputError, match=message):
        CoxMTConfig(**options)


def test_default_size():
    batch = make_batch()
    params = cox_mt().init(jax.random.key(0), batch)["params"]
    shapes = [params[f"Dense_{i}"]["kernel"].shape for i in range(3)]
    assert shapes == [(sum(SIZES.values()) + 3, 1000), (1000, 200), (200, 1)]
