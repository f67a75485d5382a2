"""Models by name, and what an entry of the registry must hold."""

from dataclasses import is_dataclass, replace

import jax
import jax.numpy as jnp
import pytest

from jaxsurv.models import (
    CoxMTConfig,
    CoxMTHParams,
    Model,
    cox_mt,
    cox_nnet,
    find_model,
    register,
    registered,
)
from jaxsurv.models.mo_riskvae import MO_RISKVAE_MODEL
from jaxsurv.types import InputError
from tests.models.patients import N, make_batch
from tests.models.weibull import WEIBULL

PUBLISHED = ["MORiskVAE", "MyeVAE", "CoxNnet", "CoxMT", "HCL"]


def test_the_published_models_are_there():
    assert set(PUBLISHED) <= set(registered())
    assert all(find_model(name).name == name for name in registered())
    assert find_model("MORiskVAE") is MO_RISKVAE_MODEL
    assert [m.name for m in registered().values() if m.unlabelled] == ["CoxMT"]


def test_a_model_of_ones_own_is_found_once_its_file_is_imported():
    assert find_model("Weibull") is WEIBULL
    unregistered = replace(WEIBULL, name="mine")
    assert find_model(unregistered) is unregistered
    assert "mine" not in registered()


def test_a_name_that_is_taken_is_refused_but_to_the_same_model():
    same = Model("CoxMT", cox_mt, CoxMTHParams(), CoxMTConfig(), find_model("CoxMT").optimizer,
                 unlabelled=True)  # fmt: skip
    assert register(same) == find_model("CoxMT")
    with pytest.raises(InputError, match=r"another model named 'CoxMT'; give this one another nam"):
        register(replace(same, objective=cox_nnet))
    assert find_model("CoxMT") == same


def test_an_unknown_name_is_refused_with_those_known():
    with pytest.raises(
        InputError, match=r"no model named 'DeepHit'; known are .*CoxNnet, .*MyeVAE"
    ):
        find_model("DeepHit")
    with pytest.raises(InputError, match=r"import the file that calls jaxsurv.models.register"):
        find_model("coxmt")


def test_the_registry_is_changed_by_register_alone():
    with pytest.raises(TypeError):
        registered()["mine"] = WEIBULL  # type: ignore[index]


@pytest.mark.parametrize("name", [*PUBLISHED, "Weibull"])
def test_every_entry_holds_what_a_sweep_and_an_estimator_need(name):
    model, batch, key = find_model(name), make_batch(), jax.random.key(0)
    assert model.config is None or is_dataclass(model.config)
    assert "learning_rate" in model.hparams._fields
    objective = model.objective(model.config)
    assert objective.criterion == ("Weibull likelihood" if name == "Weibull" else "cox")
    assert set(objective.unread) < set(model.hparams._fields)

    params = jax.eval_shape(objective.init, key, batch)
    assert jax.eval_shape(objective.predict, params, batch).shape == (N,)
    assert jax.eval_shape(objective.score, params, batch).shape == ()
    loss, terms = jax.eval_shape(objective.loss, params, batch, key, model.hparams)
    assert loss.shape == ()
    assert "loss" in terms
    transform = model.optimizer(model.hparams)
    jax.eval_shape(transform.init, params)

    if model.latent is not None:
        latent = jax.eval_shape(model.latent(model.config), params, batch)
        assert latent
        assert all(z.shape[0] == N and len(z.shape) == 2 for z in latent.values())
    if objective.survival is not None:
        times = jnp.linspace(0, 3, 7)
        assert jax.eval_shape(objective.survival, params, batch, times).shape == (N, 7)
