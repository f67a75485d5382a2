"""Table of docs/differences.md: results of jaxsurv and of other packages on public data.

    python -m benchmarks.differences

A few seconds. Data and R's numbers come from tests/reference.
"""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from jaxsurv.metrics import (
    brier_score,
    concordance_index,
    concordance_index_ipcw,
    cumulative_dynamic_auc,
)
from jaxsurv.survival import (
    breslow_baseline,
    cox_fit,
    kaplan_meier,
    neg_log_partial_likelihood,
)

Row = tuple[str, str, float, str, float]
FOLDER = Path(__file__).parents[1] / "tests" / "reference"


def load(name: str, file: str = "metrics.json") -> tuple[pd.DataFrame, Any, Any, Any]:
    """Load a table, R's numbers, event, time."""
    table = pd.read_csv(FOLDER / name / "data.csv.gz")
    event, time = table["event"].to_numpy(bool), table.filter(["time", "stop"]).to_numpy(float)
    return table, json.loads((FOLDER / name / file).read_text()), event, time[:, 0]


def censoring() -> Iterator[Row]:
    """Rows on censoring: G(t-) or G(t), tau, patients censored at tau, pairs tied in time."""
    from sksurv import metrics as theirs
    from sksurv.util import Surv

    def uno(event: Any, time: Any, risk: Any, tau: float) -> tuple[float, float]:
        outcome = Surv.from_arrays(event, time)
        ours = concordance_index_ipcw(
            risk, event, time, train_event=event, train_time=time, tau=tau
        )
        return float(ours.index), theirs.concordance_index_ipcw(outcome, outcome, risk, tau)[0]

    for name in ("aml", "lung", "veteran"):
        table, numbers, event, time = load(name)
        risk, expected = table["risk_fixed"].to_numpy(), numbers["prediction_error"]
        ours, other = uno(event, time, risk, time[~event].max() - 0.5)  # no one leaves at tau
        yield "G at a tied censoring: Uno's C", name, ours, "scikit-survival", other

        times, curves = np.array(expected["times"], float), expected["survival_columns"]
        curves, outcome = table[curves].to_numpy(), Surv.from_arrays(event, time)
        train = {"train_event": event, "train_time": time}
        score = brier_score(curves, times, event, time, **train)
        untied = ~np.isin(times, time[~event])
        other = theirs.brier_score(outcome, outcome, curves, times)[1]
        k = np.argmax(np.abs(other / score - 1) * untied)
        what = f"{name}, t = {times[k]:g}"
        yield "G at a tied censoring: Brier", what, float(score[k]), "scikit-survival", other[k]
        if not untied.all():
            dropped = np.array(expected["survival_brier"]["brier_ties_false"])
            k = np.argmax(np.abs(dropped / score - 1) * ~untied)
            what = f"{name}, t = {times[k]:g}"
            yield "censored at tau: Brier", what, float(score[k]), "R, ties = FALSE", dropped[k]
            yield "censored at tau: Brier", what, float(score[k]), "scikit-survival", other[k]
        auc = cumulative_dynamic_auc(risk, times, event, time, **train).auc
        other = theirs.cumulative_dynamic_auc(outcome, outcome, risk, times)[0]
        k = np.argmax(np.abs(other / auc - 1) * untied)
        what = f"{name}, t = {times[k]:g}"
        yield "G at a tied censoring: AUC", what, float(auc[k]), "scikit-survival", other[k]

    table, _, event, time = load("ovarian")  # no tied times
    tau = np.sort(time[event])[-1]
    ours, other = uno(event, time, table["risk_fixed"].to_numpy(), tau)
    yield "an event at tau: Uno's C", f"ovarian, tau = {tau:g}", ours, "scikit-survival", other

    table, _, event, time = load("lung")
    ours = concordance_index(table["risk_fixed"].to_numpy(), event, time)
    other = theirs.concordance_index_censored(event, time, table["risk_fixed"])
    yield "pairs tied in time", "lung", float(ours.tied_time), "scikit-survival", other[4]
    yield "Harrell's C all the same", "lung", float(ours.index), "scikit-survival", other[0]


def losses() -> Iterator[Row]:
    """Rows on the Cox loss: the mean, the underflow."""
    import torch
    from torchsurv.loss.cox import neg_partial_log_likelihood

    def theirs(e: Any, event: Any, time: Any, **options: Any) -> float:
        tensors = (torch.from_numpy(np.ascontiguousarray(a)) for a in (e, event, time))
        return float(neg_partial_log_likelihood(*tensors, ties_method="efron", **options))

    for name in ("lung", "rats", "veteran"):
        table, numbers, event, time = load(name, "cox.json")
        fit = numbers["efron"]["fit"]["beta"]
        e = table[numbers["efron"]["covariates"]].to_numpy() @ fit
        ours = float(neg_log_partial_likelihood(e, event, time))
        yield "mean Cox loss", name, ours, "torchsurv", theirs(e, event, time)
    for reduction in ("sum", "mean"):
        table, _, event, time = load("lung", "cox.json")
        e = (300 - 600 * time / time.max()).astype(np.float32)
        ours = neg_log_partial_likelihood(e, event, time, reduction=reduction)
        other = theirs(e, event, time.astype(np.float32), reduction=reduction)
        yield (
            f"{reduction} loss, float32, scores +300 to -300",
            "lung",
            float(ours),
            "torchsurv",
            other,
        )


def linear() -> Iterator[Row]:
    """Rows on linear Cox models: ridge penalties, baselines, intervals."""
    from lifelines import CoxPHFitter, KaplanMeierFitter
    from sksurv.linear_model import CoxPHSurvivalAnalysis
    from sksurv.util import Surv

    table, numbers, event, time = load("lung", "cox.json")
    case = numbers["efron"]
    x = table[case["covariates"]].astype(float)
    with jax.enable_x64(True):
        frame = x.assign(time=time, event=event)
        lifelines = CoxPHFitter(baseline_estimation_method="breslow").fit(frame, "time", "event")
        last = time[event].max()
        at_x0 = breslow_baseline(x.to_numpy() @ case["fit"]["beta"], event, time)(last)
        centre = np.exp(-x.mean().to_numpy() @ lifelines.params_.to_numpy())
        other = lifelines.baseline_cumulative_hazard_.loc[last].item() * centre
        yield "baseline after an Efron fit", f"lung, t = {last:g}", float(at_x0), "lifelines", other
        sksurv = CoxPHSurvivalAnalysis(ties="efron").fit(x, Surv.from_arrays(event, time))
        other = sksurv.cum_baseline_hazard_(last)
        yield (
            "baseline after an Efron fit",
            f"lung, t = {last:g}",
            float(at_x0),
            "scikit-survival",
            other,
        )

        l2, n = 20.0, len(x)
        ours = cox_fit(x, event, time, l2=l2).coef[1]
        sksurv = CoxPHSurvivalAnalysis(alpha=l2, ties="efron").fit(x, Surv.from_arrays(event, time))
        yield (
            "ridge l2 = 20: coefficient of sex",
            "lung",
            float(ours),
            "scikit-survival, alpha = 20",
            sksurv.coef_[1],
        )
        for penalty, name in ((l2, "20"), (l2 / n, "20 / n")):
            lifelines = CoxPHFitter(penalizer=penalty).fit(frame, "time", "event")
            other = lifelines.params_["female"]
            yield (
                "ridge l2 = 20: coefficient of sex",
                "lung",
                float(ours),
                f"lifelines, penalizer = {name}",
                other,
            )
        standard = cox_fit(x / x.std(ddof=1), event, time, l2=l2).coef[1] / x["female"].std(ddof=1)
        yield (
            "the same on standardised columns",
            "lung",
            float(standard),
            "lifelines, penalizer = 20 / n",
            other,
        )

    curve = kaplan_meier(event, time)
    k = np.searchsorted(curve.times, 700, side="right") - 1
    lower = KaplanMeierFitter().fit(time, event).confidence_interval_
    other = lower.iloc[:, 0].loc[:700].iloc[-1]
    yield "lower limit of S(700)", "lung", float(curve.lower[k]), "lifelines", other
    other = float(kaplan_meier(event, time, conf_type="log").lower[k])
    yield (
        "lower limit of S(700)",
        "lung",
        float(curve.lower[k]),
        "R's default, conf.type = log",
        other,
    )


def main() -> None:
    warnings.simplefilter("ignore")
    print("| question | data | jaxsurv | other package | its answer | relative difference |")
    print("| --- " * 6 + "|")
    for part in (censoring, losses, linear):
        for question, data, ours, who, other in part():
            size = f"{abs(other - ours) / abs(ours):.1e}"
            print(f"| {question} | {data} | {ours:.6g} | {who} | {other:.6g} | {size} |")


if __name__ == "__main__":
    main()
