"""Where an experiment works: its folder, its console, and how its runs are laid out."""

import sys
from dataclasses import asdict
from typing import NamedTuple

import jax
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder, versions
from jaxsurv.cli.hosts import agree, devices
from jaxsurv.cli.options import Execution
from jaxsurv.training import Plan


class Workplace(NamedTuple):
    """What all experiments are given.

    Attributes:
        folder: taken, for the results.
        console: for progress and tables; of several hosts the first one's.
        plan: that was asked for; None = each sweep's is chosen.
    """

    folder: ResultsFolder
    console: Console
    plan: Plan | None


def open_workplace(options: Execution) -> Workplace:
    """Check the options and take the folder."""
    agree({"options": asdict(options), "versions": versions(), "device": devices()})
    folder = ResultsFolder(options.out, overwrite=options.overwrite, resume=options.resume)
    folder.check_same(options=asdict(options))
    # tables in files do not wrap
    console = Console(width=None if sys.stdout.isatty() else 170, quiet=jax.process_index() > 0)
    return Workplace(folder, console, None if options.plan is None else Plan.parse(options.plan))
