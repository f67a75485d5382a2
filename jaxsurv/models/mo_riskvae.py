"""MO-RiskVAE (arXiv 2604.06267): a relaxed KL weight and a hybrid latent, without MMD or HSIC.

Published: the hybrid latent, its annealed Gumbel-Softmax and the additive risk of the categories. Not
published, hence our choice: four categories beside z_c of the family's size, temperature 1 to 0.5
within the first tenth of the epochs, and weights of 0.1 for both KL terms (per patient in nats, beside Cox
per event).
"""

from jaxsurv.models._survival_vae import latents, survival_vae
from jaxsurv.models.config import HParams, SurvivalVAEConfig
from jaxsurv.models.registry import Model, register

MO_RISKVAE = SurvivalVAEConfig(regulariser="kl", categories=4)

MO_RISKVAE_HPARAMS = HParams(beta=0.1, categorical_weight=0.1, temperature=1.0, temperature_end=0.5)

MO_RISKVAE_MODEL = register(
    Model("MORiskVAE", survival_vae, MO_RISKVAE_HPARAMS, MO_RISKVAE, latent=latents)
)
