"""Structure of shared latent variables: a rank for every subset of modalities that shares some."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from jaxsurv.types import InputError

Subset = tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """Blocks of latent variables, one per subset of modalities.

    A table of all features has the columns of the modalities side by side, in the order of ``sizes``. A
    matrix of loadings ``W [D, R]`` has these features as rows, and the latent variables of the blocks, in
    the order of ``ranks``, as columns. Block S is zero in the rows of modalities outside S.

    Attributes:
        sizes: ``((modality, features), ...)``.
        ranks: ``((subset, latent variables), ...)``.

    Raises:
        InputError: unknown or repeated modalities, a subset twice, a rank below 1, or ranks that the
            data cannot tell apart. The part shared within S is found as the part that the modalities
            outside S do not explain. So these need at least as many features as there are latent
            variables, in blocks at least as large as S, in which they have a part.
    """

    sizes: tuple[tuple[str, int], ...]
    ranks: tuple[tuple[Subset, int], ...]

    @classmethod
    def of(cls, sizes: Mapping[str, int], ranks: int | Mapping[Sequence[str], int]) -> Self:
        """Make a structure from dicts; a number is the rank of every non-empty subset."""
        if isinstance(ranks, int):
            ranks = dict.fromkeys(all_subsets(tuple(sizes)), ranks)
        return cls(tuple(sizes.items()), tuple((tuple(s), r) for s, r in ranks.items()))

    def __post_init__(self) -> None:
        names = [m for m, _ in self.sizes]
        if len(set(names)) < len(names) or not names:
            raise InputError(f"modalities must be named, each once; got {names}")
        if bad := {m: d for m, d in self.sizes if d < 1}:
            raise InputError(f"every modality needs features; got {bad}")
        seen = set()
        for subset, rank in self.ranks:
            if not subset or len(set(subset)) < len(subset) or not set(subset) <= set(names):
                raise InputError(f"subset {subset} must name some of {names}, each once")
            if frozenset(subset) in seen:
                raise InputError(f"subset {subset} is given twice")
            if rank < 1:
                raise InputError(f"rank of {subset} must be at least 1, got {rank}; leave it out")
            seen.add(frozenset(subset))
        self._check_ranks()

    def _check_ranks(self) -> None:
        size = dict(self.sizes)
        for subset, rank in self.ranks:
            outside = [m for m in size if m not in subset]
            for where, needed in (([*subset], rank), (outside, self.shared_with(subset))):
                if where and sum(size[m] for m in where) < needed:
                    raise InputError(
                        f"{' + '.join(where)} has {sum(size[m] for m in where)} features, too few to tell "
                        f"{needed} latent variables apart, which the block {subset} needs; lower the ranks"
                    )

    def shared_with(self, subset: Subset) -> int:
        """Latent variables of blocks at least as large as ``subset`` that reach outside it."""
        return sum(r for s, r in self.ranks if len(s) >= len(subset) and not set(s) <= set(subset))

    @cached_property
    def features(self) -> int:
        """Number D of features of all modalities."""
        return sum(d for _, d in self.sizes)

    @cached_property
    def rank(self) -> int:
        """Number R of latent variables of all blocks."""
        return sum(r for _, r in self.ranks)

    @cached_property
    def modalities(self) -> dict[str, slice]:
        """Slice of each modality's features."""
        return _slices(self.sizes)

    @cached_property
    def blocks(self) -> dict[Subset, slice]:
        """Slice of each subset's latent variables."""
        return _slices(self.ranks)

    # Arrays of 32 bits: JAX remembers the type that an array had in the first program that read it, and
    # refuses 64 bits in float32 after float64.
    @cached_property
    def modality(self) -> np.ndarray:
        """Number ``[D]`` of each feature's modality."""
        return np.repeat(np.arange(len(self.sizes), dtype=np.int32), [d for _, d in self.sizes])

    @cached_property
    def block(self) -> np.ndarray:
        """Number ``[R]`` of each latent variable's block."""
        return np.repeat(np.arange(len(self.ranks), dtype=np.int32), [r for _, r in self.ranks])

    @cached_property
    def mask(self) -> np.ndarray:
        """Mask ``[D, R]``, 1 where a loading may differ from zero."""
        inside = [[m in subset for subset, _ in self.ranks] for m, _ in self.sizes]
        return np.array(inside, np.float32)[np.ix_(self.modality, self.block)]

    def rows(self, modalities: Sequence[str]) -> np.ndarray:
        """Features of some modalities, in the order of the table."""
        wanted = [k for k, (m, _) in enumerate(self.sizes) if m in modalities]
        return np.flatnonzero(np.isin(self.modality, wanted))


def all_subsets(modalities: Sequence[str]) -> list[Subset]:
    """Every non-empty subset of ``modalities``, the largest first."""
    sizes = range(len(modalities), 0, -1)
    return [s for k in sizes for s in itertools.combinations(modalities, k)]


def _slices(parts: Sequence[tuple]) -> dict:
    ends = np.cumsum([size for _, size in parts])
    return {name: slice(int(e) - size, int(e)) for (name, size), e in zip(parts, ends, strict=True)}
