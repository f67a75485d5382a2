"""One training of Cox-MT against the same loop in PyTorch with fused Adam, and against the machine.

    python -m benchmarks.cox_mt [--epochs 5] [--repeats 3]

n = 1,000 patients, p = 4,000 genes, hidden layers of 1,000 and 200, minibatches of 32, float32. Each
line is the median of interleaved trainings, per step. Both loops draw their minibatches, input noise
and dropout, take Adam steps with an L2 penalty, move the teacher, and after each epoch keep the best
parameters by the Cox loss of all patients. The limit is the least time of a step at the rates that this
machine reaches in a plain update and a large matrix product, both measured between the trainings. It
has two parts: first the FLOPs of the dense layers, or the bytes of their parameters and gradients if
these take longer; then, since no update can begin before its gradient is known, the bytes of parameters,
moments, gradient and teacher.
"""

import argparse
import itertools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import human, interleaved, machine
from jaxsurv.models import Batch, CoxMTConfig, CoxMTHParams, adam_l2, cox_mt
from jaxsurv.survival import prepare_risk_sets
from jaxsurv.training import FitConfig, Masks, fit
from jaxsurv.types import Survival

N, P, HIDDEN, SIZE = 1000, 4000, (1000, 200), 32
STEPS = -(-N // SIZE)
WIDTHS = (P, *HIDDEN, 1)
PARAMETERS = sum((a + 1) * b for a, b in itertools.pairwise(WIDTHS))
LAYER_BYTES = 4 * PARAMETERS * 3  # read by student and teacher, gradient written
UPDATE_BYTES = 4 * PARAMETERS * 9  # gradient, parameters, two moments, teacher; all but one written
# student and teacher forward, weight gradients, the gradient from the second layer to the first, and the
# step's part of the evaluation
FLOPS = 2 * SIZE * (3 * PARAMETERS + HIDDEN[0] * HIDDEN[1]) + 2 * N * PARAMETERS // STEPS


def patients() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate x [n, p], event [n], time [n]."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, P), np.float32)
    life = rng.exponential(np.exp(-0.5 * x[:, :10].sum(1)))
    censoring = rng.exponential(0.5, N)
    return x, life <= censoring, np.minimum(life, censoring).astype(np.float32)


def ours(epochs: int, consistency: Any) -> Callable[[], Any]:
    x, event, time = patients()
    everyone = jnp.ones(N, bool)
    batch = Batch(
        inputs={"rna": jnp.asarray(x)},
        presence={"rna": jnp.ones(N)},
        clinical=jnp.zeros((N, 0)),
        offset=jnp.zeros(N),
        outcome=Survival(jnp.asarray(event, jnp.float32), jnp.asarray(time)),
        where=everyone,
        risk_sets=prepare_risk_sets(event, time),
    )
    masks, config = Masks(everyone, everyone, everyone), FitConfig(epochs, 0, epochs, SIZE)
    objective = cox_mt(CoxMTConfig(HIDDEN, consistency))
    run = jax.jit(
        lambda key, h, batch: fit(key, objective, h, batch, masks, config, optimizer=adam_l2)
    )
    key, hparams = jax.random.key(0), jax.tree.map(jnp.float32, CoxMTHParams())
    return lambda: jax.block_until_ready(run(key, hparams, batch))


def torch_loop(epochs: int) -> Callable[[], Any]:
    import torch
    from torch import nn

    tensors = [torch.from_numpy(a) for a in patients()]
    h = CoxMTHParams()

    def network() -> Any:
        layers = []
        for a, b in itertools.pairwise(WIDTHS[:-1]):
            layers += [nn.Linear(a, b), nn.ReLU(), nn.Dropout(h.dropout)]
        return nn.Sequential(*layers, nn.Linear(WIDTHS[-2], 1))

    def cox(eta: Any, event: Any, time: Any) -> Any:
        order = torch.argsort(time, descending=True)
        eta, event = eta[order], event[order]
        terms = (torch.logcumsumexp(eta, 0) - eta) * event
        return terms.sum() / event.sum().clamp(min=1)

    def train() -> Any:
        torch.manual_seed(0)
        student, teacher = network(), network()
        teacher.load_state_dict(student.state_dict())
        own, followed = list(student.parameters()), list(teacher.parameters())
        adam = torch.optim.Adam(own, h.learning_rate, weight_decay=h.weight_decay, fused=True)
        t, lowest, best = 0, float("inf"), []
        for _ in range(epochs):
            for rows in torch.randperm(N).split(SIZE):
                x, event, time = (a[rows] for a in tensors)
                adam.zero_grad()
                eta = student(x + h.noise * torch.randn_like(x))[:, 0]
                with torch.no_grad():
                    taught = teacher(x + h.noise * torch.randn_like(x))[:, 0]
                censored = ~event
                difference = ((eta - taught) ** 2 * censored).sum() / censored.sum().clamp(min=1)
                (cox(eta, event, time) + h.weight * difference).backward()
                adam.step()
                t += 1
                alpha = min(1 - 1 / (t + 1), h.alpha)
                with torch.no_grad():
                    torch._foreach_lerp_(followed, own, 1 - alpha)
            student.eval()
            with torch.no_grad():
                score = float(cox(student(tensors[0])[:, 0], *tensors[1:]))
            student.train()
            if score < lowest:
                lowest, best = score, [p.clone() for p in (*own, *followed)]
        return best

    return train


def rates() -> dict[str, Callable[[], Any]]:
    """Cases that measure rates: a plain update of an array larger than a cache, a large matrix product."""
    big, square = jnp.ones(1 << 25), jnp.ones((2048, 2048))
    update, product = jax.jit(lambda x: x * 1.5, donate_argnums=0), jax.jit(jnp.matmul)
    held = [big]

    def stream() -> None:
        held[0] = update(held[0]).block_until_ready()

    return {"stream": stream, "product": lambda: product(square, square).block_until_ready()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    cases = {
        "jaxsurv, Cox-MT": ours(args.epochs, "both"),
        "jaxsurv, its supervised network": ours(args.epochs, "none"),
        "PyTorch loop, fused Adam": torch_loop(args.epochs),
        **rates(),
    }
    seconds = interleaved(cases, args.repeats)
    bandwidth = 2 * 4 * (1 << 25) / seconds.pop("stream")
    speed = 2 * 2048**3 / seconds.pop("product")
    layers, update = max(LAYER_BYTES / bandwidth, FLOPS / speed), UPDATE_BYTES / bandwidth
    limit = layers + update
    print(f"{machine()}, {args.epochs} epochs of {STEPS} steps, {PARAMETERS:,} parameters")
    print(f"{UPDATE_BYTES / 1e6:.0f} MB at {bandwidth / 1e9:.1f} GB/s: {human(update)}")
    print(f"{FLOPS / 1e9:.2f} GFLOP at {speed / 1e9:.0f} GFLOP/s: {human(FLOPS / speed)}")
    own = seconds["jaxsurv, Cox-MT"]
    print("\n| who | per step | 100 epochs | over Cox-MT | over the limit |")
    print("| --- | --- | --- | --- | --- |")
    for name, s in seconds.items():
        step = s / args.epochs / STEPS
        whole = human(100 * STEPS * step)
        print(f"| {name} | {human(step)} | {whole} | {s / own:.2f}x | {step / limit:.2f}x |")


if __name__ == "__main__":
    main()
