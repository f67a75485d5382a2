"""Many runs as one compiled computation: seeds x splits x hyper-parameters on one run axis."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import lax
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from jaxsurv.training.fit import FitConfig, adam, fit
from jaxsurv.training.plan import Plan, choose_plan
from jaxsurv.types import Array, InputError, Objective


class SweepResult(NamedTuple):
    """Runs on one axis, in the order split, seed, hyper-parameters (last fastest).

    Attributes:
        split: ``[runs]`` row of the splits.
        seed: ``[runs]``.
        hparams: the NamedTuple of hyper-parameters, each ``[runs]``.
        prediction: ``[runs, n]`` in evaluation mode at the best parameters.
        best_epoch, best_score, epochs: ``[runs]``, see :class:`jaxsurv.training.FitResult`.
        history: ``{name: [runs, epochs]}``.
    """

    split: np.ndarray
    seed: np.ndarray
    hparams: Any
    prediction: np.ndarray
    best_epoch: np.ndarray
    best_score: np.ndarray
    epochs: np.ndarray
    history: dict[str, np.ndarray]

    def to_frame(self) -> pd.DataFrame:
        """One tidy row per run: split, seed, hyper-parameters, epochs and the terms at the best epoch.

        The terms are those of the best epoch, or of the first where the initial parameters were best.
        """
        at = np.maximum(self.best_epoch - 1, 0)
        terms = {name: h[np.arange(len(h)), at] for name, h in self.history.items() if name != "validation"}
        return pd.DataFrame(
            {
                "split": self.split,
                "seed": self.seed,
                **self.hparams._asdict(),
                "best_epoch": self.best_epoch,
                "epochs": self.epochs,
                "validation_loss": self.best_score,
                **terms,
            }
        )


class _Run(NamedTuple):
    split: Array
    seed: Array
    hparams: Any


def _grid(n_splits: int, seeds: Sequence[int], hparams: Sequence[Any]) -> _Run:
    combinations = list(itertools.product(range(n_splits), seeds, hparams))
    split, seed, points = zip(*combinations, strict=True)
    stacked = jax.tree.map(lambda *v: np.asarray(v, np.result_type(float)), *points)
    if not jax.config.jax_enable_x64:
        stacked = jax.tree.map(lambda v: v.astype(np.float32), stacked)
    return _Run(np.asarray(split, np.int32), np.asarray(seed, np.uint32), stacked)  # type: ignore[arg-type]


def compile_runs(
    objective: Objective,
    build: Callable[[Any, Any], tuple[Any, Any]],
    config: FitConfig,
    plan: Plan,
    optimizer: Callable = adam,
) -> Callable[[Any, Any, _Run], dict]:
    """The jitted program ``(shared, splits, runs) -> outputs`` for ``plan.runs`` runs."""

    def one(shared, splits, run: _Run):
        batch, masks = build(shared, jax.tree.map(lambda x: x[run.split], splits))
        # the key depends on the seed and the split alone: settings share their random numbers
        key = jax.random.fold_in(jax.random.key(run.seed), run.split)
        result = fit(key, objective, run.hparams, batch, masks, config, optimizer=optimizer)
        prediction = objective.predict(result.params, batch)
        return {**result._replace(params=None)._asdict(), "prediction": prediction}

    def on_device(shared, splits, runs):
        grouped = jax.tree.map(lambda x: x.reshape(-1, plan.width, *x.shape[1:]), runs)
        if plan.width == 1:  # a vmapped loop of one run would still pay for selects on its whole state
            body = lambda group: jax.tree.map(  # noqa: E731
                lambda x: x[None], one(shared, splits, jax.tree.map(lambda x: x[0], group))
            )
        else:
            body = jax.vmap(partial(one, shared, splits))
        out = lax.map(body, grouped)
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:]), out)

    mesh = jax.make_mesh(
        (plan.devices,), ("runs",), axis_types=(AxisType.Auto,), devices=jax.devices()[: plan.devices]
    )
    whole, sharded = PartitionSpec(), PartitionSpec("runs")
    mapped = jax.shard_map(
        on_device, mesh=mesh, in_specs=(whole, whole, sharded), out_specs=sharded, check_vma=False
    )
    program = jax.jit(mapped)

    def call(shared, splits, runs):
        return program(shared, splits, jax.device_put(runs, NamedSharding(mesh, sharded)))

    replicate = NamedSharding(mesh, whole)
    call.place = lambda tree: jax.device_put(tree, replicate)  # type: ignore[attr-defined]
    return call


def sweep_chunks(
    objective: Objective,
    build: Callable[[Any, Any], tuple[Any, Any]],
    shared: Any,
    splits: Any,
    *,
    seeds: Sequence[int],
    hparams: Sequence[Any],
    config: FitConfig = FitConfig(),
    plan: Plan | None = None,
) -> Iterator[SweepResult]:
    """Like :func:`sweep`, but yields the runs of each compiled call as soon as they are done."""
    n_splits = jax.tree.leaves(splits)[0].shape[0]
    if not seeds or not hparams or not n_splits:
        raise InputError("a sweep needs at least one split, one seed and one hyper-parameter setting")
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds must differ, got {list(seeds)}")
    grid = _grid(n_splits, seeds, hparams)
    n_runs = len(grid.seed)
    plan = plan or choose_plan(n_runs)
    call = compile_runs(objective, build, config, plan)
    shared, splits = call.place((shared, splits))  # type: ignore[attr-defined]
    for start in range(0, n_runs, plan.runs):
        count = min(plan.runs, n_runs - start)
        rows = np.minimum(start + np.arange(plan.runs), n_runs - 1)  # the last call repeats its last run
        runs = jax.tree.map(lambda x: x[rows], grid)
        out = jax.tree.map(lambda x: np.asarray(x)[:count], call(shared, splits, runs))
        runs = jax.tree.map(lambda x: x[:count], runs)
        out.pop("params")
        yield SweepResult(runs.split, runs.seed, runs.hparams, **out)


def concatenate(chunks: Sequence[SweepResult]) -> SweepResult:
    """Join chunks along the run axis."""
    return jax.tree.map(lambda *x: np.concatenate(x), *chunks)


def sweep(
    objective: Objective,
    build: Callable[[Any, Any], tuple[Any, Any]],
    shared: Any,
    splits: Any,
    *,
    seeds: Sequence[int],
    hparams: Sequence[Any],
    config: FitConfig = FitConfig(),
    plan: Plan | None = None,
) -> SweepResult:
    """Train every seed x split x setting; compiled once, whatever their number.

    Args:
        objective: the model.
        build: ``build(shared, split) -> (batch, masks)``, pure: makes one split's data on the device.
        shared: pytree that all runs read; one copy per device.
        splits: pytree whose leaves have the leading axis ``[splits]``.
        seeds: distinct integers. A run's random numbers depend on its seed and split only.
        hparams: settings, NamedTuples of floats.
        config: static choices of each run.
        plan: layout on the hardware; None = :func:`choose_plan`.
    """
    return concatenate(
        list(
            sweep_chunks(
                objective, build, shared, splits, seeds=seeds, hparams=hparams, config=config, plan=plan
            )
        )
    )
