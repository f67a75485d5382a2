import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxsurv.factors import Structure, all_subsets
from jaxsurv.types import InputError
from tests.factors.structures import FULL, PARTIAL, loadings


def test_blocks_and_rows_of_three_modalities():
    assert list(FULL.blocks) == all_subsets(("rna", "protein", "image"))
    assert FULL.blocks[("rna", "protein", "image")] == slice(0, 2)
    assert FULL.blocks[("image",)] == slice(12, 14)
    assert FULL.modalities["image"] == slice(31, 51)
    assert (FULL.features, FULL.rank) == (51, 14)


@pytest.mark.usefixtures("x64")
def test_the_mask_is_the_structure():
    for subset, columns in PARTIAL.blocks.items():
        for m, rows in PARTIAL.modalities.items():
            assert np.all(PARTIAL.mask[rows, columns] == (m in subset)), (m, subset)
    assert np.all((loadings(PARTIAL) != 0) == (PARTIAL.mask == 1))


def test_programs_of_both_precisions_read_one_structure():
    """JAX remembers the type that an array had in the first program that read it."""
    s = Structure.of({"a": 3, "b": 2}, 1)

    def read(loadings):
        return loadings[s.modality].sum() + loadings[:, s.block].sum() + (loadings * s.mask).sum()

    for in_double in (True, False):
        with jax.enable_x64(in_double):
            assert jax.jit(read)(jnp.ones((s.features, s.rank))) > 0


def test_what_reaches_outside_a_subset():
    # of three modalities: all six other blocks for one, the two other pairs and the joint one for a pair
    assert FULL.shared_with(("rna",)) == 12
    assert FULL.shared_with(("rna", "image")) == 6
    assert FULL.shared_with(("rna", "protein", "image")) == 0
    assert PARTIAL.shared_with(("image",)) == 5


@pytest.mark.parametrize(
    ("sizes", "ranks", "message"),
    [
        ({}, 1, "must be named"),
        ({"a": 0}, 1, "needs features"),
        ({"a": 5, "b": 5}, {("a", "c"): 1}, "must name some of"),
        ({"a": 5, "b": 5}, {("a", "a"): 1}, "each once"),
        ({"a": 5, "b": 5}, {("a", "b"): 1, ("b", "a"): 1}, "given twice"),
        ({"a": 5, "b": 5}, {("a",): 0}, "at least 1"),
        ({"a": 5, "b": 5}, {("a",): 6}, "a has 5 features, too few to tell 6"),
        ({"a": 9, "b": 3}, {("a", "b"): 2, ("b",): 2, ("a",): 1}, r"b has 3 features, .* tell 4"),
    ],
)
def test_refusals(sizes, ranks, message):
    with pytest.raises(InputError, match=message):
        Structure.of(sizes, ranks)
