"""Published networks as estimators, a few lines each."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from jaxsurv.estimators.ensemble import NetworkEstimator
from jaxsurv.estimators.fitted import Functions
from jaxsurv.models import (
    MO_RISKVAE,
    MO_RISKVAE_HPARAMS,
    MYEVAE,
    MYEVAE_HPARAMS,
    CoxMTConfig,
    CoxMTHParams,
    CoxNnetHParams,
    HCLConfig,
    HCLHParams,
    adam_l2,
    cox_mt,
    cox_nnet,
    hcl,
    latents,
    nesterov,
    representations,
    survival_vae,
)
from jaxsurv.types import Objective


class _VariationalEstimator(NetworkEstimator):
    @staticmethod
    def objective(config: Any) -> Objective:
        """:func:`jaxsurv.models.survival_vae`."""
        return survival_vae(config)

    @classmethod
    def functions(cls, config: Any) -> Functions:
        """See :class:`SurvivalEstimator`."""
        objective, collect = cls.objective(config), latents(config)

        def latent(params: Any, batch: Any) -> Any:
            return jnp.concatenate(list(collect(params, batch).values()), axis=-1)

        return Functions(objective.init, objective.predict, latent)

    def transform(self, X: Any) -> np.ndarray:
        """``[n, z + K]``: the latent means of the first seed's network, then its class probabilities.

        Axes of another seed's latent space are others, so that a mean over seeds has no meaning.
        """
        return self.fitted().latent(self._new(X))


class MORiskVAE(_VariationalEstimator):
    """MO-RiskVAE: a multimodal VAE with a Cox head and a hybrid latent; see `jaxsurv.models.MO_RISKVAE`."""

    default_config, default_hparams = MO_RISKVAE, MO_RISKVAE_HPARAMS


class MyeVAE(_VariationalEstimator):
    """MyeVAE as it was released; see `jaxsurv.models.mye_vae`.

    It takes imputed values for observed ones: here, where nothing is imputed, the training mean.
    """

    default_config, default_hparams = MYEVAE, MYEVAE_HPARAMS


class CoxNnet(NetworkEstimator):
    """Cox-nnet: one hidden layer; see :func:`jaxsurv.models.cox_nnet`. It has no config."""

    default_hparams, optimizer = CoxNnetHParams(), staticmethod(nesterov)

    @staticmethod
    def objective(config: None = None) -> Objective:
        """:func:`jaxsurv.models.cox_nnet`."""
        return cox_nnet()


class CoxMT(NetworkEstimator):
    """Cox-MT, which also learns from patients without an outcome; see :func:`jaxsurv.models.cox_mt`.

    Give these patients no time: NaN, and False or NaN as their event.
    """

    default_config, default_hparams = CoxMTConfig(), CoxMTHParams()
    optimizer = staticmethod(adam_l2)
    unlabelled = True

    @staticmethod
    def objective(config: CoxMTConfig) -> Objective:
        """:func:`jaxsurv.models.cox_mt`."""
        return cox_mt(config)


class HCL(NetworkEstimator):
    """Deep HCL: what each subset of the modalities shares; see :func:`jaxsurv.models.hcl`."""

    default_config, default_hparams = HCLConfig(), HCLHParams()

    @staticmethod
    def objective(config: HCLConfig) -> Objective:
        """:func:`jaxsurv.models.hcl`."""
        return hcl(config)

    @classmethod
    def functions(cls, config: HCLConfig) -> Functions:
        """See :class:`SurvivalEstimator`."""
        objective, collect = cls.objective(config), representations(config)

        def latent(params: Any, batch: Any) -> Any:
            parts = collect(params, batch)
            return jnp.concatenate([parts[s] for s in parts], axis=-1)

        return Functions(objective.init, objective.predict, latent)

    def transform(self, X: Any) -> np.ndarray:
        """``[n, subsets x width]``: the representations of the first seed's network, subset by subset."""
        return self.fitted().latent(self._new(X))
