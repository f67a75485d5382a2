"""Report of a study of linear factors: tables, sentences and figures."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from jaxsurv.factors import Structure
from jaxsurv.plots import importance_bars
from jaxsurv.report.page import Picture, Section
from jaxsurv.report.tables import interval
from jaxsurv.study.statistics import over_replicates

from .curves import error_curves
from .maps import loading_maps
from .outcomes import true_norms
from .recovery import NOTHING, OURS, SETTING

RECOVERY_NOTE = (
    "Mean over blocks of |W W' - T T'| (Frobenius), which no rotation inside a block changes; means over "
    "independent replicates with 95 % t intervals. 'nothing' estimates all loadings by zero: worse than that "
    "is worse than not to fit. SVD has the block of all modalities alone, JIVE that and the individual ones; "
    "blocks that a method does not have are zero. All methods take the same variance of the noise off their "
    "loadings. 'not shrunk' is the published objective run to convergence, 'released schedule' the authors' "
    "steps from HCL-SVD. Slope: of log error on log n in each replicate; -0.5 is the rate of the theory. "
    "Covariances are drawn from their Wishart distribution, with the same random numbers in all settings."
)
LABEL_NOTE = (
    "Excess risk: mean squared distance of the predictions for 2,000 fresh patients from those of the true "
    "model, which reads the same features; 95 % t intervals over replicates. Loadings are learnt from the "
    "patients without a label alone, coefficients from the others, unless the name says otherwise. Group "
    "error: mean over blocks of the error of the coefficients' norm; kept and dropped: share of the blocks "
    "with an effect that are kept, and of those without one that are set to zero. The penalty is chosen by "
    "cross-validation among labelled patients; '1 SE': the largest within one standard error of the best."
)


def recovery_sections(summary: pd.DataFrame, slopes: pd.DataFrame) -> list[Section]:
    """Sections on recovery, one per sizes of modalities and noise."""
    found = []
    for _, group in summary.groupby(SETTING, sort=False):
        rates = slopes[(slopes[SETTING] == group[SETTING].iloc[0]).all(axis=1)].set_index("method")
        rows = []
        for method, own in group.groupby("method", sort=False):
            row: dict[str, str] = {"method": str(method)}
            row["slope"] = interval(rates.loc[method]) if method in rates.index else ""
            for _, at in own.iterrows():
                row[f"n = {at['n']:,}"] = interval(at)
            if method != OURS:
                for _, at in own.iterrows():
                    row[f"minus HCL, n = {at['n']:,}"] = interval(at, "difference_", sign=True)
            rows.append(row)
        heading = f"Error of the loadings, {_setting(group.iloc[0])}"
        found.append(Section(heading, pd.DataFrame(rows).fillna(""), RECOVERY_NOTE))
    return found


def recovery_told(summary: pd.DataFrame, slopes: pd.DataFrame) -> list[str]:
    """Sentences on recovery: methods compared with HCL, gain of shrinkage and refinement, rate in n."""

    def named(row: pd.Series) -> str:
        return f"{_setting(row)}, n = {row['n']:,}"

    sentences = _compared(summary, [*SETTING, "n"], named, "error")
    for method in (OURS, "HCL, not shrunk"):
        own = slopes[slopes["method"] == method]
        listed = ", ".join(f"{r['mean']:.2f} ({_setting(r)})" for _, r in own.iterrows())
        sentences.append(f"Slope of log error on log n, {method}: {listed}.")
    return sentences


def _compared(
    summary: pd.DataFrame, settings: list[str], named: Callable[[pd.Series], str], what: str
) -> list[str]:
    """Count the settings in which a method is worse or better than HCL, by intervals that exclude 0."""
    count = summary.groupby(settings, sort=False).ngroups
    sentences = []
    for method in summary["method"].unique():
        rows = summary[summary["method"] == method]
        better = rows[rows["difference_upper"] < 0]
        worse = int((rows["difference_lower"] > 0).sum())
        listed = "; ".join(named(r) for _, r in better.iterrows())
        if method != OURS:
            sentences.append(
                f"{method} has a larger {what} than {OURS} in {worse} of {count} settings and a smaller one "
                f"in {len(better)}{f' ({listed})' if listed else ''}."
            )
    return sentences


def _setting(row: pd.Series) -> str:
    return f"{row['sizes']} features, noise {row['noise']:g}"


def summarise_labels(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean excess risk, interval, difference from HCL, and block measures; one row per n, m, method."""
    key = ["n", "m", "method"]
    blocks = runs.groupby(key, sort=False)[["group_error", "kept", "dropped"]].mean()
    return over_replicates(runs, OURS, score="excess", within=["n", "m"]).join(blocks, on=key)


def label_sections(summary: pd.DataFrame) -> list[Section]:
    """Sections on prediction, one per numbers of patients."""
    found = []
    for (n, m), group in summary.groupby(["n", "m"], sort=False):
        table = pd.DataFrame({"method": group["method"]})
        table["excess risk (95 %)"] = group.apply(interval, axis=1, digits=3)
        table[f"minus {OURS}"] = group.apply(
            interval, axis=1, prefix="difference_", sign=True, digits=3
        )
        for label, name in (
            ("group error", "group_error"),
            ("kept", "kept"),
            ("dropped", "dropped"),
        ):
            table[label] = group[name].map(lambda v: "" if pd.isna(v) else f"{v:.2f}")
        heading = f"Prediction: {n:,} patients without, {m:,} with a label"
        found.append(Section(heading, table, LABEL_NOTE))
    return found


def label_told(summary: pd.DataFrame) -> list[str]:
    """Sentences on prediction: settings in which each method is worse or better than HCL."""

    def named(row: pd.Series) -> str:
        return f"n = {row['n']:,}, m = {row['m']:,}"

    return _compared(summary, ["n", "m"], named, "excess risk")


def recovery_figure(summary: pd.DataFrame) -> tuple[Figure, Picture]:
    """Block error against the number of patients."""
    panels = {_setting(rows.iloc[0]): rows for _, rows in summary.groupby(SETTING, sort=False)}
    caption = (
        "Mean block error against the number of patients, 95 % bands over replicates; dotted: the rate "
        "n^-1/2 of the theory. Above 'nothing' a method is worse than not to fit."
    )
    methods = ", ".join(m for m in summary["method"].unique() if m != NOTHING)
    alternative = f"{len(panels)} panels of error against patients, one line each for {methods}."
    picture = Picture("recovery", caption, alternative)
    return error_curves(panels, ylabel="mean block error", xlabel="patients", root=True), picture


def label_figures(summary: pd.DataFrame) -> list[tuple[Figure, Picture]]:
    """Excess risk against the number of patients that varies; no figure if neither number varies."""
    panels = {}
    for axis, other in (("m", "n"), ("n", "m")):
        for fixed, rows in summary.groupby(other, sort=False):
            if rows[axis].nunique() > 1:
                what = (
                    ("without a label", "with one") if axis == "m" else ("with a label", "without")
                )
                title = f"{fixed:,} patients {what[0]}, varying {what[1]}"
                panels[title] = rows.assign(n=rows[axis])
    if not panels:
        return []
    caption = "Excess risk of predictions for fresh patients, 95 % bands over replicates."
    alternative = f"Excess risk with intervals, one line per method: {'; '.join(panels)}."
    picture = Picture("prediction", caption, alternative)
    return [(error_curves(panels, ylabel="excess risk", xlabel="patients"), picture)]


def map_figure(loadings: Mapping[str, np.ndarray], structure: Structure, title: str):
    """True and estimated loadings of one replicate."""
    caption = (
        f"Loadings of one replicate ({title}), the truth on the left; estimates are turned towards it "
        "inside each block, which is as much as can be known. Columns: the latent variables of each block."
    )
    picture = Picture("loadings", caption, f"Maps of loadings: {', '.join(loadings)}.")
    return loading_maps(loadings, structure), picture


def importance_figure(runs: pd.DataFrame, structure: Structure) -> tuple[Figure, Picture]:
    """Coefficient norms per block and true norms, with the most patients without a label."""
    most = runs[runs["n"] == runs["n"].max()]
    most = most[(most["m"] == most["m"].max()) & most["norm_0"].notna()]
    names = ["+".join(s) for s in structure.blocks]
    columns = [f"norm_{k}" for k in range(len(names))]
    series = {
        str(method): pd.DataFrame({
            "mean": own[columns].mean().to_numpy(),
            "lower": own[columns].quantile(0.025).to_numpy(),
            "upper": own[columns].quantile(0.975).to_numpy(),
        })
        for method, own in most.groupby("method", sort=False)
    }  # fmt: skip
    n, m = most["n"].iloc[0], most["m"].iloc[0]
    caption = (
        f"Importance of each structure for the label: the norm of its coefficients ({n:,} patients without "
        f"and {m:,} with a label), mean over replicates and what holds 95 % of them; bars: the truth."
    )
    figure = importance_bars(
        names, series, xlabel="norm of the coefficients", truth=true_norms(structure).tolist()
    )
    alternative = f"Norms with intervals, one row per structure: {', '.join(names)}."
    return figure, Picture("importance", caption, alternative)
