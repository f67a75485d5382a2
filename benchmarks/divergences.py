"""Value and gradient of MMD² and HSIC against straightforward PyTorch.

    python -m benchmarks.divergences

About a minute on two cores. Each line is the median of interleaved calls at n = 1,024 points in
d = 32 dimensions in float32; the gradient is taken with respect to the first sample. PyTorch has no such
function, so the three usual ways to write one are timed: distances from one matrix product, from
``torch.cdist``, and from all differences ``[n, n, d]``, as InfoVAE was released.
A second table shows the memory that jaxsurv's compiled programs need besides their arguments, as n grows.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import human, interleaved, machine
from jaxsurv.divergences import hsic, mmd2, mmd2_standard_normal

BANDWIDTH = 32 / np.sqrt(2)  # InfoVAE's choice
JAX = {
    "MMD², biased": lambda x, y: mmd2(x, y, bandwidth=BANDWIDTH),
    "MMD², unbiased": lambda x, y: mmd2(x, y, bandwidth=BANDWIDTH, estimator="unbiased"),
    "MMD² to N(0, I)": lambda x, y: mmd2_standard_normal(x, bandwidth=BANDWIDTH),
    "HSIC, biased": lambda x, y: hsic(x, y, bandwidth_x=BANDWIDTH, bandwidth_y=BANDWIDTH),
    "HSIC, unbiased": lambda x, y: hsic(
        x, y, bandwidth_x=BANDWIDTH, bandwidth_y=BANDWIDTH, estimator="unbiased"
    ),
}


def points(n: int, d: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """Draw two samples [n, d]."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, n, d)).astype(np.float32)
    return 1.2 * x + np.float32(0.1), y


def torch_cases(x: np.ndarray, y: np.ndarray) -> dict[str, dict[str, Callable[[], Any]]]:
    import torch

    a, b, n = torch.from_numpy(x).requires_grad_(), torch.from_numpy(y), len(x)

    def product(p: Any, q: Any) -> Any:
        squares = (p * p).sum(1)[:, None] + (q * q).sum(1)[None]
        return torch.exp((2 * p @ q.T - squares) / (2 * BANDWIDTH**2))

    def cdist(p: Any, q: Any) -> Any:
        return torch.exp(-(torch.cdist(p, q) ** 2) / (2 * BANDWIDTH**2))

    def differences(p: Any, q: Any) -> Any:
        return torch.exp(-((p[:, None] - q[None]) ** 2).sum(-1) / (2 * BANDWIDTH**2))

    def biased(kernel: Any) -> Any:
        return kernel(a, a).mean() + kernel(b, b).mean() - 2 * kernel(a, b).mean()

    def unbiased(kernel: Any) -> Any:
        within = kernel(a, a), kernel(b, b)
        parts = [(k.sum() - k.diagonal().sum()) / (n * (n - 1)) for k in within]
        return parts[0] + parts[1] - 2 * kernel(a, b).mean()

    def biased_hsic(kernel: Any) -> Any:
        k, l = kernel(a, a), kernel(b, b)
        centred = l - l.mean(0)[None] - l.mean(1)[:, None] + l.mean()
        return (k * centred).sum() / n**2

    def unbiased_hsic(kernel: Any) -> Any:
        keep = 1 - torch.eye(n)
        k, l = keep * kernel(a, a), keep * kernel(b, b)
        sums = k.sum(1), l.sum(1)
        total = sums[0].sum() * sums[1].sum() / ((n - 1) * (n - 2))
        return ((k * l).sum() + total - 2 / (n - 2) * (sums[0] @ sums[1])) / (n * (n - 3))

    def run(statistic: Any, kernel: Any) -> Callable[[], Any]:
        def call() -> Any:
            a.grad = None
            value = statistic(kernel)
            value.backward()
            return value, a.grad

        return call

    statistics = {
        "MMD², biased": biased,
        "MMD², unbiased": unbiased,
        "MMD² to N(0, I)": biased,
        "HSIC, biased": biased_hsic,
        "HSIC, unbiased": unbiased_hsic,
    }
    kernels = {
        "PyTorch, one product": product,
        "PyTorch, cdist": cdist,
        "PyTorch, all differences": differences,
    }
    return {
        name: {who: run(f, kernel) for who, kernel in kernels.items()}
        for name, f in statistics.items()
    }


def jax_case(name: str, x: np.ndarray, y: np.ndarray) -> Callable[[], Any]:
    compiled, on_device = jax.jit(jax.value_and_grad(JAX[name])), (jnp.asarray(x), jnp.asarray(y))
    return lambda: jax.block_until_ready(compiled(*on_device))


def main() -> None:
    x, y = points(1024)
    peers = torch_cases(x, y)
    print(f"{machine()}\n\n| what | jaxsurv | {' | '.join(peers['HSIC, biased'])} |")
    print("| --- | --- | --- | --- | --- |")
    for name in JAX:
        cases = {"jaxsurv": jax_case(name, x, y), **peers[name]}
        if name != "MMD² to N(0, I)":
            for who in peers[name]:
                for own, other in zip(cases["jaxsurv"](), cases[who](), strict=True):
                    np.testing.assert_allclose(own, other.detach(), rtol=1e-2, atol=2e-6)
        seconds = interleaved(cases, 15)
        own = seconds.pop("jaxsurv")
        others = " | ".join(f"{human(s)}, {s / own:.2g}x" for s in seconds.values())
        print(f"| {name} | {human(own)} | {others} |", flush=True)
    print("\n| value and gradient at n | what | memory | time |\n| --- | --- | --- | --- |")
    for n in (1024, 5000, 20_000):
        x, y = points(n)
        for name in ("MMD², biased", "HSIC, biased"):
            program = jax.jit(jax.value_and_grad(JAX[name])).lower(x, y).compile()
            memory = program.memory_analysis().temp_size_in_bytes / 1e6
            start = time.perf_counter()
            jax.block_until_ready(program(x, y))
            seconds = time.perf_counter() - start
            print(f"| {n:,} | {name} | {memory:.0f} MB | {human(seconds)} |", flush=True)


if __name__ == "__main__":
    main()
