"""Structures that the tests share."""

from functools import cache

import jax

from jaxsurv.factors import Structure, simulate_loadings

SIZES = {"rna": 14, "protein": 17, "image": 20}
FULL = Structure.of(SIZES, 2)
PARTIAL = Structure.of(
    {**SIZES, "clinical": 18},
    {
        ("rna", "protein", "image", "clinical"): 2,
        ("rna", "protein", "image"): 1,
        ("rna", "clinical"): 2,
        ("image",): 3,
    },
)


_simulate = jax.jit(simulate_loadings, static_argnums=1)


@cache
def loadings(structure, seed=0):
    return _simulate(jax.random.key(seed), structure)
