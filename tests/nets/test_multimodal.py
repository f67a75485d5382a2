"""Encoder and decoder of several modalities, some of them absent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.nets import MultimodalDecoder, MultimodalEncoder

N, LATENT = 6, 3
SIZES = {"rna": 10, "cnv": 7, "protein": 4}
WIDTHS = {"rna": (8, 5), "cnv": (6,), "protein": (9, 7, 2)}
ENCODER = MultimodalEncoder(WIDTHS, LATENT)
DECODER = MultimodalDecoder(WIDTHS, SIZES)
RNG = np.random.default_rng(0)
INPUTS = {m: RNG.normal(size=(N, d)).astype(np.float32) for m, d in SIZES.items()}
PRESENCE = {m: np.ones(N, np.float32) for m in SIZES} | {"cnv": np.float32([1, 0, 1, 0, 0, 1])}
Z = RNG.normal(size=(N, LATENT)).astype(np.float32)

encode = jax.jit(ENCODER.apply)
decode = jax.jit(DECODER.apply)


def random_params(module, *inputs):
    """Parameters of the module's shapes; compiling its initialisation takes seconds."""
    shapes = jax.eval_shape(module.init, jax.random.key(0), *inputs)
    return jax.tree.map(lambda s: jnp.asarray(RNG.normal(size=s.shape) / 2, s.dtype), shapes)


@pytest.fixture(scope="module")
def encoder():
    return random_params(ENCODER, INPUTS, PRESENCE)


@pytest.fixture(scope="module")
def decoder():
    return random_params(DECODER, Z)


def widths_of(layers):
    """Input width, then the output width of each dense layer."""
    kernels = [layers[f"Dense_{i}"]["kernel"].shape for i in range(len(layers))]
    return (kernels[0][0], *(k[1] for k in kernels))


def test_shapes(encoder, decoder):
    assert [x.shape for x in encode(encoder, INPUTS, PRESENCE)[:2]] == [(N, LATENT)] * 2
    assert {m: x.shape for m, x in decode(decoder, Z).items()} == {
        m: (N, d) for m, d in SIZES.items()
    }


def test_the_decoder_mirrors_the_encoder(encoder, decoder):
    for m in WIDTHS:
        there = widths_of(encoder["params"][f"encode_{m}"])
        assert there == (SIZES[m], *WIDTHS[m])
        assert widths_of(decoder["params"][f"decode_{m}"]) == there[::-1]
    total = 5 + 6 + 2
    assert widths_of(encoder["params"]["mu"]) == (total, 2 * LATENT, LATENT)
    assert widths_of(encoder["params"]["logvar"]) == (total, 2 * LATENT, LATENT)
    assert widths_of(decoder["params"]["joint"]) == (LATENT, total)


def test_an_absent_modality_has_no_influence(encoder):
    other = INPUTS | {"cnv": INPUTS["cnv"] + 5}
    absent = PRESENCE["cnv"] == 0
    for before, after in zip(
        encode(encoder, INPUTS, PRESENCE)[:2], encode(encoder, other, PRESENCE)[:2], strict=True
    ):
        np.testing.assert_array_equal(before[absent], after[absent])
        assert (np.abs(before - after)[~absent].max(axis=1) > 1e-3).all()

    @jax.jit
    @jax.grad
    def gradient_of(cnv):
        mu, logvar, _ = ENCODER.apply(encoder, INPUTS | {"cnv": cnv}, PRESENCE)
        return jnp.sum(mu**2) + jnp.sum(logvar**2)

    gradient = np.asarray(gradient_of(INPUTS["cnv"]))
    np.testing.assert_array_equal(gradient.any(axis=1), ~absent)


def test_an_absent_modality_encodes_to_nothing_whatever_its_biases(encoder):
    """Its encoder's parameters do not reach those who lack it."""
    absent = PRESENCE["cnv"] == 0
    layers = jax.tree.map(lambda p: p + 1, encoder["params"]["encode_cnv"])
    other = {"params": encoder["params"] | {"encode_cnv": layers}}
    for before, after in zip(
        encode(encoder, INPUTS, PRESENCE)[:2], encode(other, INPUTS, PRESENCE)[:2], strict=True
    ):
        np.testing.assert_array_equal(before[absent], after[absent])
        assert (np.abs(before - after)[~absent].max(axis=1) > 1e-3).all()


def test_a_patient_without_any_modality_gets_the_bias_only(encoder):
    nobody = {m: np.zeros(N, np.float32) for m in SIZES}
    mu, logvar, _ = encode(encoder, INPUTS, nobody)
    assert (np.ptp(mu, axis=0) == 0).all()
    assert (np.ptp(logvar, axis=0) == 0).all()


def test_mu_and_logvar_have_networks_of_their_own(encoder):
    changed = {"params": encoder["params"] | {"logvar": encoder["params"]["mu"]}}
    mu, logvar, _ = encode(encoder, INPUTS, PRESENCE)
    mu_then, logvar_then, _ = encode(changed, INPUTS, PRESENCE)
    np.testing.assert_array_equal(mu, mu_then)
    np.testing.assert_allclose(logvar_then, mu, rtol=1e-6)
    assert not np.allclose(mu, logvar)


def test_categories_have_a_network_of_their_own(encoder):
    hybrid = MultimodalEncoder(WIDTHS, LATENT, categories=4)
    logits = random_params(hybrid, INPUTS, PRESENCE)["params"]["logits"]
    assert widths_of(logits) == (5 + 6 + 2, 2 * LATENT, 4)
    params = {"params": encoder["params"] | {"logits": logits}}
    one, other = encode(encoder, INPUTS, PRESENCE), jax.jit(hybrid.apply)(params, INPUTS, PRESENCE)
    assert one.logits is None
    assert other.logits.shape == (N, 4)
    np.testing.assert_allclose(one.mu, other.mu, rtol=1e-5, atol=1e-6)


def test_each_modality_is_decoded_from_its_own_part(decoder):
    before = decode(decoder, Z)
    joint = decoder["params"]["joint"]["Dense_0"]
    for m, part in {"rna": slice(0, 5), "cnv": slice(5, 11), "protein": slice(11, 13)}.items():
        bias = joint["bias"].at[part].add(1.0)
        changed = decoder["params"] | {"joint": {"Dense_0": joint | {"bias": bias}}}
        after = decode({"params": changed}, Z)
        assert {k for k in SIZES if not np.array_equal(before[k], after[k])} == {m}


@pytest.mark.parametrize("final", [False, True])
def test_outputs_pass_an_activation_only_if_final(encoder, decoder, final):
    def negative(outputs):
        return any((np.asarray(x) < 0).any() for x in outputs)

    options = {"activation": jax.nn.relu, "final": final}
    reconstructions = jax.jit(MultimodalDecoder(WIDTHS, SIZES, **options).apply)(decoder, Z)
    encode = jax.jit(MultimodalEncoder(WIDTHS, LATENT, **options).apply)
    latents = encode(encoder, INPUTS, PRESENCE)[:2]
    assert negative(reconstructions.values()) is not final
    assert negative(latents) is not final


def test_dropout_in_training_only():
    widths = {"cnv": (6,)}
    encoder, decoder = MultimodalEncoder(widths, LATENT), MultimodalDecoder(widths, {"cnv": 7})
    params = random_params(encoder, INPUTS, PRESENCE), random_params(decoder, Z)

    @jax.jit
    def run(*dropout, **rngs):
        mu, logvar, _ = encoder.apply(params[0], INPUTS, PRESENCE, *dropout, **rngs)
        return mu, logvar, decoder.apply(params[1], Z, *dropout, **rngs)["cnv"]

    def trained(i, rate):
        # these keys compile fastest
        return run(rate, rngs={"dropout": jax.random.key(i, impl="unsafe_rbg")})

    for one, two, same, kept, evaluated in zip(
        trained(1, 0.5), trained(2, 0.5), trained(1, 0.5), trained(1, 0.0), run(), strict=True
    ):
        assert not np.allclose(one, two)
        np.testing.assert_array_equal(one, same)
        np.testing.assert_allclose(kept, evaluated, rtol=1e-5, atol=1e-6)
