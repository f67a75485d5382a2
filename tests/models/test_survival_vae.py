"""The multimodal survival VAE: its head, missing modalities, sums of terms, impossible configurations."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import (
    MYEVAE,
    MYEVAE_HPARAMS,
    HParams,
    SurvivalVAEConfig,
    config_of,
    survival_vae,
)
from jaxsurv.types import InputError
from tests.models.patients import N, leaves, make_batch
from tests.models.programs import compiled
from tests.models.test_protocol import named, parts


def test_a_zero_head_starts_at_the_offset():
    batch = make_batch()
    objective, params, _ = parts(named("MO-RiskVAE"), batch)
    np.testing.assert_array_equal(objective.predict(params, batch), batch.offset)


def test_absent_modalities_are_not_seen_when_masked():
    batch = make_batch()
    filled = batch._replace(
        inputs={m: x + 5.0 * (1 - batch.presence[m])[:, None] for m, x in batch.inputs.items()}
    )
    config = SurvivalVAEConfig(zero_head=False)
    params = compiled(survival_vae(config)).init(jax.random.key(0), batch)
    for missing, same in (("mask", True), ("impute", False)):
        objective = compiled(survival_vae(replace(config, missing=missing)))
        one, other = objective.predict(params, batch), objective.predict(params, filled)
        assert np.array_equal(one, other) == same
        losses = [
            float(objective.loss(params, b, jax.random.key(1), HParams())[0])
            for b in (batch, filled)
        ]
        assert (losses[0] == losses[1]) == same


def test_terms_add_up_with_their_weights():
    batch = make_batch()
    objective, params, _ = parts((survival_vae(), HParams()), batch)
    params = jax.tree.map(lambda p: p + 0.1, params)
    total, terms = objective.loss(params, batch, jax.random.key(1), HParams(0.3, 2.0))
    expected = terms["reconstruction"] + 0.3 * terms["kl"] + 2.0 * terms["cox"]
    np.testing.assert_allclose(total, expected, rtol=1e-6)


def test_balanced_terms_are_divided_by_their_present_values():
    """The loss counts the shares; the gradient is that of the terms over constants."""
    batch, key, hparams = make_batch(), jax.random.key(1), HParams(0.3, 2.0)
    config = SurvivalVAEConfig(zero_head=False, balanced=True)
    balanced = survival_vae(config)
    plain = survival_vae(replace(config, balanced=False))
    params = balanced.init(jax.random.key(0), batch)
    value, slope = jax.value_and_grad(balanced.loss, has_aux=True)(params, batch, key, hparams)
    _, terms = plain.loss(params, batch, key, hparams)
    assert terms["cox"] > 1.2
    assert terms["reconstruction"] > 1.2
    np.testing.assert_allclose(value[0], 1 + 0.3 * terms["kl"] + 2.0, rtol=1e-6)
    for name, term in terms.items():
        np.testing.assert_allclose(value[1][name], value[0] if name == "loss" else term, rtol=1e-6)

    def by_hand(params):
        of = plain.loss(params, batch, key, hparams)[1]
        shares = of["reconstruction"] / terms["reconstruction"] + 2.0 * of["cox"] / terms["cox"]
        return shares + 0.3 * of["kl"]

    expected = jax.grad(by_hand)(params)
    np.testing.assert_allclose(leaves(slope), leaves(expected), rtol=1e-4, atol=1e-6)


def test_sums_and_means_differ_by_rows_and_events():
    batch = make_batch().restrict(jnp.arange(N) < 30)
    mean = survival_vae(SurvivalVAEConfig(zero_head=False))
    params = mean.init(jax.random.key(0), batch)
    summed = survival_vae(SurvivalVAEConfig(zero_head=False, reduction="sum"))
    (_, a), (_, b) = (m.loss(params, batch, jax.random.key(1), HParams()) for m in (mean, summed))
    np.testing.assert_allclose(30 * a["kl"], b["kl"], rtol=1e-5)
    events = float(jnp.sum(batch.outcome.event[:30]))
    np.testing.assert_allclose(events * a["cox"], b["cox"], rtol=1e-5)
    np.testing.assert_allclose(a["reconstruction"], b["reconstruction"], rtol=1e-6)


def test_myevae_has_its_released_choices():
    """Layer by layer and number by number: the released code and Chang et al. (2025)."""
    rng = np.random.default_rng(0)
    sizes = {"rna": 101, "cnv": 100, "fish": 20}
    expected = {"rna": (32, 4), "cnv": (16, 4), "fish": (4, 1)}
    small = make_batch()
    batch = small._replace(
        inputs={m: jnp.asarray(rng.normal(size=(N, d)), jnp.float32) for m, d in sizes.items()},
        presence={m: jnp.ones(N) for m in sizes},
    )
    assert (MYEVAE.missing, MYEVAE.reduction, MYEVAE.regulariser) == ("impute", "sum", "kl")
    assert (MYEVAE.categories, MYEVAE.balanced, MYEVAE.modality_dropout) == (0, False, False)
    assert MYEVAE.head_reads_clinical
    assert not MYEVAE.head_reads_offset
    assert MYEVAE_HPARAMS[:4] == (1.0, 1.0, 5e-4, 0.3)  # beta, Cox, learning rate, dropout
    params = survival_vae(MYEVAE).init(jax.random.key(0), batch)

    def widths(layers):
        return tuple(layers[f"Dense_{i}"]["kernel"].shape[1] for i in range(len(layers)))

    encoder, decoder = params["encoder"]["params"], params["decoder"]["params"]
    head, z = params["head"]["params"], MYEVAE.latent
    for m, own in expected.items():
        assert widths(encoder[f"encode_{m}"]) == own
        assert widths(decoder[f"decode_{m}"]) == (own[0], sizes[m])
    assert widths(encoder["mu"]) == widths(encoder["logvar"]) == (2 * z, z)
    assert widths(decoder["joint"]) == (4 + 4 + 1,)
    assert widths(head) == (4, 1)
    assert np.any(head["Dense_1"]["kernel"])  # no zero head

    def through(layers, x, activation):
        """Activation after every layer, the last one included."""
        for i in range(len(layers)):
            layer = layers[f"Dense_{i}"]
            x = activation(x @ np.asarray(layer["kernel"]) + np.asarray(layer["bias"]))
        return x

    def leaky(x):
        return np.where(x > 0, x, 0.01 * x)

    encoded = [
        through(encoder[f"encode_{m}"], np.asarray(batch.inputs[m]), leaky) for m in sorted(sizes)
    ]
    mu = through(encoder["mu"], np.concatenate(encoded, axis=1), leaky)
    risk = through(head, np.concatenate([mu, batch.clinical], axis=1), np.tanh)
    predicted = survival_vae(MYEVAE).predict(params, batch) - batch.offset
    np.testing.assert_allclose(predicted, risk[:, 0], rtol=1e-4, atol=1e-5)


def test_myevae_risk_is_bounded():
    batch = make_batch()._replace(offset=jnp.zeros(N))
    objective, params, _ = parts(named("MyeVAE"), batch)
    risk = objective.predict(jax.tree.map(lambda p: 50 * p, params), batch)
    assert np.abs(risk).max() <= 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"latent": 0}, "latent must be at least 1, got 0"),
        ({"categories": 1}, "categories must be 0 or at least 2, got 1"),
        ({"regulariser": "l2"}, "regulariser must be one of .*, got 'l2'"),
        ({"hsic": "cohort"}, "hsic must be one of .*, got 'cohort'"),
        ({"estimator": "u"}, "estimator must be one of .*, got 'u'"),
        ({"head_widths": (4,)}, r"head_widths must end in one output, got \(4,\)"),
        ({"head": "gompertz"}, r"head must be one of \('cox', .*, got 'gompertz'"),
        ({"intervals": 0}, "intervals must be at least 1, got 0"),
        ({"missing": "drop"}, "missing must be one of .*, got 'drop'"),
        ({"reduction": "max"}, "reduction must be one of .*, got 'max'"),
    ],
)
def test_refuses_impossible_configurations(options, message):
    with pytest.raises(InputError, match=message):
        SurvivalVAEConfig(**options)


def test_refuses_widths_for_other_modalities():
    with pytest.raises(
        InputError, match=r"widths are for \['protein'\], the data have \['cnv', 'rna'\]"
    ):
        survival_vae(SurvivalVAEConfig(widths={"protein": (4,)})).init(
            jax.random.key(0), make_batch()
        )


def test_model_files_may_have_retired_fields_with_their_last_values():
    entries = {"latent": 3, "hard": False, "mmd_bandwidth": "infovae"}
    assert config_of(SurvivalVAEConfig, entries) == SurvivalVAEConfig(latent=3)
    renamed = config_of(SurvivalVAEConfig, entries | {"head": (4, 1)})
    assert renamed == SurvivalVAEConfig(latent=3, head_widths=(4, 1))
    kept = config_of(SurvivalVAEConfig, {"head": "weibull", "head_widths": (4, 1)})
    assert (kept.head, kept.head_widths) == ("weibull", (4, 1))
    assert entries["hard"] is False  # as it was
    with pytest.raises(InputError, match="hard is True, and this version has only False"):
        config_of(SurvivalVAEConfig, entries | {"hard": True})
    with pytest.raises(InputError, match=r"hsic must be one of .*, got 'reconstruction'"):
        config_of(SurvivalVAEConfig, {"hsic": "reconstruction"})
