"""Loadings as maps: features down, latent variables across, blocks and modalities ruled off."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from jaxsurv.factors import Structure
from jaxsurv.plots.style import styled


@styled
def loading_maps(
    loadings: Mapping[str, np.ndarray], structure: Structure, *, truth_known: bool = True
) -> Figure:
    """Draw one map per estimate; the first map is the truth, and all others are rotated towards it.

    Loadings are known up to a rotation inside each block. The rotation nearest to the truth is chosen
    here (orthogonal Procrustes). Features are sorted within a modality by their largest loading in the
    first map.

    Args:
        loadings: ``{name: [D, R]}``, the truth first.
        structure: structure of all loadings.
        truth_known: False = the first is an estimate as well, and is turned to the principal axes of each
            block: the strongest first, each with its largest loading above 0.
    """
    truth, *_ = loadings.values()
    truth = truth if truth_known else _principal_axes(np.asarray(truth), structure)
    top = np.abs(truth).max()
    order = np.concatenate([
        np.arange(rows.start, rows.stop)[np.argsort(-np.abs(truth[rows]).max(1))]
        for rows in structure.modalities.values()
    ])  # fmt: skip
    figure = Figure(figsize=(2.6 * len(loadings) + 1.4, 5.4), layout="constrained")
    axes = figure.subplots(1, len(loadings), sharey=True, squeeze=False)[0]
    edges = [b.stop - 0.5 for b in list(structure.blocks.values())[:-1]]
    names = ["+".join(s) for s in structure.blocks]
    for axis, (name, w) in zip(axes, loadings.items(), strict=True):
        turned = np.zeros_like(truth)
        for b in structure.blocks.values():
            left, _, right = np.linalg.svd(w[:, b].T @ truth[:, b])
            turned[:, b] = w[:, b] @ (left @ right)
        image = axis.imshow(
            turned[order], aspect="auto", cmap="RdBu_r", vmin=-top, vmax=top, interpolation="none"
        )
        for edge in edges:
            axis.axvline(edge, color="0.6", lw=0.5)
        for rows in list(structure.modalities.values())[:-1]:
            axis.axhline(rows.stop - 0.5, color="0.6", lw=0.5)
        centres = [(b.start + b.stop - 1) / 2 for b in structure.blocks.values()]
        axis.set_xticks(centres, names, rotation=90)
        axis.tick_params(length=0)
        axis.set_title(name)
    middles = [(r.start + r.stop) / 2 for r in structure.modalities.values()]
    axes[0].set_yticks(middles, list(structure.modalities))
    figure.colorbar(image, ax=axes, label="loading", shrink=0.6)
    return figure


def _principal_axes(loadings: np.ndarray, structure: Structure) -> np.ndarray:
    """The loadings with orthogonal columns in each block."""
    turned = np.zeros_like(loadings)
    for b in structure.blocks.values():
        left, size, _ = np.linalg.svd(loadings[:, b], full_matrices=False)
        largest = left[np.abs(left).argmax(axis=0), np.arange(len(size))]
        turned[:, b] = left * size * np.sign(largest)
    return turned
