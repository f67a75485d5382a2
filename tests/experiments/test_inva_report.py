"""The image study's report: means and paired differences by hand, sentences, and its figures."""

import numpy as np
import pandas as pd
import pytest

from experiments.inva.report import (
    ImageCondition,
    along,
    figures,
    sections,
    summarise_images,
    told,
)
from jaxsurv.study.statistics import corrected_t

BASE = ImageCondition(200, 5.0, 0.5, 0, "matern52")
CONDITIONS = [BASE, BASE._replace(n=50), BASE._replace(snr=1.0), BASE._replace(n=50, snr=1.0)]
OFFSET = {"InVA": 0.0, "worse": 0.2, "better": -0.2, "turns": 0.1}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    tables = []
    for condition in CONDITIONS:
        own = rng.normal(0.6, 0.1, 12)
        for method, offset in OFFSET.items():
            sign = -1 if method == "turns" and condition.n == 50 else 1
            seeds = np.arange(12)[
                :: -1 if method == "worse" else 1
            ]  # pairing is by seed, not by place
            frame = pd.DataFrame({"method": method, "seed": seeds, **condition._asdict()})
            frame["relative"] = (own + sign * offset + rng.normal(0, 0.02, 12))[seeds]
            frame["coverage"], frame["width"] = rng.normal(0.95, 0.01, 12), 3.0
            frame["normal_coverage"], frame["normal_width"] = rng.normal(0.9, 0.01, 12), 2.5
            tables.append(frame)
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def summary(rows):
    return summarise_images(rows, "InVA")


def test_means_and_paired_differences(rows, summary):
    assert len(summary) == len(CONDITIONS) * len(OFFSET)
    here = rows[(rows["n"] == 50) & (rows["snr"] == 5)]
    own = here[here["method"] == "InVA"].set_index("seed")["relative"]
    other = here[here["method"] == "worse"].set_index("seed")["relative"]
    row = summary[(summary["n"] == 50) & (summary["snr"] == 5)].set_index("method").loc["worse"]
    expected = corrected_t((other - own).to_numpy(), 0.0)
    assert row["difference_mean"] == pytest.approx(expected.mean)
    assert row["difference_upper"] == pytest.approx(expected.upper)
    assert row["mean"] == pytest.approx(other.mean())
    assert row["difference_upper"] - row["difference_lower"] < row["upper"] - row["lower"]


def test_methods_of_fewer_replicates_are_paired_with_those(rows):
    few = rows[(rows["method"] != "worse") | (rows["seed"] < 4)]
    row = summarise_images(few, "InVA").set_index(["method", "n", "snr"]).loc["worse", 50, 5.0]
    here = rows[(rows["n"] == 50) & (rows["snr"] == 5) & (rows["seed"] < 4)]
    wide = here.pivot(index="seed", columns="method", values="relative")
    assert row["replicates"] == 4
    assert row["difference_mean"] == pytest.approx((wide["worse"] - wide["InVA"]).mean())


def test_sentences_say_who_is_better_and_where(summary):
    worse, better, turns, coverage = told(summary, "InVA", list(OFFSET)[1:])
    assert worse.startswith(
        "worse has a smaller error than InVA in 0 of 4 conditions, a larger one in 4 ("
    )
    assert better.startswith("better has a smaller error than InVA in 4 of 4 conditions (")
    assert (
        "in 2 of 4 conditions (n = 50, SNR 5, private share 0.5, matern52; n = 50, SNR 1" in turns
    )
    assert "a larger one in 2 (n = 200" in turns
    own = summary[summary["method"] == "InVA"]
    assert (
        f"cover {own['coverage_mean'].min():.3f} to {own['coverage_mean'].max():.3f} on average"
        in coverage
    )
    assert f"replicates {own['coverage_5'].min():.3f} to {own['coverage_95'].max():.3f}" in coverage


def test_one_table_per_condition(summary):
    found = sections(summary, "InVA")
    assert [s.heading for s in found] == [str(c) for c in CONDITIONS]
    assert found[0].table["method"].tolist() == list(OFFSET)
    assert found[0].table["minus InVA"].tolist()[0] == ""
    assert found[0].table["minus InVA"].tolist()[1].startswith("+0.2")


def test_axes_run_through_the_base(summary):
    panels = along(summary, BASE, list(OFFSET), "", (1.0, "line"))
    assert [p.label for p in panels] == ["signal-to-noise ratio", "patients"]
    assert [list(p.values) for p in panels] == [["1", "5"], ["50", "200"]]
    row = summary[(summary["n"] == 200) & (summary["snr"] == 1) & (summary["method"] == "better")]
    assert panels[0].scores["better"]["mean"].iloc[0] == row["mean"].item()


def test_figures_have_their_captions(summary):
    maps = {m: np.ones((3, 8, 8)) for m in OFFSET}
    curves = {"InVA": np.ones((3, 5)), "worse": np.ones((2, 5))}
    made = figures(summary, BASE, list(OFFSET), "InVA", maps, curves)
    assert [p.name for _, p in made] == ["maps", "error", "difference", "coverage", "training"]
    difference = made[2][0].axes[0]
    assert difference.get_ylabel() == "relative error minus InVA"
    names = [t.get_text() for t in made[2][0].legends[0].get_texts()]
    assert names == ["worse", "better", "turns"]
