"""Deep HCL against its definition, patient by patient; who is contrasted with whom; phases; heads."""

from dataclasses import replace
from functools import cache
from itertools import combinations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import ArrayBatch, HCLConfig, HCLHParams, hcl, representations
from jaxsurv.models.hcl_deep import structures
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import InputError
from tests.models import patients

N, SIZES = 12, {"a": 4, "b": 5, "c": 4}
SIMILAR = HCLConfig(widths=(6, 3), fusion=(5,), outcome="regression", reconstruction=True)
FEW = replace(SIMILAR, subsets=(("a", "b"), ("a",), ("c",)), reconstruction=False)
INFONCE = replace(SIMILAR, contrast="infonce", outcome="binary")
H = HCLHParams(0.7, 0.4, 0.3, 0.6, 0.9)
both_contrasts = pytest.mark.parametrize(
    "config", [SIMILAR, INFONCE], ids=["similarity", "infonce"]
)
pytestmark = pytest.mark.usefixtures("x64")


def make_batch(binary=False, n=N):
    rng = np.random.default_rng(0)
    has = {m: rng.random(n) < 0.75 for m in SIZES}
    has["a"][0], has["b"][0], has["c"][0] = True, False, False
    for p in has.values():
        p[1] = False  # a patient with the clinical block alone
    y = rng.normal(size=n)
    return ArrayBatch(
        inputs={m: jnp.asarray(rng.normal(size=(n, d))) for m, d in SIZES.items()},
        presence={m: jnp.asarray(p, float) for m, p in has.items()},
        outcome=jnp.asarray(y > 0, float) if binary else jnp.asarray(y),
        where=jnp.arange(n) != 3,
        feature_mask={m: jnp.ones(d).at[1].set(0) for m, d in SIZES.items()},
        clinical=jnp.asarray(rng.normal(size=(n, 2))),
    )


def some_params(config, batch):
    """Of the right shapes, without compiling the initialisation."""
    shapes, rng = (
        jax.eval_shape(hcl(config).init, jax.random.key(0), batch),
        np.random.default_rng(1),
    )
    return jax.tree.map(lambda s: jnp.asarray(0.6 * rng.normal(size=s.shape), s.dtype), shapes)


@cache
def program(config):
    objective, show = hcl(config), representations(config)

    @jax.jit
    def run(params, batch, hparams, key):
        gradient = jax.grad(objective.loss, has_aux=True)
        slopes, terms = gradient(params, batch, key, hparams)
        predicted = objective.predict(params, batch), objective.score(params, batch)
        return terms, slopes, predicted, show(params, batch)

    return run


def everything(config, params, batch, hparams=H, seed=0):
    """Terms, the loss's gradient, prediction and score, representations."""
    return program(config)(params, batch, jax.tree.map(float, hparams), jax.random.key(seed))


def dense(layer, x):
    return x @ layer["kernel"] + layer["bias"]


def naive(config, params, batch, h):
    """All of it in loops over patients, subsets and modalities."""
    chosen = structures(config, batch)
    batch, p = jax.tree.map(np.asarray, (batch, params["params"]))
    rows = np.flatnonzero(batch.where)
    has = {m: v > 0 for m, v in batch.presence.items()}
    hidden, width = config.widths
    code = {}
    for m in SIZES:
        net = p[f"encode_{m}"]
        for k, s in enumerate([s for s in chosen if m in s]):
            block = slice(k * hidden, (k + 1) * hidden)
            first = (batch.inputs[m] * batch.feature_mask[m]) @ net["first"]["kernel"][
                :, block
            ] + net["first"]["bias"][block]
            z = np.maximum(first, 0) @ net["kernel_0"][k] + net["bias_0"][k]
            code[m, s] = np.array([v / np.sqrt(v @ v) for v in z])

    def phi(i, j):
        return sum(
            code[m, s][i] @ code[o, s][j]
            for s in chosen
            for m in s
            for o in s
            if has[m][i] and has[o][j]
        )

    def entropy(s, m, o):
        both = [i for i in rows if has[m][i] and has[o][i]]
        logit = np.array([[code[m, s][i] @ code[o, s][j] for j in both] for i in both])
        logit = logit / h.temperature
        return [np.log(np.exp(logit[i]).sum()) - logit[i, i] for i in range(len(both))]

    if config.contrast == "similarity":
        unequal = [phi(i, j) for i in rows for j in rows if i != j]
        contrast = np.mean(unequal) - np.mean([phi(i, i) for i in rows])
    else:
        each = [entropy(s, m, o) for s in chosen for m in s for o in s if m != o]
        contrast = np.mean(np.concatenate(each))
    overlap = 0.0
    for m in SIZES:
        mine = [s for s in chosen if m in s]
        overlap += np.mean(
            [(code[m, s][i] @ code[m, t][i]) ** 2
             for i in rows if has[m][i] for s in mine for t in mine if s != t]
        )  # fmt: skip
    fused = {s: np.zeros((len(batch.where), width)) for s in chosen}
    for s in chosen:
        for i in range(len(batch.where)):
            here = [code[m, s][i] for m in s if has[m][i]]
            fused[s][i] = np.mean(here, axis=0) if here else 0
    error = 0.0
    for m in SIZES:
        net, z = p[f"decode_{m}"], np.concatenate([fused[s] for s in chosen if m in s], axis=1)
        made = dense(net["Dense_1"], np.maximum(dense(net["Dense_0"], z), 0))
        used = batch.feature_mask[m] > 0
        square = (made - batch.inputs[m])[:, used] ** 2
        error += np.mean([square[i] for i in rows if has[m][i]])
    read = np.concatenate([*fused.values(), batch.clinical], axis=1)
    head = p["head"]
    out = dense(head["Dense_1"], np.maximum(dense(head["Dense_0"], read), 0))[:, 0]
    y = batch.outcome
    losses = (out - y) ** 2 if config.outcome == "regression" else np.log1p(np.exp(out)) - y * out
    task = np.mean(losses[rows])
    total = h.task_weight * task + h.contrast_weight * (contrast + h.orthogonality * overlap)
    terms = {
        "loss": total + h.reconstruction_weight * error,
        "prediction": task,
        "contrast": contrast,
        "orthogonality": overlap,
        "reconstruction": error,
    }
    return terms, out, fused


@both_contrasts
def test_everything_is_its_definition(config):
    batch = make_batch(config.outcome == "binary")
    params = some_params(config, batch)
    terms, out, fused = naive(config, params, batch, H)
    ours, _, (prediction, score), shown = everything(config, params, batch)
    for name, value in terms.items():
        np.testing.assert_allclose(ours[name], value, rtol=1e-10, err_msg=name)
    assert set(ours) == set(terms)
    np.testing.assert_allclose(prediction, out, rtol=1e-10)
    np.testing.assert_allclose(score, terms["prediction"], rtol=1e-10)
    assert set(shown) == set(fused)
    for s, z in fused.items():
        np.testing.assert_allclose(shown[s], z, rtol=1e-10, atol=1e-12)


@both_contrasts
def test_aligning_modalities_that_share_nothing_does_not_reduce_the_contrast(config):
    batch = make_batch()._replace(presence={m: jnp.ones(N) for m in SIZES})
    batch = batch._replace(inputs=batch.inputs | {"c": batch.inputs["a"]})
    turn = jnp.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for subsets, share in (((("a", "c"), ("b",)), True), ((("a", "b"), ("c",)), False)):
        less = replace(config, subsets=subsets, reconstruction=False)
        aligned = some_params(less, batch)
        nets = aligned["params"]
        nets["encode_c"] = nets["encode_a"]
        turned = {n: nets["encode_c"][n] @ turn for n in ("kernel_0", "bias_0")}
        away = {"params": nets | {"encode_c": nets["encode_c"] | turned}}
        loss = jax.jit(hcl(less).loss)
        a, b = (loss(p, batch, jax.random.key(0), H)[1]["contrast"] for p in (aligned, away))
        if share:
            assert a < b - 0.1
        else:
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_renamed_modalities_change_nothing_but_names():
    batch, names = make_batch(), {"a": "z", "b": "x", "c": "y"}
    params = some_params(SIMILAR, batch)["params"]

    def rename(tree):
        return {names[m]: v for m, v in tree.items()}

    fields = {f: rename(getattr(batch, f)) for f in ("inputs", "presence", "feature_mask")}
    other = batch._replace(**fields)
    new_name = {s: tuple(sorted(names[m] for m in s)) for s in structures(SIMILAR, batch)}
    before, after = list(new_name.values()), list(structures(SIMILAR, other))

    def moved(blocks, member, axis=0):
        """Blocks along an axis, one per structure with a modality, in the new order."""
        old, new = ([s for s in each if member in (None, *s)] for each in (before, after))
        size = blocks.shape[axis] // len(old)
        index = np.concatenate([old.index(s) * size + np.arange(size) for s in new])
        return jnp.take(blocks, index, axis=axis)

    renamed = {"head": jax.tree.map(lambda p: p, params["head"])}
    kernel = params["head"]["Dense_0"]["kernel"]
    renamed["head"]["Dense_0"]["kernel"] = jnp.concatenate([moved(kernel[:-2], None), kernel[-2:]])
    for m, name in names.items():
        encoder, decoder = params[f"encode_{m}"], jax.tree.map(lambda p: p, params[f"decode_{m}"])
        first = {n: moved(p, name, axis=-1) for n, p in encoder["first"].items()}
        rest = {n: moved(encoder[n], name) for n in ("kernel_0", "bias_0")}
        decoder["Dense_0"]["kernel"] = moved(decoder["Dense_0"]["kernel"], name)
        renamed |= {f"encode_{name}": {"first": first, **rest}, f"decode_{name}": decoder}

    assert before != after
    terms, _, out, fused = everything(SIMILAR, {"params": params}, batch)
    terms_after, _, out_after, fused_after = everything(SIMILAR, {"params": renamed}, other)
    for one, two in ((terms, terms_after), (out, out_after)):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10), one, two)
    for s, z in fused.items():
        np.testing.assert_allclose(z, fused_after[new_name[s]], rtol=1e-10)


@both_contrasts
def test_what_a_patient_lacks_and_what_is_masked_is_not_read(config):
    batch = make_batch()
    seen = {m: (batch.presence[m][:, None] > 0) & (batch.feature_mask[m][None] > 0) for m in SIZES}
    garbage = {m: jnp.where(seen[m], x, 1e4) for m, x in batch.inputs.items()}
    params = some_params(config, batch)
    one = everything(config, params, batch)
    other = everything(config, params, batch._replace(inputs=garbage))
    jax.tree.map(np.testing.assert_array_equal, one, other)
    for s, z in one[3].items():
        lacks = ~np.any([np.asarray(batch.presence[m]) > 0 for m in s], axis=0)
        np.testing.assert_array_equal(np.any(np.asarray(z) != 0, axis=1), ~lacks)


@both_contrasts
def test_rows_outside_the_loss_do_not_move_it(config):
    batch = make_batch()
    far = jnp.where(batch.where, 0, 9.0)[:, None]
    other = batch._replace(inputs={m: x + far for m, x in batch.inputs.items()})
    params = some_params(config, batch)
    one, two = (everything(config, params, b)[:2] for b in (batch, other))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), one, two)


@both_contrasts
@pytest.mark.parametrize("rows", [0, 1, N])
def test_gradients_are_finite_without_patients_and_at_zero(config, rows):
    batch = make_batch()
    batch = batch._replace(feature_mask=batch.feature_mask | {"c": jnp.zeros(SIZES["c"])})
    params = some_params(config, batch)
    if rows == N:
        params = jax.tree.map(jnp.zeros_like, params)  # all encodings are 0
    terms, slopes, _, _ = everything(config, params, batch.restrict(jnp.arange(N) < rows))
    assert all(np.isfinite(x).all() for x in jax.tree.leaves((terms, slopes)))


def test_pretraining_ends_where_the_outcome_begins():
    batch = make_batch()
    params, anneal = some_params(INFONCE, batch), hcl(INFONCE).anneal
    phases = [anneal(H._replace(pretrain=0.3), p).task_weight > 0 for p in jnp.linspace(0, 1, 10)]
    assert phases == [False] * 3 + [True] * 7

    def slopes(progress, **changed):
        hparams = anneal(H._replace(pretrain=0.5, **changed), jnp.asarray(progress))
        return everything(INFONCE, params, batch, hparams)[1]["params"]

    def reached(tree):
        return {n for n, g in tree.items() if any(np.any(x) for x in jax.tree.leaves(g))}

    nets = {f"{kind}_{m}" for kind in ("encode", "decode") for m in SIZES}
    assert reached(slopes(0.1)) == nets
    assert reached(slopes(0.6)) == {"head", *(f"encode_{m}" for m in SIZES)}
    later = slopes(0.6), slopes(0.6, contrast_weight=9.0, temperature=0.1, orthogonality=5.0)
    jax.tree.map(np.testing.assert_array_equal, *later)
    for progress in (0.0, 0.3, 1.0):  # 0 is joint training
        np.testing.assert_allclose(anneal(H, jnp.asarray(progress)), H)


@pytest.mark.parametrize(
    ("config", "unread"),
    [
        (SIMILAR, {"temperature"}),
        (replace(INFONCE, reconstruction=False), {"reconstruction_weight"}),
        (replace(SIMILAR, contrast="none"), {"contrast_weight", "orthogonality", "temperature"}),
        (
            replace(SIMILAR, contrast="none", reconstruction=False),
            {
                "contrast_weight",
                "orthogonality",
                "temperature",
                "reconstruction_weight",
                "pretrain",
            },
        ),
    ],
)
def test_hyper_parameters_that_nothing_reads_are_named(config, unread):
    batch, hparams = make_batch(), jax.tree.map(jnp.asarray, H._replace(dropout=0.2))
    slope = jax.jit(jax.grad(lambda h, *args: hcl(config).loss(*args, h)[0]))
    slopes = slope(hparams, some_params(config, batch), batch, jax.random.key(0))
    still = {name for name, value in slopes._asdict().items() if value == 0}
    outside_the_loss = {"learning_rate", "pretrain"}
    assert still - outside_the_loss == unread - outside_the_loss
    assert set(hcl(config).unread) == unread


def test_dropout_is_for_training_alone():
    batch = make_batch()
    params, wet = some_params(SIMILAR, batch), H._replace(dropout=0.5)
    one, two = (everything(SIMILAR, params, batch, wet, seed) for seed in (1, 2))
    for name in ("contrast", "prediction", "reconstruction"):
        assert one[0][name] != two[0][name]
    jax.tree.map(np.testing.assert_array_equal, one[2:], two[2:])


def toy(binary=False, n=80):
    """An outcome made of what two modalities share and of what one has to itself."""
    batch = make_batch(n=n)
    shared = batch.inputs["a"][:, 0]
    inputs = batch.inputs | {"b": batch.inputs["b"].at[:, 0].set(shared)}
    y = shared + batch.inputs["c"][:, 0] + batch.clinical[:, 0]
    y = jnp.where(y > 0, 1.0, 0.0) if binary else y / jnp.std(y)
    everyone = {m: jnp.ones(n) for m in SIZES}
    batch = ArrayBatch(inputs, everyone, y, jnp.ones(n, bool), clinical=batch.clinical)
    later = jnp.arange(n) >= 50
    return batch, Masks(~later, later, jnp.ones(n, bool))


@cache
def training(outcome):
    """``run(key, contrast weight, pretraining)``, and the same jitted."""
    batch, masks = toy(outcome == "binary")

    def one(key, weight, pretrain):
        h = HCLHParams(weight, pretrain=pretrain, learning_rate=0.03)
        return fit(
            key, hcl(replace(FEW, outcome=outcome)), h, batch, masks, FitConfig(24, 24, 4, 25)
        )

    return one, jax.jit(one)


@pytest.mark.parametrize("outcome", ["regression", "binary"])
def test_heads_learn(outcome):
    result = training(outcome)[1](jax.random.key(0), 0.1, 0.0)
    batch, masks = toy(outcome == "binary")
    out = jax.jit(hcl(replace(FEW, outcome=outcome)).predict)(result.params, batch)
    y = batch.outcome
    if outcome == "regression":
        losses, nothing = (y - out) ** 2, np.mean(y[masks.validation] ** 2)
    else:
        losses, nothing = np.log1p(np.exp(out)) - y * out, np.log(2)
    loss = np.mean(losses[masks.validation])
    np.testing.assert_allclose(result.best_score, loss, rtol=1e-9)
    assert loss < 0.6 * nothing
    assert result.history["contrast"][-1] < result.history["contrast"][0]


def test_alone_and_vmapped_agree_whatever_their_pretraining():
    one, alone = training("regression")
    settings = [(jax.random.key(k), w, s) for k, w, s in ((0, 0.1, 0.0), (1, 1.0, 0.5))]
    together = jax.jit(jax.vmap(one))(*map(jnp.stack, zip(*settings, strict=True)))
    for i, each in enumerate(settings):
        jax.tree.map(
            lambda a, b, i=i: np.testing.assert_allclose(a, b[i], rtol=1e-7, atol=1e-9),
            alone(*each),
            together,
        )
    joint, pretrained = np.asarray(together.history["validation"])
    assert joint[0] != joint[1]
    assert len(set(pretrained[:12])) == 1  # the head is still zero
    assert pretrained[12] != pretrained[11]
    assert together.best_epoch[1] > 12


def test_survival_starts_at_the_offset():
    batch = patients.make_batch()
    objective = hcl(HCLConfig(widths=(4, 2), fusion=(3,)))
    start = jax.jit(lambda key: objective.predict(objective.init(key, batch), batch))
    np.testing.assert_array_equal(start(jax.random.key(0)), batch.offset)


def test_structures_by_name():
    batch = make_batch()
    found = {name: structures(HCLConfig(name), batch) for name in ("pairs", "shared_private")}
    assert set(found["pairs"]) == set(combinations("abc", 2))
    assert set(found["shared_private"]) == {("a", "b", "c"), ("a",), ("b",), ("c",)}
    assert len(structures(HCLConfig(), batch)) == len(set(structures(HCLConfig(), batch))) == 7
    assert structures(HCLConfig((("c", "a"), ("b",))), batch) == (("a", "c"), ("b",))
    alone = batch._replace(inputs={"a": batch.inputs["a"]})
    assert structures(HCLConfig("shared_private"), alone) == (("a",),)


def test_all_encoders_of_a_modality_are_one_product():
    batch = make_batch()
    params = some_params(HCLConfig(outcome="regression"), batch)["params"]
    encoder = params["encode_a"]
    assert encoder["first"]["kernel"].shape == (SIZES["a"], 4 * 256)  # of 7 subsets 4 have a
    assert encoder["kernel_0"].shape == (4, 256, 128)
    assert params["head"]["Dense_0"]["kernel"].shape == (7 * 128 + 2, 256)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"subsets": "triples"}, "subsets must be one of .* or tuples of names, got 'triples'"),
        ({"subsets": ("rna",)}, "a subset is a tuple of different modalities' names, got 'rna'"),
        ({"subsets": ((),)}, r"a subset is a tuple .*, got \(\)"),
        ({"subsets": (("a", "a"),)}, r"a subset is a tuple .*, got \('a', 'a'\)"),
        ({"subsets": ()}, r"subsets must be different, and at least one; got \(\)"),
        ({"subsets": (("a", "b"), ("b", "a"))}, "subsets must be different, and at least one"),
        ({"contrast": "clip"}, "contrast must be one of .*, got 'clip'"),
        ({"outcome": "image"}, "outcome must be one of .*, got 'image'"),
        ({"widths": ()}, r"widths must have the width of a representation, got \(\)"),
    ],
)
def test_refuses_impossible_configurations(options, message):
    with pytest.raises(InputError, match=message):
        HCLConfig(**options)


@pytest.mark.parametrize(
    ("options", "modalities", "message"),
    [
        ({"subsets": (("a", "rna"),)}, "abc", r"subsets name \['rna'\], .* \['a', 'b', 'c'\]"),
        ({"subsets": "pairs"}, "a", r"no subset has two modalities to contrast: \[\] of \['a'\]"),
        (
            {"contrast": "infonce", "subsets": (("a",), ("b",))},
            "ab",
            "no subset has two modalities",
        ),
    ],
)
def test_refuses_subsets_that_the_data_do_not_have(options, modalities, message):
    batch = make_batch()
    batch = batch._replace(inputs={m: batch.inputs[m] for m in modalities})
    with pytest.raises(InputError, match=message):
        hcl(HCLConfig(**options)).init(jax.random.key(0), batch)


def test_refuses_images_and_outcomes_of_another_shape():
    batch = make_batch()
    images = batch._replace(inputs=batch.inputs | {"b": jnp.zeros((N, 3, 3))})
    objective = hcl(SIMILAR)
    with pytest.raises(InputError, match=r"must be of shape \[n, d\], got \{'b': \(12, 3, 3\)\}"):
        objective.init(jax.random.key(0), images)
    column = batch._replace(outcome=batch.outcome[:, None])
    with pytest.raises(InputError, match=r"outcome has shape \(12, 1\), needs \(12,\)"):
        jax.eval_shape(objective.score, some_params(SIMILAR, batch), column)
