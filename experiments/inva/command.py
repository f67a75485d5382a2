"""Prediction of an image from other images: InVA against simpler models, on replicates with a known truth.

Paper: InVA (arXiv 2402.02734) claims smaller prediction errors than VAEs, BART and tensor regression. The
text that we could read describes no simulation that could be repeated, so we made our own: two images per
patient are Gaussian processes with a shared and a private part, and an outcome image depends on both
nonlinearly and differently in each place. Each of InVA's parts is taken away in turn. VAEs, pixel-wise ridge
regression, tensor-on-tensor regression and pixel-wise BART (an extra, and only some pixels and replicates:
it is slow) predict the same images. Intervals are judged by their coverage. Conditions differ from the base
in sample size and signal-to-noise ratio (crossed), in private share and smoothness of the images, or in the
shift between an outcome pixel and the pixel it depends on; without shift, pixel-wise methods do best.

    python -m experiments.inva                                      # 3,200 trainings, an hour
    python -m experiments.inva --private --shifts --kernels         # the crossed conditions alone
"""

import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from jaxsurv.cli.command import command_line
from jaxsurv.cli.options import Execution

NETWORKS = {  # network to changes of the configuration, and the images that it reads
    "InVA": ({}, "all"),
    "no shared encoder": ({"deep": 0}, "all"),
    "reconstruction only": ({"trains": "reconstruction"}, "all"),
    "prediction only": ({"trains": "prediction"}, "all"),
    "no standard deviations": ({"deviations": False}, "all"),
    # as many features as two images have
    "VAE, images joined": ({"deep": 0, "shallow": 32}, "joined"),
    "VAE, image 1 alone": ({"deep": 0}, "image1"),
    "VAE, image 2 alone": ({"deep": 0}, "image2"),
}


@dataclass(frozen=True, kw_only=True)
class InVAOptions(Execution):
    """Compare InVA with its ablations and with simpler models on simulated images.

    Attributes:
        preset: changes the defaults shown here. smoke: a minute, most of it compilation.
        replicates: simulated data sets per condition.
        n: patients in the training set (four fifths) and the validation set, which calibrates intervals too.
        snr: variance of the outcome's signal over the variance of its noise.
        private: further private shares of an image's variance, beside the base's 0.5.
        shifts: further distances between an outcome pixel and the pixel it depends on, beside the base's 0,
            with which pixel-wise methods see everything.
        kernels: further covariances of the images, beside the base's matern52, which is smooth.
        side: side of the square images, in pixels.
        length: correlation length of the images, in pixels.
        channels: channels of convolutions before the dense layers; none = dense layers only.
        epochs: largest number of epochs of a run.
        patience: epochs without a lower validation error after which a run stops.
        draws: draws from the posterior that a prediction averages.
        bart_replicates, bart_pixels: number of replicates, and of pixels in each, on which BART is run (an
            extra: jaxsurv[bart]) and all methods are scored. 0 replicates = without BART.
        methods: networks to train besides InVA.
    """

    replicates: int = 50
    n: tuple[int, ...] = (50, 200)
    snr: tuple[float, ...] = (1.0, 5.0)
    private: tuple[float, ...] = (0.1, 0.9)
    shifts: tuple[int, ...] = (8,)
    kernels: tuple[str, ...] = ("exponential",)
    side: int = 32
    length: float = 8.0
    channels: tuple[int, ...] = ()
    epochs: int = 300
    patience: int = 20
    draws: int = 32
    bart_replicates: int = 5
    bart_pixels: int = 16
    methods: tuple[str, ...] = tuple(NETWORKS)[1:]
    out: Path = Path("results/inva")


PRESETS = {
    "default": InVAOptions(),
    "smoke": InVAOptions(
        preset="smoke", replicates=2, n=(20, 30), snr=(5.0,), private=(), shifts=(),
        kernels=(), side=8, length=2.0,
        epochs=3, draws=2, bart_replicates=0, methods=(),
    ),
}  # fmt: skip


def conditions(options: InVAOptions) -> list:
    """Conditions of the study: the base first, then all others."""
    from .images import ImageStudy
    from .report import ImageCondition

    base = ImageCondition(max(options.n), max(options.snr), 0.5, 0, ImageStudy().kernel)
    crossed = [base._replace(n=n, snr=s) for n in options.n for s in options.snr]
    private = [base._replace(private=p) for p in options.private]
    shifted = [base._replace(shift=s) for s in options.shifts]
    rough = [base._replace(kernel=k) for k in options.kernels]
    return list(dict.fromkeys([base, *crossed, *private, *shifted, *rough]))


def check(options: InVAOptions) -> None:
    """Refuse options that would only fail after the first trainings."""
    from functools import partial
    from importlib.util import find_spec

    import jax

    from jaxsurv.cli.setup import check_grid
    from jaxsurv.types import InputError

    from .simulate import simulate_images

    for name in ("n", "snr"):
        check_grid(name, getattr(options, name))
    if unknown := sorted(set(options.methods) - set(NETWORKS)):
        raise InputError(f"methods {unknown} are not known; choose from {', '.join(NETWORKS)}")
    if options.replicates < 2 or min(options.n) < 10:
        raise InputError(
            f"needs replicates >= 2 and n >= 10, got {options.replicates} and {min(options.n)}"
        )
    if options.bart_replicates and find_spec("bartz") is None:
        raise InputError(
            'BART needs bartz: pip install "jaxsurv[bart]", or pass --bart-replicates 0'
        )
    if options.bart_pixels > options.side**2 or options.bart_replicates > options.replicates:
        raise InputError(
            f"bart_pixels must be at most {options.side**2} and bart_replicates at most "
            f"{options.replicates}, got {options.bart_pixels} and {options.bart_replicates}"
        )
    for c in conditions(options):  # sweeps do not check traced values, and kernels come late
        side = {"shape": (options.side, options.side), "length": options.length}
        known = {"private": c.private, "snr": c.snr, "kernel": c.kernel}
        jax.eval_shape(partial(simulate_images, n=2, **side, **known), jax.random.key(0))


def run(options: InVAOptions) -> None:
    """Run the whole experiment, from the simulator to the report."""
    import jax

    from jaxsurv.artifacts import Chunks
    from jaxsurv.cli.terminal import progress
    from jaxsurv.cli.workplace import open_workplace
    from jaxsurv.models import InVAConfig
    from jaxsurv.report.page import write_report
    from jaxsurv.report.tables import print_table
    from jaxsurv.training import FitConfig

    from .bart import run_bart
    from .images import ImageStudy, run_baseline, run_network
    from .report import BART_NOTE, figures, sections, summarise_images, told
    from .ridge import pixelwise_ridge
    from .run import run_conditions
    from .tensor import tensor_regression

    check(options)
    workplace = open_workplace(options)
    folder, console = workplace.folder, workplace.console
    facts = {"experiment": "inva", "options": asdict(options)}
    folder.manifest(**facts, status="running")

    wanted = conditions(options)
    training = FitConfig(options.epochs, 0, options.patience, 32)
    few = options.bart_replicates
    names = tuple(dict.fromkeys(("InVA", *options.methods)))

    def methods(study, every):
        """Name and results of each method; results are computed when they are read."""

        def store(name: str) -> Chunks:
            return Chunks(folder, f"{name} {study.kernel}")

        for name in names:
            changes, inputs = NETWORKS[name]
            config = InVAConfig(channels=options.channels, **changes)
            reads = replace(study, inputs=inputs)
            found = run_network(
                reads, config, every, training,
                draws=options.draws, plan=workplace.plan, store=store(name),
            )  # fmt: skip
            yield name, found
        for name, fit in (
            ("pixel-wise ridge", pixelwise_ridge),
            ("tensor regression", tensor_regression),
        ):
            yield name, run_baseline(study, fit, every, store(name))
        if few:
            first = jax.tree.map(lambda v: v[every.seed < few], every)
            bart = "pixel-wise BART"
            yield bart, run_bart(study, first, options.bart_pixels, store(bart))

    study = ImageStudy(options.side, length=options.length, most=max(options.n))
    total = len(wanted) * ((len(names) + 2) * options.replicates + few)
    with progress(console) as bars:
        task = bars.add_task("", total=total)
        found = run_conditions(
            wanted, methods, study, count=options.replicates, few=few, pixels=options.bart_pixels,
            keep=lambda part, frame: folder.table(f"{part}.csv", frame),
            advance=lambda name, n: bars.update(task, description=name, advance=n),
        )  # fmt: skip
    summary = summarise_images(found.runs, "InVA")
    folder.table("summary.csv", summary)
    all_names = list(summary["method"].unique())
    drawn = figures(summary, wanted[0], all_names, "InVA", found.maps, found.curves)
    shown, sentences = sections(summary, "InVA"), told(summary, "InVA", all_names[1:])
    if few:
        beside = summarise_images(found.beside, "InVA")
        folder.table("beside_summary.csv", beside)
        shown += sections(beside, "InVA", heading=", on the pixels of BART", note=BART_NOTE)
        sentences.insert(-1, told(beside, "InVA", ["pixel-wise BART"])[0])
    title = f"Image-on-image regression, {options.replicates} simulated replicates per condition"
    write_report(folder, title, sentences, shown, drawn, facts)
    folder.manifest(**facts, status="complete")
    for section in shown:
        print_table(console, section.heading, section.table, section.note)


main = command_line(run, PRESETS, __doc__)


if __name__ == "__main__":
    sys.exit(main())
