"""The UpSet figure: counts, dots and what is left out."""

import numpy as np
import pandas as pd

from jaxsurv.plots import modality_patterns


def axes_of(presence):
    figure = modality_patterns(presence, title="cohort")
    figure.draw_without_rendering()
    return figure.axes


def test_columns_are_patterns_and_rows_modalities():
    presence = pd.DataFrame(
        {"cnv": [1, 1, 1, 0, 0], "rna": [1, 1, 1, 1, 1], "protein": [1, 0, 0, 0, 0]}
    ).astype(bool)
    dots, bars, totals = axes_of(presence)
    assert [t.get_text() for t in dots.get_yticklabels()] == ["rna", "cnv", "protein"]
    assert [b.get_height() for b in bars.patches] == [2, 2, 1]
    joined = {tuple(line.get_ydata()) for line in dots.lines}
    assert joined == {(0, 1), (0,), (0, 1, 2)}
    assert bars.patches[2].get_facecolor() != bars.patches[0].get_facecolor()  # everything
    assert [t.get_text().strip() for t in totals.texts] == ["5", "3", "1"]


def test_rare_patterns_are_counted_not_drawn():
    codes = np.arange(64)
    presence = pd.DataFrame({f"m{j}": codes >> j & 1 for j in range(6)}).astype(bool)
    dots, bars, _ = axes_of(pd.concat([presence, presence[:3]], ignore_index=True))
    assert len(bars.patches) == 20
    assert dots.get_xlabel() == "and 44 rarer patterns of 44 patients"


def test_a_single_modality():
    dots, bars, _ = axes_of(pd.DataFrame({"rna": [True, True, False]}))
    assert [b.get_height() for b in bars.patches] == [2, 1]
    assert len(dots.lines) == 2
