"""Settings and weights as model files hold them, and back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import jax
import numpy as np

from jaxsurv.data.tables import few
from jaxsurv.types import InputError, Params

MOST_LISTED = 256  # entries of a list in a config, such as layers
_LARGEST = {int: 2**32, float: float(np.finfo(np.float32).max)}


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
        wanted: pytree of what has a shape and a dtype, such as of ``jax.eval_shape``.
        leading: axes that all of the weights have in front.
    """
    leaves, structure = jax.tree_util.tree_flatten_with_path(wanted)
    shapes = {_name(path): ((*leading, *leaf.shape), leaf.dtype) for path, leaf in leaves}
    found = {name: (a.shape, a.dtype) for name, a in weights.items()}
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


def check_entries(value: Any, hint: Any, name: str) -> None:
    """Refuse an entry of a file that is not of its type, or a number that float32 or a count cannot hold.

    Args:
        value: value read from JSON.
        hint: type that it must have; a dataclass, NamedTuple or TypedDict stands for an object with its
            fields, a dict for one with these names, of which those that end in ``?`` may be absent.
        name: name of the entry.

    Raises:
        InputError: names the entry and the value.
    """
    if wrong := _misfit(value, hint, name):
        place, found = wrong
        if found is None:
            raise InputError(f"{place} is missing or null")
        text = repr(found)
        raise InputError(f"{place} must not be {text if len(text) < 60 else text[:60] + '...'}")


def checked_config(entries: dict[str, Any], kind: type) -> dict[str, Any]:
    """Entries of a config of some class, with tuples for lists.

    Raises:
        InputError: see `check_entries`; a list of too many.
    """
    check_entries(entries, kind, "config")
    if (longest := longest_list(entries)) > MOST_LISTED:
        raise InputError(f"config has a list of {longest}; the most is {MOST_LISTED}")
    return tuples(entries)


def _misfit(value: Any, hint: Any, name: str) -> tuple[str, Any] | None:
    """The first place where a value is not of its type, and what is there."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        found = [_misfit(value, a, name) for a in args]
        return None if None in found else max(filter(None, found), key=lambda place: len(place[0]))
    if (fields := _fields(hint)) is not None:
        if not isinstance(value, dict):
            return name, value
        names = {k.removesuffix("?"): h for k, h in fields.items()}
        absent = [k for k in fields if not k.endswith("?") and k not in value]
        if absent:
            return f"{name}.{absent[0]}", None
        parts = [(f"{name}.{k}", names[k], v) for k, v in value.items() if k in names]
    elif origin is not None and origin is not Literal and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            return name, value
        parts = [(f"{name}.{k}", args[1], v) for k, v in value.items()]
    elif origin in (tuple, list, Sequence):
        several = len(args) < 2 or args[1] is Ellipsis
        if not isinstance(value, list | tuple) or not (several or len(value) == len(args)):
            return name, value
        each = [args[0]] * len(value) if several else args
        parts = [(f"{name}[{i}]", h, v) for i, (h, v) in enumerate(zip(each, value, strict=True))]
    else:
        return None if _is_one(value, hint, args) else (name, value)
    return next(filter(None, (_misfit(v, h, place) for place, h, v in parts)), None)


def _fields(hint: Any) -> dict[str, Any] | None:
    if isinstance(hint, dict):
        return hint
    if is_typeddict(hint):
        return {
            k if k in hint.__required_keys__ else f"{k}?": h
            for k, h in get_type_hints(hint).items()
        }
    if not isinstance(hint, type) or not (is_dataclass(hint) or hasattr(hint, "_fields")):
        return None
    hints = get_type_hints(hint)
    if is_dataclass(hint):  # files of earlier versions lack the newest fields
        return {f"{k}?": h for k, h in hints.items()}
    optional = getattr(hint, "_field_defaults", {})
    return {f"{k}?" if k in optional else k: hints.get(k, Any) for k in hint._fields}  # type: ignore[attr-defined]


def _is_one(value: Any, hint: Any, args: tuple) -> bool:
    """Whether a value that is no list and no object is of its type; what JSON cannot hold never is."""
    if get_origin(hint) is Literal:
        return any(type(value) is type(a) and value == a for a in args)
    if hint in (int, float):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and abs(value) <= _LARGEST[hint] and (hint is float or value == int(value))
    if hint in (str, bool, NoneType, None):
        return value is None if hint in (NoneType, None) else isinstance(value, hint)
    return hint is not jax.Array and get_origin(hint) is not Callable


def longest_list(value: Any) -> int:
    """Number of entries of the longest list in a value read from JSON."""
    if isinstance(value, dict):
        return max(map(longest_list, value.values()), default=0)
    if isinstance(value, list | tuple):
        return max(len(value), max(map(longest_list, value), default=0))
    return 0
