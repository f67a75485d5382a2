"""Natural cubic splines: curves that are straight lines beyond their first and last knot."""

from types import ModuleType
from typing import Any


def natural_spline(xp: ModuleType, x: Any, knots: Any) -> Any:
    """Columns ``[n, k - 1]`` of a natural cubic spline with k knots (Harrell's basis); the first is x.

    Args:
        xp: numpy or jax.numpy.
        x: ``[n]``.
        knots: ``[k]``, ascending, at least three.
    """
    last, end = knots[-2], knots[-1]
    cubes = [xp.maximum(x - knot, 0) ** 3 for knot in knots]
    columns = [
        cube + (cubes[-1] * (last - knot) - cubes[-2] * (end - knot)) / (end - last)
        for knot, cube in zip(knots[:-2], cubes, strict=False)
    ]
    return xp.stack([x, *(column / (end - knots[0]) ** 2 for column in columns)], 1)
