"""Does InVA predict an image from others better than simpler models do? Replicates with a known truth.

Paper: InVA (arXiv 2402.02734) claims smaller prediction errors than VAEs, BART and tensor regression. Its
simulations cannot be rebuilt from its text, so ours are: two images per patient, Gaussian
processes with a shared and a private part, an outcome image that depends on both nonlinearly and
differently in each place. Each of InVA's parts is taken away in turn; VAEs, pixel-wise ridge regression,
tensor-on-tensor regression and pixel-wise BART (an extra, and only some pixels and replicates: it is
slow) predict the same images. Intervals are judged by their coverage. Axes from the base: sample size
and signal-to-noise ratio (crossed), private share and smoothness of the images.

    python -m experiments.inva                                      # 2,800 trainings, an hour
    python -m experiments.inva --private --kernels                  # the crossed conditions alone
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jaxsurv.study.command import command_line
from jaxsurv.study.options import Preset

METHODS = (
    "no shared encoder",
    "reconstruction only",
    "prediction only",
    "no standard deviations",
    "VAE, images joined",
    "VAE, image 1 alone",
    "VAE, image 2 alone",
)


@dataclass(frozen=True, kw_only=True)
class InVA(Preset):
    """Compare InVA with its ablations and with simpler models on simulated images.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        replicates: simulated data sets per condition.
        n: patients who train (four fifths) or stop the training and calibrate intervals.
        snr: variance of the outcome's signal over that of its noise.
        private: more shares of an image's variance that the other has no part in, beside the base's 0.5.
        kernels: more covariances of the images, beside the base's matern52, which is smooth.
        side: of the square images, in pixels.
        length: of their covariance, in pixels.
        channels: of convolutions in front of the dense layers; none = flat.
        epochs: most epochs of a run.
        patience: epochs without a better error of the held-out rows after which a run stops.
        draws: of the posterior that a prediction averages.
        bart_replicates, bart_pixels: on how many of each BART is run (an extra: jaxsurv[bart]); 0 =
            without it.
        methods: to train beside InVA.
        out: folder for tables, figures and report.
        overwrite: replace the results in that folder.
    """

    replicates: int = 50
    n: tuple[int, ...] = (50, 200)
    snr: tuple[float, ...] = (1.0, 5.0)
    private: tuple[float, ...] = (0.1, 0.9)
    kernels: tuple[str, ...] = ("exponential",)
    side: int = 32
    length: float = 8.0
    channels: tuple[int, ...] = ()
    epochs: int = 300
    patience: int = 20
    draws: int = 32
    bart_replicates: int = 5
    bart_pixels: int = 16
    methods: tuple[str, ...] = METHODS
    out: Path = Path("results/inva")
    overwrite: bool = False


PRESETS = {
    "default": InVA(),
    "smoke": InVA(
        preset="smoke", replicates=2, n=(20, 30), snr=(5.0,), private=(), kernels=(), side=8, length=2.0,
        epochs=3, draws=2, bart_replicates=0, methods=(),
    ),
}  # fmt: skip


def check(options: InVA) -> None:
    """Refuse what would only fail after the first trainings."""
    from jaxsurv.study.setup import check_grid
    from jaxsurv.types import InputError

    for name in ("n", "snr"):
        check_grid(name, getattr(options, name))
    if unknown := sorted(set(options.methods) - set(METHODS)):
        raise InputError(f"methods {unknown} are not known; choose from {', '.join(METHODS)}")
    if options.replicates < 2 or min(options.n) < 10:
        raise InputError(
            f"needs replicates >= 2 and n >= 10, got {options.replicates} and {min(options.n)}"
        )


def run(options: InVA) -> None:
    """The whole experiment, from the simulator to the report."""
    import jax
    import numpy as np
    import pandas as pd
    from rich.console import Console
    from rich.progress import Progress

    from experiments.pixelwise_bart import bart_rows
    from jaxsurv.artifacts import ResultsFolder
    from jaxsurv.models import InVAConfig, InVAHParams, inva
    from jaxsurv.study.image_baselines import pixelwise_ridge, tensor_regression
    from jaxsurv.study.image_report import (
        Condition,
        figures,
        sections,
        summarise_images,
        told,
    )
    from jaxsurv.study.images import ImageStudy, collect, replicates, run_baseline, tabulate
    from jaxsurv.study.report import page, print_table
    from jaxsurv.training import FitConfig, choose_plan, sweep_chunks

    check(options)
    folder = ResultsFolder(options.out, overwrite=options.overwrite)
    console = Console(width=None if sys.stdout.isatty() else 170)
    facts = {"experiment": "inva", "options": asdict(options)}
    folder.manifest(**facts, status="running")

    smooth = ImageStudy().kernel
    base = Condition(max(options.n), max(options.snr), 0.5, smooth)
    conditions = [base._replace(n=n, snr=s) for n in options.n for s in options.snr]
    conditions += [base._replace(private=p) for p in options.private]
    conditions += [base._replace(kernel=k) for k in options.kernels]
    conditions = list(dict.fromkeys(conditions))
    whole = InVAConfig(channels=options.channels)
    alone = replace(whole, deep=0)
    trained = {
        "InVA": (whole, "all"),
        "no shared encoder": (alone, "all"),
        "reconstruction only": (replace(whole, trains="reconstruction"), "all"),
        "prediction only": (replace(whole, trains="prediction"), "all"),
        "no standard deviations": (replace(whole, deviations=False), "all"),
        "VAE, images joined": (alone, "joined"),
        "VAE, image 1 alone": (alone, "image1"),
        "VAE, image 2 alone": (alone, "image2"),
    }
    trained = {m: trained[m] for m in ("InVA", *options.methods)}
    closed = {"pixel-wise ridge": pixelwise_ridge, "tensor regression": tensor_regression}
    config = FitConfig(options.epochs, 0, options.patience, 32)
    seeds = range(options.replicates)
    tables: list[pd.DataFrame] = []
    maps, curves = {}, {}

    def keep(frame: pd.DataFrame) -> None:
        tables.append(frame)
        folder.table("runs.csv", pd.concat(tables, ignore_index=True))

    runs = len(conditions) * options.replicates * (len(trained) + len(closed))
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("training", total=runs)
        for kernel in dict.fromkeys(c.kernel for c in conditions):
            each = [replicates(*c[:3], seeds) for c in conditions if c.kernel == kernel]
            every = jax.tree.map(lambda *v: np.concatenate(v), *each)
            at_base = (
                (every.n == base.n) & (every.snr == base.snr) & (every.private == base.private)
            )
            study = ImageStudy(options.side, kernel, options.length, max(options.n))
            for name, (network, inputs) in trained.items():
                progress.update(task, description=name)
                for chunk in sweep_chunks(
                    inva(network), replace(study, inputs=inputs).build, np.zeros(0), every,
                    seeds=[0], hparams=[InVAHParams()], config=config,
                    plan=choose_plan(len(every.seed)), collect=collect(network, options.draws),
                ):  # fmt: skip
                    its = jax.tree.map(lambda v, chunk=chunk: v[chunk.split], every)
                    labels = {"method": name, "kernel": kernel, "best_epoch": chunk.best_epoch}
                    keep(tabulate(chunk.collected, its, **labels))
                    if kernel == base.kernel and np.any(here := at_base[chunk.split]):
                        maps.setdefault(name, chunk.collected.maps[here][0])
                        curves.setdefault(name, []).append(chunk.history["validation"][here])
                    progress.advance(task, len(chunk.split))
            for name, fit_predict in closed.items():
                progress.update(task, description=name)
                for i, (its, found) in enumerate(run_baseline(study, fit_predict, every)):
                    keep(tabulate(found, its, method=name, kernel=kernel))
                    if kernel == base.kernel and at_base[i]:
                        maps.setdefault(name, found.maps[0])
                    progress.advance(task)
            if options.bart_replicates:
                progress.update(task, description="pixel-wise BART")
                first = every.seed < options.bart_replicates
                its = jax.tree.map(lambda v, first=first: v[first], every)
                for frame in bart_rows(study, its, options.bart_pixels):
                    keep(frame.assign(kernel=kernel))
    rows = pd.concat(tables, ignore_index=True)
    summary = summarise_images(rows, "InVA")
    folder.table("summary.csv", summary)
    methods = list(rows["method"].unique())
    pictures = []
    curves = {name: np.concatenate(v) for name, v in curves.items()}
    for figure, picture in figures(summary, base, methods, "InVA", maps, curves):
        folder.figure(picture.name, figure)
        pictures.append(picture)
    found = sections(summary)
    title = f"Image-on-image regression, {options.replicates} simulated replicates per condition"
    sentences = told(summary, "InVA", methods[1:])
    text = page(title, sentences, found, pictures, folder=folder.path / "figures", facts=facts)
    folder.text("report.html", text)
    folder.manifest(**facts, status="complete")
    for section in found:
        print_table(console, section.heading, section.table, section.note)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return command_line(run, Preset, PRESETS, __doc__, arguments)


if __name__ == "__main__":
    sys.exit(main())
