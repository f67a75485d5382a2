"""Cox partial likelihood of one huge cohort, with its patients spread over several devices."""

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from jaxsurv.arguments.columns import is_frame
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.partial_likelihood import check_scores, moderate, per_event
from jaxsurv.survival.risk_sets import RiskSets, in_precision
from jaxsurv.survival.summed_loss import Ties, summed_loss
from jaxsurv.types import Array, ArrayLike, InputError, check_choice


@dataclass(frozen=True)
class ShardedRiskSets:
    """Patients in the order of time, cut into one block per device; made by `shard_risk_sets`.

    All blocks have one length: ``places`` = devices x length. The first and the last place of each
    block are free for the sums of the other blocks; shorter blocks have more free places at the end.

    Attributes:
        blocks: ``[places]``, spread over the devices; positions count from the start of a block, except
            ``final``, which counts from the start of the first block.
        row: ``[places]``, original row at each place, -1 at free places; kept on the host.
        mesh: device mesh with one axis.
    """

    blocks: RiskSets
    row: np.ndarray
    mesh: Mesh

    @read_arguments
    def place(self, x: ArrayLike) -> Array:
        """Spread data ``[n, ...]`` of the patients, e.g. features, as ``[places, ...]`` over the devices.

        Free places repeat row 0. Each block is read on its own, so that ``x`` may be a memory map.
        """
        n = np.count_nonzero(self.row >= 0)
        if np.shape(x)[:1] != (n,):
            raise InputError(f"give one row for each of the {n} patients, got {list(np.shape(x))}")
        row, x = np.maximum(self.row, 0), np.asarray(x) if is_frame(x) else x

        def of_block(index: Any) -> Any:
            return x[row[index[0]]]

        shape = (row.size, *np.shape(x)[1:])
        return jax.make_array_from_callback(shape, _by_block(self.mesh), of_block)

    def to_rows(self, values: ArrayLike) -> np.ndarray:
        """Return ``[places, ...]``, e.g. predictions, as ``[n, ...]`` in the original order of the rows."""
        there = self.row >= 0
        values = np.asarray(values)[there]
        out = np.empty_like(values)
        out[self.row[there]] = values
        return out


jax.tree_util.register_dataclass(
    ShardedRiskSets, [f.name for f in fields(ShardedRiskSets) if f.name != "mesh"], ["mesh"]
)


def _by_block(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec(mesh.axis_names))


def shard_risk_sets(risk_sets: RiskSets, mesh: Mesh | None = None) -> ShardedRiskSets:
    """Cut risk sets, sorted once on the host, into blocks of consecutive times, one per device.

    Blocks are equally long, except that no cut separates tied events. The censored rows of a tie
    group may stand in the next block, so that a cohort whose follow-up ends on one day is cut
    evenly. Case weights and ``where`` of `prepare_risk_sets` are kept.

    Args:
        risk_sets: result of `prepare_risk_sets`, without strata and delayed entry.
        mesh: device mesh with one axis, of type Auto; None = all devices.

    Raises:
        InputError: strata, delayed entry, another kind of mesh.
    """
    if mesh is None:
        mesh = jax.make_mesh((jax.device_count(),), ("time",), axis_types=(AxisType.Auto,))
    if mesh.axis_types != (AxisType.Auto,):
        raise InputError(
            f"mesh must have one axis, of type Auto, got axes {mesh.axis_names} of types "
            f"{mesh.axis_types}; use jax.make_mesh((devices,), ('time',), axis_types=(AxisType.Auto,))"
        )
    if risk_sets.stratum is not None:
        raise InputError(
            "risk sets with strata cannot be cut into blocks of time; add up the losses of the "
            "strata, each with its own shard_risk_sets"
        )
    if risk_sets.intervals is not None:
        raise InputError(
            "risk sets with delayed entry cannot be cut into blocks of time; use "
            "neg_log_partial_likelihood on one device"
        )
    rs = jax.tree.map(np.asarray, risk_sets)
    n, devices = rs.start.size, mesh.size
    cut = np.arange(1, devices) * n // devices
    # Cut in front of tied events, not among them.
    cut = np.where(cut < rs.rest[cut], rs.start[cut], cut)
    edge = np.concatenate([[0], cut, [n]])
    size = np.diff(edge)
    length = int(size.max()) + 2

    first = edge[:-1, None] - 1  # the position that the first, free place of each block stands for
    place = np.arange(length)
    there = (place > 0) & (place <= size[:, None])
    position = np.where(there, first + place, 0)

    def spread(x: np.ndarray, fill: float = 0) -> np.ndarray:
        return np.where(there, x[position], x.dtype.type(fill))

    def pointing(x: np.ndarray) -> np.ndarray:
        # Rows before or after the block are summed at its first or last place.
        return np.clip(spread(x) - first, 0, length - 1).astype(np.int32)

    columns = ("time", "event_weight", "mean_weight", "fraction")
    of_last_event = np.searchsorted(edge, rs.final, side="right") - 1
    blocks = replace(
        rs,
        order=None,
        position=None,
        log_weight=spread(rs.log_weight, -np.inf),
        **{name: spread(getattr(rs, name)) for name in columns},
        **{name: pointing(getattr(rs, name)) for name in ("start", "rest", "last", "earlier")},
        final=np.int32(of_last_event * length + rs.final - first[of_last_event, 0]),
    )
    row = position if rs.order is None else rs.order[position]
    row = np.where(there, row, -1).ravel().astype(np.int32)
    whole = NamedSharding(mesh, PartitionSpec())

    def put(x: Any) -> Array:
        return jax.device_put(x.ravel(), _by_block(mesh)) if x.ndim else jax.device_put(x, whole)

    return ShardedRiskSets(jax.tree.map(put, blocks), row, mesh)


@read_arguments
def sharded_neg_log_partial_likelihood(
    log_hazard: ArrayLike,
    risk_sets: ShardedRiskSets,
    *,
    ties: Ties = "efron",
    reduction: Literal["mean", "sum"] = "mean",
) -> Array:
    """Compute `neg_log_partial_likelihood` of patients spread over devices: same value and gradient.

    Every device sums over its own patients. Per evaluation each device exchanges a few numbers, the
    sums of its block. The gradient of a patient stays on the device of the patient::

        risk_sets = shard_risk_sets(prepare_risk_sets(event, time))
        x = risk_sets.place(x)  # once: each patient's features go to the device of their time

        @jax.jit
        def loss(params, x, risk_sets):
            return sharded_neg_log_partial_likelihood(net(params, x), risk_sets)

        risk_sets.to_rows(net(params, x))  # predictions, in the original order

    Args:
        log_hazard: ``[places]``, made from placed rows; higher = worse. Values at free places are
            ignored.
        risk_sets: result of `shard_risk_sets`.
        ties: treatment of tied events; exact ties need all patients on one device.
        reduction: type of reduction, ``"mean"`` or ``"sum"``, see `neg_log_partial_likelihood`.

    Returns:
        A scalar; 0 with zero gradient if there is no event.

    Raises:
        InputError: bad shapes or values; ``ties="exact"``.
    """
    check_choice("ties", ties, ("breslow", "efron"))
    check_choice("reduction", reduction, ("mean", "sum"))
    if np.shape(log_hazard) != risk_sets.row.shape:
        raise InputError(
            f"log_hazard must have shape [places] = {list(risk_sets.row.shape)}, got "
            f"{list(np.shape(log_hazard))}; compute it from risk_sets.place(x)"
        )
    check_scores(log_hazard, risk_sets.blocks)
    scores = moderate(log_hazard, risk_sets.blocks)[0]
    return _reduced(scores, risk_sets, ties, reduction)


@partial(jax.jit, static_argnames=("ties", "reduction"))
def _reduced(log_hazard: Array, risk_sets: ShardedRiskSets, ties: Ties, reduction: str) -> Array:
    blocks = in_precision(risk_sets.blocks, log_hazard.dtype)
    (axis,) = risk_sets.mesh.axis_names
    cut = PartitionSpec(axis)

    def of_block(x: Array, rs: RiskSets) -> Array:
        return summed_loss(x, rs, ties, axis)[None]

    specs: Any = jax.tree.map(lambda a: cut if a.ndim else PartitionSpec(), blocks)
    of_blocks = jax.shard_map(
        of_block, mesh=risk_sets.mesh, in_specs=(cut, specs), out_specs=cut, check_vma=False
    )
    loss = jnp.sum(of_blocks(log_hazard, blocks))
    return per_event(loss, blocks) if reduction == "mean" else loss
