"""Sweep that several benchmarks time: its patients, its network, and the FLOPs of a step.

1,016 simulated patients, two standardised modalities of 500 features, a survival VAE of 369,000
parameters, 2 GFLOP per step: full batch, Adam on reconstruction + beta KL + Cox, no dropout. A sweep is
every seed x beta for all of its epochs.
"""

import itertools
from functools import cache
from typing import Any

import numpy as np

N, FEATURES, MODALITIES = 1016, 500, 2
WIDTHS, LATENT = (128, 128), 32
LEARNING_RATE = 1e-3
BETAS = np.logspace(-4, 0, 8).tolist()


@cache
def patients() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate x ``[modalities, n, features]``, event ``[n]``, time ``[n]``, distinct and ascending."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((MODALITIES, N, FEATURES))
    life = rng.exponential(np.exp(-0.4 * x[0, :, :5].sum(1)))
    censoring = rng.exponential(1.5, N)
    order = np.argsort(np.minimum(life, censoring))
    x = ((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)).astype(np.float32)
    return x[:, order], (life <= censoring)[order], np.minimum(life, censoring)[order]


def layers() -> list[tuple[int, int]]:
    """Inputs and outputs of each dense layer."""
    joint = MODALITIES * WIDTHS[-1]
    encoder = list(zip((FEATURES, *WIDTHS[:-1]), WIDTHS, strict=True))
    decoder = [(b, a) for a, b in reversed(encoder)]
    posterior = 2 * [(joint, 2 * LATENT), (2 * LATENT, LATENT)]
    head = [(LATENT, 1)]
    return MODALITIES * (encoder + decoder) + posterior + [(LATENT, joint)] + head


def parameters() -> int:
    return sum((a + 1) * b for a, b in layers())


def flops() -> int:
    """FLOPs of a step's matrix products: values, and gradients of weights and of inputs except the data."""
    return 2 * N * (3 * sum(a * b for a, b in layers()) - MODALITIES * FEATURES * WIDTHS[0])


def as_batch(inputs: dict[str, np.ndarray], event: np.ndarray, time: np.ndarray) -> Any:
    """Batch of patients who have all modalities and no clinical columns."""
    from jaxsurv.models import Batch
    from jaxsurv.survival import prepare_risk_sets
    from jaxsurv.types import Survival

    n = len(event)
    return Batch(
        inputs=inputs,
        presence={m: np.ones(n, np.float32) for m in inputs},
        clinical=np.zeros((n, 0), np.float32),
        offset=np.zeros(n, np.float32),
        outcome=Survival(event.astype(np.float32), time.astype(np.float32)),
        where=np.ones(n, bool),
        risk_sets=prepare_risk_sets(event, time),
    )


def sweep_arguments(epochs: int) -> dict[str, Any]:
    """Arguments of :func:`jaxsurv.training.sweep`; the benchmark adds seeds, settings and plan."""
    import jax.numpy as jnp

    from jaxsurv.models import Batch, SurvivalVAEConfig, survival_vae
    from jaxsurv.training import FitConfig, Masks

    x, event, time = patients()
    cohort = as_batch({f"omics{k + 1}": xk for k, xk in enumerate(x)}, event, time)

    def build(shared: Any, split: Any, seed: Any) -> tuple[Batch, Masks]:
        return shared, Masks(split, split, split)

    config = SurvivalVAEConfig(widths=lambda features: WIDTHS, latent=LATENT)
    return {
        "objective": survival_vae(config),
        "build": build,
        "shared": cohort,
        "splits": jnp.ones((1, N), bool),
        "config": FitConfig(epochs, early_stopping=False),
    }


def settings() -> list[Any]:
    from jaxsurv.models import HParams

    return [HParams(beta=b, learning_rate=LEARNING_RATE, dropout=None) for b in BETAS]


def torch_training(seed: int, beta: float, epochs: int, threads: int, fused: bool) -> float:
    """Run the same training as a PyTorch loop; returns the last loss.

    Untied times are sorted in descending order once, so that the sum over each risk set is a cumulative sum.
    """
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    x, event, _ = patients()
    x, event = (torch.from_numpy(a.copy()) for a in (x[:, ::-1], event[::-1]))
    events = event.sum()

    def dense(*widths: int, last: bool = False) -> Any:
        steps: list[Any] = []
        for a, b in itertools.pairwise(widths):
            steps += [nn.Linear(a, b), nn.LeakyReLU()]
        return nn.Sequential(*(steps if last else steps[:-1]))

    joint = MODALITIES * WIDTHS[-1]
    encoders = nn.ModuleList(dense(FEATURES, *WIDTHS, last=True) for _ in x)
    decoders = nn.ModuleList(dense(*WIDTHS[::-1], FEATURES) for _ in x)
    to_mu, to_logvar = (dense(joint, 2 * LATENT, LATENT) for _ in range(2))
    join, head = dense(LATENT, joint, last=True), nn.Linear(LATENT, 1)
    for zero in head.parameters():
        nn.init.zeros_(zero)
    nets = nn.ModuleList([encoders, decoders, to_mu, to_logvar, join, head])
    adam = torch.optim.Adam(nets.parameters(), LEARNING_RATE, fused=fused)
    for _ in range(epochs):
        adam.zero_grad()
        h = torch.cat([encode(xk) for encode, xk in zip(encoders, x, strict=True)], -1)
        mu, logvar = to_mu(h), to_logvar(h)
        z = mu + torch.exp(logvar / 2) * torch.randn_like(mu)
        parts = join(z).chunk(MODALITIES, -1)
        made = [decode(part) for decode, part in zip(decoders, parts, strict=True)]
        error = sum(nn.functional.mse_loss(m, xk) for m, xk in zip(made, x, strict=True))
        kl = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1).mean()
        eta = head(mu)[:, 0]
        cox = ((torch.logcumsumexp(eta, 0) - eta) * event).sum() / events
        loss = error + beta * kl + cox
        loss.backward()
        adam.step()
    return loss.item()
