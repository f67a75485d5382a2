"""Published models: configuration, networks and objective, one file each."""

from jaxsurv.models._cox_mt import CoxMTConfig, CoxMTHParams, adam_l2, cox_mt, mean_teacher
from jaxsurv.models._cox_nnet import CoxNnetConfig, CoxNnetHParams, cox_nnet, nesterov
from jaxsurv.models._hcl_linear import LinearHCL, fit_moments, hcl_linear
from jaxsurv.models._inva import InVAConfig, InVAHParams, drawn_prediction, inva
from jaxsurv.models._survival_vae import latents, survival_vae
from jaxsurv.models.array_batch import ArrayBatch
from jaxsurv.models.batch import CLINICAL, Batch, features, table_batch
from jaxsurv.models.config import HParams, SurvivalVAEConfig, config_of
from jaxsurv.models.hcl_deep import HCLConfig, HCLHParams, hcl, representations
from jaxsurv.models.mo_riskvae import MO_RISKVAE, MO_RISKVAE_HPARAMS
from jaxsurv.models.mye_vae import MYEVAE, MYEVAE_HPARAMS
from jaxsurv.models.registry import Model, find_model, register, registered

__all__ = [
    "CLINICAL",
    "MO_RISKVAE",
    "MO_RISKVAE_HPARAMS",
    "MYEVAE",
    "MYEVAE_HPARAMS",
    "ArrayBatch",
    "Batch",
    "CoxMTConfig",
    "CoxMTHParams",
    "CoxNnetConfig",
    "CoxNnetHParams",
    "HCLConfig",
    "HCLHParams",
    "HParams",
    "InVAConfig",
    "InVAHParams",
    "LinearHCL",
    "Model",
    "SurvivalVAEConfig",
    "adam_l2",
    "config_of",
    "cox_mt",
    "cox_nnet",
    "drawn_prediction",
    "features",
    "find_model",
    "fit_moments",
    "hcl",
    "hcl_linear",
    "inva",
    "latents",
    "mean_teacher",
    "nesterov",
    "register",
    "registered",
    "representations",
    "survival_vae",
    "table_batch",
]
