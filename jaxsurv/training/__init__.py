"""Training: one run (``fit``) and many runs as one compiled computation (``sweep``)."""

from jaxsurv.training.fit import FitConfig, FitResult, Masks, Optimizer, adam, each_row_once, fit
from jaxsurv.training.mapped import Program, Store, compile_map, map_chunks, once
from jaxsurv.training.plan import Plan, choose_plan, one_device_per_core
from jaxsurv.training.sweep import Collect, SweepResult, concatenate, sweep, sweep_chunks

__all__ = [
    "Collect",
    "FitConfig",
    "FitResult",
    "Masks",
    "Optimizer",
    "Plan",
    "Program",
    "Store",
    "SweepResult",
    "adam",
    "choose_plan",
    "compile_map",
    "concatenate",
    "each_row_once",
    "fit",
    "map_chunks",
    "once",
    "one_device_per_core",
    "sweep",
    "sweep_chunks",
]
