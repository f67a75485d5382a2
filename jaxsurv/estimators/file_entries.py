"""Settings and weights as model files hold them, and back."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jaxsurv.data.tables import few
from jaxsurv.types import InputError, Params


def named(params: Params) -> dict[str, np.ndarray]:
    """Each array under its path in the pytree."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(params)
    return {_name(path): np.asarray(leaf) for path, leaf in leaves}


def structured(
    weights: Mapping[str, np.ndarray], wanted: Any, *, leading: tuple[int, ...] = ()
) -> Params:
    """The arrays that `named` gave, as the pytree that ``wanted`` is; refuses those that do not fit it.

    Args:
        weights: arrays by name.
        wanted: pytree of what has a shape, such as of ``jax.eval_shape``.
        leading: axes that all of the weights have in front.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(wanted)
    shapes = {_name(path): (*leading, *leaf.shape) for path, leaf in leaves}
    found = {name: a.shape for name, a in weights.items()}
    if wrong := differing(found, shapes):
        raise InputError(f"the weights {few(wrong)} do not fit config and features")
    return jax.tree.unflatten(structure, [weights[name] for name in shapes])


def differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names that only one of both has, or each with another value."""
    return [n for n in {**wanted, **found} if wanted.get(n) != found.get(n)]


def _name(path: Any) -> str:
    return f"params{jax.tree_util.keystr(path)}"


def plain(value: Any) -> Any:
    """Convert a value to JSON types: arrays to lists, keys to text."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(v) for v in value]
    return value.item() if hasattr(value, "item") else value


def tuples(value: Any) -> Any:
    """Convert the lists in a value read from JSON back to tuples."""
    if isinstance(value, dict):
        return {k: tuples(v) for k, v in value.items()}
    return tuple(tuples(v) for v in value) if isinstance(value, list) else value
