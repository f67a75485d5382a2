"""Published models: configuration, networks and objective, one file each."""

from jaxsurv.models.batch import Batch
from jaxsurv.models.mye_vae import MYEVAE, MYEVAE_HPARAMS
from jaxsurv.models.survival_vae import HParams, SurvivalVAEConfig, survival_vae

__all__ = ["MYEVAE", "MYEVAE_HPARAMS", "Batch", "HParams", "SurvivalVAEConfig", "survival_vae"]
