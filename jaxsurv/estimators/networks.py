"""Published networks as estimators, a few lines each."""

from collections.abc import Callable
from typing import Any, ClassVar

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
from jaxsurv.types import Array, Objective


class LatentEstimator(NetworkEstimator):
    """A network with latent variables: ``collect(config)`` gives them, see `jaxsurv.training._sweep`."""

    collect: ClassVar[Callable[[Any], Callable[..., dict[Any, Array]]]]

    @classmethod
    def functions(cls, config: Any) -> Functions:
        """See :class:`SurvivalEstimator`."""
        collect = cls.collect(config)

        def latent(params: Any, batch: Any) -> Array:
            return jnp.concatenate(list(collect(params, batch).values()), axis=-1)

        return super().functions(config)._replace(latent=latent)

    def transform(self, X: Any) -> np.ndarray:
        """``[n, z]``: the latent variables of the first seed's network.

        Of the variational models their means, then class probabilities; of HCL the representations,
        subset by subset. Axes of another seed's are others, so that a mean over seeds has no meaning.
        """
        return self.fitted().latent(self._new(X))


class _VariationalEstimator(LatentEstimator):
    collect = staticmethod(latents)

    @staticmethod
    def objective(config: Any) -> Objective:
        """:func:`jaxsurv.models._survival_vae`."""
        return survival_vae(config)


class MORiskVAE(_VariationalEstimator):
    """MO-RiskVAE: a multimodal VAE with a Cox head and a hybrid latent; see `jaxsurv.models.MO_RISKVAE`."""

    default_config, default_hparams = MO_RISKVAE, MO_RISKVAE_HPARAMS


class MyeVAE(_VariationalEstimator):
    """MyeVAE as it was released; see `jaxsurv.models.mye_vae`.

    It takes imputed values for observed ones: here, where nothing is imputed, the training mean.
    """

    default_config, default_hparams = MYEVAE, MYEVAE_HPARAMS


class CoxNnet(NetworkEstimator):
    """Cox-nnet: one hidden layer; see :func:`jaxsurv.models._cox_nnet`. It has no config."""

    default_hparams, optimizer = CoxNnetHParams(), staticmethod(nesterov)

    @staticmethod
    def objective(config: None = None) -> Objective:
        """:func:`jaxsurv.models._cox_nnet`."""
        return cox_nnet()


class CoxMT(NetworkEstimator):
    """Cox-MT, which also learns from patients without an outcome; see :func:`jaxsurv.models._cox_mt`.

    Give these patients no time: NaN, and False or NaN as their event.
    """

    default_config, default_hparams = CoxMTConfig(), CoxMTHParams()
    optimizer = staticmethod(adam_l2)
    unlabelled = True

    @staticmethod
    def objective(config: CoxMTConfig) -> Objective:
        """:func:`jaxsurv.models._cox_mt`."""
        return cox_mt(config)


class HCL(LatentEstimator):
    """Deep HCL: what each subset of the modalities shares; see :func:`jaxsurv.models.hcl`."""

    default_config, default_hparams = HCLConfig(), HCLHParams()
    collect = staticmethod(representations)

    @staticmethod
    def objective(config: HCLConfig) -> Objective:
        """:func:`jaxsurv.models.hcl`."""
        return hcl(config)
