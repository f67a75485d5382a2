"""Right-continuous step functions, one per stratum, that are asked by the strata's own labels."""

from collections.abc import Hashable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.arguments.labels import Labels, factorised, labels
from jaxsurv.arguments.reading import read_arguments
from jaxsurv.survival.cumulative import safe_log
from jaxsurv.survival.life_table import run_numbers, step_at
from jaxsurv.survival.ties import at_known_times
from jaxsurv.survival.validation import array_module, check_no_nan, is_concrete
from jaxsurv.types import ArrayLike, InputError


def _all_zero(stratum: Any) -> bool:
    return bool(np.all(np.asarray(stratum, object) == 0))


class StepFunction(NamedTuple):
    """Right-continuous step function, 0 before its first time; one per stratum if there are strata.

    Attributes:
        times: ``[m]``, ascending (within strata). NumPy arrays if the values are known.
        values: ``[m]``, value from each time on.
        stratum: ``[m]``, ascending codes of the strata, or None.
        labels: the strata's labels in the order of their codes 0, 1, ..., a constant for JAX; None where
            the codes are the labels themselves.
        log_values: ``[m]``, logarithm of ``values``, which is finite where ``values`` is too small or too
            large for a number; or None.
    """

    times: ArrayLike
    values: ArrayLike
    stratum: ArrayLike | None = None
    labels: Labels | None = None
    log_values: ArrayLike | None = None

    @read_arguments
    def __call__(self, times: ArrayLike, stratum: Any = None) -> Any:
        """Values at ``times``, of any shape, in the stratum of a label.

        Args:
            times: any shape.
            stratum: label as it was given for the fit, or labels in an array that broadcasts with
                ``times``. While ``jit`` traces it: integers, the labels themselves if these are
                integers, otherwise their position in ``labels``; an unknown one gives NaN.

        Raises:
            InputError: NaN among the times; an unknown stratum, or none, of a curve with strata.
        """
        check_no_nan(times)
        return self._at(self.values, 0.0, times, self.codes(stratum))

    @read_arguments
    def log(self, times: ArrayLike, code: Any = None) -> Any:
        """Logarithms of the values at ``times`` in the strata of ``code``, see `codes`; -inf at 0."""
        if self.log_values is not None:
            return self._at(self.log_values, -np.inf, times, code)
        values = self._at(self.values, 0.0, times, code)
        if array_module(values) is np:
            with np.errstate(divide="ignore"):
                return np.log(values)
        return jnp.where(jnp.isnan(values), jnp.nan, safe_log(values))

    def _at(self, values: ArrayLike, initial: float, times: Any, code: Any) -> Any:
        """Evaluate a step function whose values are those given, and ``initial`` before the first."""
        xp = array_module(times, code, self.times, values, self.stratum)
        if self.stratum is None:
            return step_at(times, self.times, values, initial=initial)
        query = xp.asarray(times) if xp is np else xp.asarray(times, xp.asarray(self.times).dtype)
        # The steps are sorted by stratum and, within it, by the rank of their time among all.
        curves, code = xp.asarray(self.stratum), xp.asarray(code)
        all_times, m = xp.sort(xp.asarray(self.times)), curves.shape[0]
        number = run_numbers(xp, curves)
        query = at_known_times(query, all_times)

        def key(times: Any, number: Any) -> Any:
            return number * (m + 1) + xp.searchsorted(all_times, times, side="right")

        first = xp.minimum(xp.searchsorted(curves, code), m - 1)
        known = curves[first] == code
        step = xp.searchsorted(key(self.times, number), key(query, number[first]), side="right") - 1
        is_own = (step >= 0) & (curves[step] == code)
        return xp.where(known, xp.where(is_own, xp.asarray(values)[step], initial), xp.nan)

    def codes(self, stratum: Any) -> Any:
        """Codes of labels, of their shape; None for a curve without strata."""
        if self.stratum is None:
            if is_concrete(stratum) and not (stratum is None or _all_zero(stratum)):
                raise InputError(f"the curve has no strata; leave out stratum={stratum!r}")
            return None
        if isinstance(stratum, jax.core.Tracer):
            return labels("stratum", stratum)
        there: Any = None  # codes, where they are known
        if is_concrete(self.stratum):
            there = np.unique(np.asarray(self.stratum)).tolist()
        elif self.labels is not None:
            there = range(len(self.labels))
        known = there if self.labels is None else [self.labels[code] for code in there]
        told = "" if known is None else f"; known are {', '.join(map(repr, known[:20]))}"
        if stratum is None:
            raise InputError(f"the curve has strata: give stratum, a label or one per row{told}")
        if known is None:  # the codes are traced, and are the labels
            return np.asarray(stratum, np.int32)
        place = dict(zip(known, there, strict=True))
        if isinstance(stratum, np.ndarray | jax.Array) and np.ndim(stratum) == 0:
            stratum = np.asarray(stratum).item()
        if isinstance(stratum, Hashable) and stratum in place:  # one label, which may be a tuple
            return np.int32(place[stratum])
        one = isinstance(stratum, str | bytes) or not hasattr(stratum, "__len__")
        where, names = factorised(labels("stratum", [stratum] if one else stratum))
        if unknown := [name for name in names if name not in place]:
            raise InputError(f"stratum {unknown[0]!r} is not known{told}")
        return np.array([place[name] for name in names], np.int32)[where]
