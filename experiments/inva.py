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

    from experiments.pixelwise_bart import run_bart
    from jaxsurv.artifacts import ResultsFolder
    from jaxsurv.models import InVAConfig
    from jaxsurv.study.image_baselines import pixelwise_ridge, tensor_regression
    from jaxsurv.study.image_report import Condition, figures, sections, summarise_images, told
    from jaxsurv.study.images import ImageStudy, replicates, run_baseline, run_network, tabulate
    from jaxsurv.study.report import page, print_table
    from jaxsurv.training import FitConfig

    check(options)
    folder = ResultsFolder(options.out, overwrite=options.overwrite)
    console = Console(width=None if sys.stdout.isatty() else 170)
    facts = {"experiment": "inva", "options": asdict(options)}
    folder.manifest(**facts, status="running")

    base = Condition(max(options.n), max(options.snr), 0.5, ImageStudy().kernel)
    crossed = [base._replace(n=n, snr=s) for n in options.n for s in options.snr]
    private = [base._replace(private=p) for p in options.private]
    rough = [base._replace(kernel=k) for k in options.kernels]
    conditions = list(dict.fromkeys([*crossed, *private, *rough]))
    whole = InVAConfig(channels=options.channels)
    alone = replace(whole, deep=0)
    networks = {
        "InVA": (whole, "all"),
        "no shared encoder": (alone, "all"),
        "reconstruction only": (replace(whole, trains="reconstruction"), "all"),
        "prediction only": (replace(whole, trains="prediction"), "all"),
        "no standard deviations": (replace(whole, deviations=False), "all"),
        "VAE, images joined": (alone, "joined"),
        "VAE, image 1 alone": (alone, "image1"),
        "VAE, image 2 alone": (alone, "image2"),
    }
    training = FitConfig(options.epochs, 0, options.patience, 32)

    def methods(study, every):
        """Name and results of each, which are computed as they are read."""
        for name in ("InVA", *options.methods):
            config, inputs = networks[name]
            reads = replace(study, inputs=inputs)
            yield name, run_network(reads, config, every, training, draws=options.draws)
        yield "pixel-wise ridge", run_baseline(study, pixelwise_ridge, every)
        yield "tensor regression", run_baseline(study, tensor_regression, every)
        if options.bart_replicates:
            some = every.seed < options.bart_replicates
            few = jax.tree.map(lambda v: v[some], every)
            yield "pixel-wise BART", run_bart(study, few, options.bart_pixels)

    tables: list[pd.DataFrame] = []
    maps, curves = {}, {}
    each = len(options.methods) + 3
    runs = len(conditions) * (each * options.replicates + options.bart_replicates)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("", total=runs)
        for kernel in dict.fromkeys(c.kernel for c in conditions):
            of = [c for c in conditions if c.kernel == kernel]
            parts = [replicates(*c[:3], range(options.replicates)) for c in of]
            every = jax.tree.map(lambda *v: np.concatenate(v), *parts)
            study = ImageStudy(options.side, kernel, options.length, max(options.n))
            for name, results in methods(study, every):
                progress.update(task, description=f"{name}, {kernel}")
                for found in results:
                    frame = tabulate(found, method=name, kernel=kernel)
                    tables.append(frame)
                    folder.table("runs.csv", pd.concat(tables, ignore_index=True))
                    here = (frame[list(base._fields)] == base).all(axis=1).to_numpy()
                    if here.any() and np.ndim(found.scores.maps) > 1:
                        maps.setdefault(name, found.scores.maps[here][0])
                    if here.any() and found.curve is not None:
                        curves.setdefault(name, []).append(found.curve[here])
                    progress.advance(task, len(frame))
    summary = summarise_images(pd.concat(tables, ignore_index=True), "InVA")
    folder.table("summary.csv", summary)
    names = list(summary["method"].unique())
    curves = {name: np.concatenate(v) for name, v in curves.items()}
    drawn = figures(summary, base, names, "InVA", maps, curves)
    for figure, picture in drawn:
        folder.figure(picture.name, figure)
    shown = sections(summary)
    text = page(
        f"Image-on-image regression, {options.replicates} simulated replicates per condition",
        told(summary, "InVA", names[1:]), shown, [picture for _, picture in drawn],
        folder=folder.path / "figures", facts=facts,
    )  # fmt: skip
    folder.text("report.html", text)
    folder.manifest(**facts, status="complete")
    for section in shown:
        print_table(console, section.heading, section.table, section.note)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    return command_line(run, Preset, PRESETS, __doc__, arguments)


if __name__ == "__main__":
    sys.exit(main())
