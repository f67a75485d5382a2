"""Many runs as one compiled computation: seeds x splits x hyper-parameters on one run axis."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from operator import itemgetter
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from jaxsurv.arguments.settings import check_whole
from jaxsurv.training._fit import FitConfig, Masks, training
from jaxsurv.training.learner import Optimizer, adam
from jaxsurv.training.mapped import Program, Store, compile_map, map_chunks
from jaxsurv.training.memory import OutOfMemory, check_results, tree_bytes
from jaxsurv.training.plan import Plan, choose_plan, step_flops
from jaxsurv.training.programs import kept
from jaxsurv.training.runs import (
    MOST_BYTES,
    Run,
    SweepResult,
    concatenate,
    in_fives,
    run_grid,
    whole_calls,
)
from jaxsurv.training.slots import in_slots
from jaxsurv.training.stopping import Training
from jaxsurv.types import Array, InputError, Objective, Params, taking

SEGMENT = 20  # epochs in which a slot may idle
Build = Callable[[Any, Any, Array], tuple[Any, Masks]]
Collect = Callable[[Params, Any, Masks], Any]


@kept(8)
def compile_runs(
    objective: Objective,
    build: Build,
    config: FitConfig,
    plan: Plan,
    *,
    optimizer: Optimizer = adam,
    keep: bool = True,
) -> Program:
    """The jitted program for all runs of a sweep; one compilation, whatever their number.

    Its outputs are the fields of a `SweepResult` and, if they are to be kept, ``params``: the best
    parameters of each run.
    """

    def begin(data, run: Run):
        batch, masks = _rows_of(build, data, run)
        # the key depends on seed and stream alone: settings share their random numbers
        stream = run.split if run.stream is None else run.stream
        key = jax.random.fold_in(jax.random.key(run.seed), stream)
        fitted = training(key, objective, run.hparams, batch, masks, config, optimizer=optimizer)
        return batch, fitted

    def proceeds(run: Run, fitted: Training, state):
        return fitted.proceed(state) & (True if run.there is None else run.there)

    def start(data, run: Run):
        return begin(data, run)[1].start

    def advance(data, run: Run, state):
        _, fitted = begin(data, run)

        def proceed(counted):
            return (counted[0] < SEGMENT) & proceeds(run, fitted, counted[1])

        def epoch(counted):
            return counted[0] + 1, fitted.advance(counted[1])

        _, state = lax.while_loop(proceed, epoch, (jnp.int32(0), state))
        return state, ~proceeds(run, fitted, state)

    def outputs_of(batch, fitted, state):
        result = fitted.finish(state)
        outputs = result._asdict() | {"prediction": objective.predict(result.params, batch)}
        del outputs["teacher"]
        if not keep:
            del outputs["params"]
        if result.teacher is not None:
            outputs["teacher_prediction"] = objective.predict(result.teacher, batch)
        return outputs

    def finish(data, run: Run, state):
        return outputs_of(*begin(data, run), state)

    def one(data, run: Run):
        batch, fitted = begin(data, run)
        proceed = partial(proceeds, run, fitted)
        return outputs_of(batch, fitted, lax.while_loop(proceed, fitted.advance, fitted.start))

    # where all runs take as long as each other, or most of it after the stop, slots gain nothing
    uneven = config.early_stopping and not config.refit and plan.width > 1
    several = in_slots(start, advance, finish, plan.width) if uneven else None
    return compile_map(one, plan, several=several)


def _rows_of(build: Build, data: Any, run: Run) -> tuple[Any, Masks]:
    shared, splits = data
    return build(shared, jax.tree.map(lambda x: x[run.split], splits), run.seed)


@kept(8)
def _collecting(runs: Program, build: Build, plan: Plan, collect: Collect | None) -> Program:
    """``runs`` with what is collected from the parameters, by a program of its own, instead of them."""

    def one(data, item):
        run, params = item
        return collect and collect(params, *_rows_of(build, data, run))

    collector = compile_map(one, plan)

    def instead(collected, outputs, data, items):
        params = outputs.pop("params", None)
        if collect is not None:
            outputs["collected"] = collected(data, (items, params))
        return outputs

    def call(data, items):
        return instead(collector.call, runs.call(data, items), data, items)

    def shapes(data, items):
        return instead(collector.shapes, runs.shapes(data, items), data, items)

    return Program(runs.place, call, shapes)


def sweep_chunks(
    objective: Objective,
    build: Build,
    shared: Any,
    splits: Any,
    *,
    seeds: Sequence[int],
    hparams: Sequence[Any],
    config: FitConfig = FitConfig(),
    plan: Plan | None = None,
    optimizer: Optimizer = adam,
    collect: Collect | None = None,
    store: Store | None = None,
    streams: Sequence[int] | None = None,
    keeps: bool = True,
) -> Iterator[SweepResult]:
    """The runs of each compiled call as soon as they are done. Arguments as in `sweep`.

    Raises:
        InputError: invalid arguments; results that would fill the memory, where the caller ``keeps`` all.
    """
    n_splits = jax.tree.leaves(splits)[0].shape[0]
    if not seeds or not hparams or not n_splits:
        raise InputError("a sweep needs at least one split, one seed and one setting")
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds must differ, got {list(seeds)}")
    if not all(0 <= seed < 2**32 for seed in seeds):
        raise InputError(f"seeds must be from 0 to 2**32 - 1, got {list(seeds)}")
    for seed in seeds:
        check_whole("a seed", seed, 0)
    streams = range(n_splits) if streams is None else streams
    if len(streams) != n_splits or not all(0 <= stream < 2**32 for stream in streams):
        raise InputError(
            f"streams must be {n_splits} numbers from 0 to 2**32 - 1, one a split, got {list(streams)}"
        )
    grid = run_grid(streams, seeds, hparams)

    def rows() -> Any:
        split = jax.tree.map(itemgetter(0), splits)
        return jax.eval_shape(build, shared, split, jnp.uint32(0))[0]

    def flops() -> float:
        return step_flops(
            objective, rows(), hparams[0], optimizer=optimizer, batch_size=config.batch_size
        )

    def few_parameters(plan: Plan) -> bool:
        params = jax.eval_shape(objective.init, jax.random.key(0), rows())
        return plan.runs * tree_bytes(params) <= MOST_BYTES

    if plan is None:
        plan = choose_plan(len(grid.seed), None if config.early_stopping else flops)
    # small ones always, so that sweeps with and without ``collect`` share a program
    keep = collect is not None or few_parameters(plan)
    filled, begun = whole_calls(grid, plan), False
    while True:
        program = compile_runs(objective, build, config, plan, optimizer=optimizer, keep=keep)
        program = _collecting(program, build, plan, collect)
        data = program.place((shared, in_fives(splits)))
        try:
            for runs, outputs in map_chunks(program, plan, data, filled, store):
                if keeps and not begun:
                    check_results(outputs, len(runs.seed), len(grid.seed))
                begun = True
                result = SweepResult(runs.split, runs.seed, runs.hparams, **outputs)
                yield jax.tree.map(itemgetter(runs.there), result)
            return
        except OutOfMemory as error:
            if begun or plan.width == 1:  # bits depend on the width: half a sweep keeps its own
                raise
            plan = replace(plan, length=2 * plan.length, width=plan.width // 2)
            warnings.warn(f"{error}; going on with a width of {plan.width}", stacklevel=2)


@taking(sweep_chunks)
def sweep(*arguments: Any, **options: Any) -> SweepResult:
    """Train every seed x split x setting; compiled once, whatever their number.

    Args:
        objective: the model.
        build: ``build(shared, split, seed) -> (batch, masks)``, pure: makes one run's data on the
            device. The seed is for masks that differ between the runs of a split.
        shared: pytree that all runs read; one copy per device.
        splits: pytree whose leaves have the leading axis ``[splits]``.
        seeds: distinct integers. A run's random numbers depend on its seed and its split's stream only.
        hparams: settings, NamedTuples of floats.
        config: static choices of each run.
        plan: layout on the hardware; None = :func:`choose_plan`.
        optimizer: ``hparams -> optax.GradientTransformation``.
        collect: ``collect(params, batch, masks) -> pytree``, computed on the device at each run's best
            parameters, for what a study needs beside the prediction (latents, class probabilities).
        store: store of finished calls, so that an interrupted sweep goes on, see :class:`Store`.
        streams: number of each split's stream of random numbers; None = 0, 1, ... A sweep over split s
            alone with ``streams=[s]`` has the bits of that split in a sweep over all, at equal width.
        keeps: check that there is memory for all results.

    Raises:
        InputError: invalid arguments; results that would fill the memory.

    Two folds, two seeds and two settings are eight runs:

    >>> import numpy as np
    >>> from jaxsurv.models import CoxNnetHParams, cox_nnet, nesterov, table_batch
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(60, 3))
    >>> batch = table_batch(x, np.ones(60), rng.exponential(np.exp(-x[:, 0])))
    >>> folds = np.arange(60) % 2 == np.arange(2)[:, None]  # [splits, n], the rows that stop a run
    >>> def build(shared, fold, seed):
    ...     return shared, Masks(~fold, fold, ~fold)
    >>> settings = [CoxNnetHParams(l2=l2) for l2 in (0.01, 1.0)]
    >>> runs = sweep(cox_nnet(), build, batch, folds, seeds=range(2), hparams=settings,
    ...              config=FitConfig(epochs=5), optimizer=nesterov)
    >>> runs.prediction.shape, list(runs.to_frame().columns[:3])
    ((8, 60), ['split', 'seed', 'l2'])
    """
    return concatenate(list(sweep_chunks(*arguments, **options)))
