"""The multimodal survival VAE: its head, missing modalities, sums of terms, impossible configurations."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.models import HParams, SurvivalVAEConfig, config_of, survival_vae
from jaxsurv.types import InputError
from tests.models.patients import N, make_batch
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
        ({"head": (4,)}, r"head must end in one output, got \(4,\)"),
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
    assert entries["hard"] is False  # as it was
    with pytest.raises(InputError, match="hard is True, and this version has only False"):
        config_of(SurvivalVAEConfig, entries | {"hard": True})
    with pytest.raises(InputError, match=r"hsic must be one of .*, got 'reconstruction'"):
        config_of(SurvivalVAEConfig, {"hsic": "reconstruction"})
