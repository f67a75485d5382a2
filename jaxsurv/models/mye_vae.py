"""MyeVAE as it was released (BMC Artificial Intelligence 1, 8, 2025), from the family's parts.

Kept: linear -> dropout -> activation after every layer, the last one of each network included; a tanh
risk head on ``[mu, clinical]``, so that risk is in (-1, 1); KL and Cox as sums over the batch beside a
mean reconstruction error; imputed values that count as observed.

Not kept, being defects: gradients that accumulate over a whole fit, early stopping on the training
loss without rolling back, and a Cox loss that ignores ties and overflows.
"""

from jaxsurv.models._survival_vae import latents, survival_vae
from jaxsurv.models.config import HParams, SurvivalVAEConfig
from jaxsurv.models.registry import Model, register


def released_widths(features: int) -> tuple[int, ...]:
    """The released encoders: expression (32, 4), copy number (16, 4), small tables (4, 1)."""
    if features > 100:
        return (32, 4)
    return (16, 4) if features > 20 else (4, 1)


MYEVAE = SurvivalVAEConfig(
    widths=released_widths,
    head_widths=(4, 1),
    zero_head=False,
    bounded=True,
    missing="impute",
    reduction="sum",
)

MYEVAE_HPARAMS = HParams(beta=1.0, survival_weight=1.0, learning_rate=5e-4, dropout=0.3)

MYEVAE_MODEL = register(Model("MyeVAE", survival_vae, MYEVAE_HPARAMS, MYEVAE, latent=latents))
