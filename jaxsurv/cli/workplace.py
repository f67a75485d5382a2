"""Workplace of an experiment: its folder, its console, and the layout of its runs."""

from dataclasses import asdict
from typing import NamedTuple

import jax
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder, versions
from jaxsurv.cli.hosts import agree, devices
from jaxsurv.cli.options import Execution
from jaxsurv.cli.terminal import Terminal
from jaxsurv.training import Plan


class Workplace(NamedTuple):
    """Folder, console and plan that every experiment works with.

    Attributes:
        folder: results folder, taken by this run.
        console: console for progress and tables; silent on all hosts but the first.
        plan: plan that the user asked for; None = chosen for each sweep.
    """

    folder: ResultsFolder
    console: Console
    plan: Plan | None


def open_workplace(options: Execution) -> Workplace:
    """Check the options and take the results folder."""
    agree({"options": asdict(options), "versions": versions(), "device": devices()})
    folder = ResultsFolder(options.out, overwrite=options.overwrite, resume=options.resume)
    folder.check_same(options=asdict(options))
    # a wide console, so that tables in files do not wrap
    console = Terminal(170, quiet=jax.process_index() > 0)
    return Workplace(folder, console, None if options.plan is None else Plan.parse(options.plan))
