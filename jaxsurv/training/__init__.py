"""Training: one run (``fit``, ``fit_stream``) and many runs as one compiled computation (``sweep``)."""

from jaxsurv.training._fit import FitConfig, Masks, each_row_once, fit
from jaxsurv.training._sweep import Collect, sweep, sweep_chunks
from jaxsurv.training.learner import Optimizer, adam
from jaxsurv.training.mapped import Program, Store, compile_map, map_chunks, once
from jaxsurv.training.plan import Plan, choose_plan, one_device_per_core, step_flops
from jaxsurv.training.runs import SweepResult, concatenate
from jaxsurv.training.stopping import FitResult
from jaxsurv.training.stream import StreamResult, fit_stream, prefetched

__all__ = [
    "Collect",
    "FitConfig",
    "FitResult",
    "Masks",
    "Optimizer",
    "Plan",
    "Program",
    "Store",
    "StreamResult",
    "SweepResult",
    "adam",
    "choose_plan",
    "compile_map",
    "concatenate",
    "each_row_once",
    "fit",
    "fit_stream",
    "map_chunks",
    "once",
    "one_device_per_core",
    "prefetched",
    "step_flops",
    "sweep",
    "sweep_chunks",
]
