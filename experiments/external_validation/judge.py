"""Models frozen on one cohort and judged on others: discrimination, calibration, prediction error."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from jaxsurv.artifacts import Chunks
from jaxsurv.cli.workplace import Workplace
from jaxsurv.data import Joined, Splits, stratified_kfold
from jaxsurv.metrics import (
    calibration_slope,
    concordance_index,
    hazard_ratio,
    integrated_brier_score,
    observed_expected,
)
from jaxsurv.models import HParams, SurvivalVAEConfig, survival_vae
from jaxsurv.recipe.cox import (
    CrossFitted,
    clinical_cox,
    elastic_net_cox,
    ridge_cox,
    with_offset,
)
from jaxsurv.recipe.prepare import StudyData, prepare_study, refine
from jaxsurv.recipe.stack import ensemble, stack, stack_members
from jaxsurv.study.execute import Method, train
from jaxsurv.study.findings import choose_per_split
from jaxsurv.survival import breslow_baseline, kaplan_meier, survival_function
from jaxsurv.survival._kaplan_meier import Z95
from jaxsurv.training import FitConfig, choose_plan
from jaxsurv.types import InputError


def external_split(event: np.ndarray, train: np.ndarray, parts: int) -> Splits:
    """One split: all rows of the training cohort train, all others are tested.

    Args:
        event: ``[n]``, of all rows.
        train: ``[n]`` booleans.
        parts: into which the training rows are dealt, see :class:`jaxsurv.data.Splits`.
    """
    dealt = stratified_kfold(event, folds=parts, eligible=train, validation_fraction=None)
    validation = dealt.test[None]
    zero = np.zeros(1, int)
    return Splits(train & ~validation, validation, ~train[None], zero, zero, "three-way")


def frozen_models(
    joined: Joined,
    endpoint: str,
    *,
    betas: Sequence[float],
    seeds: int,
    parts: int,
    components: int | None,
    epochs: int,
    workplace: Workplace,
) -> tuple[StudyData, dict[str, CrossFitted]]:
    """All that is fitted to the training cohort, and its predictions for everybody.

    Returns:
        the data, and name to model: Cox models, MO-RiskVAE at the beta of least early-stopping loss,
        averaged over seeds, and their stack.
    """
    outcome, first = joined.cohort.outcome(endpoint), joined.origin == joined.origin[0]
    split = external_split(np.asarray(outcome.event, bool), first, parts)
    with workplace.console.status("fitting Cox models to the training cohort"):
        plain = prepare_study(joined.cohort, endpoint, split)
        models: dict[str, CrossFitted] = {"ridge Cox": ridge_cox(plain)}
        if clinical := clinical_cox(plain):
            models["clinical Cox"] = clinical
        models["elastic-net Cox"] = elastic_net_cox(plain)
        members: Mapping[str, CrossFitted] = stack_members(plain)
        models["stacked Cox"] = stack(plain, members)
        data = refine(plain, components=components)
        data = with_offset(data, clinical) if clinical else data
    config = SurvivalVAEConfig(head_reads_clinical=clinical is None)
    settings = {f"β = {b:g}": HParams(beta=b) for b in betas}
    method = Method("MO-RiskVAE", survival_vae(config), settings, data, FitConfig(epochs))
    with workplace.console.status(f"training {seeds * len(settings)} networks"):
        plan = workplace.plan or choose_plan(seeds * len(settings))
        store = Chunks(workplace.folder, method.name)
        trained = train(
            method, seeds=range(seeds), plan=plan, report=lambda rows: None, store=store
        )
    rows, arrays = trained.rows, trained.arrays
    runs = np.flatnonzero(choose_per_split(rows))
    network = ensemble(data, arrays.split[runs], arrays.prediction[runs], arrays.seed[runs])
    models[f"MO-RiskVAE, {rows['setting'][runs[0]]}"] = network
    models["MO-RiskVAE, stacked"] = stack(data, {**members, "MO-RiskVAE": network})
    return data, models


def judge(data: StudyData, model: CrossFitted, origin: np.ndarray) -> pd.DataFrame:
    """One row per external cohort: how good the frozen model is there.

    C is raw, never ``max(c, 1 - c)``. The baseline hazard, and the threshold of the hazard ratio, come
    from the training rows by their cross-fitted log hazards: fitted ones would be too sure of
    themselves. Observed over expected events are counted up to the end of the training cohort's
    follow-up, beyond which its hazard is not known. Brier scores are integrated up to the time by which
    nine tenths of the cohort's events have happened, or the last of the training cohort, and weighted by
    the cohort's own censoring; ``ibs_null`` is that of the training cohort's Kaplan-Meier curve for
    everybody.

    Args:
        data: with the split of `external_split`.
        model: on that split.
        origin: ``[n]``, the cohort of each row; the training cohort's comes first.
    """
    event, time = np.asarray(data.shared.event), np.asarray(data.shared.time)
    train = data.design.develop[0] & np.isfinite(np.asarray(model.held_out)[0])
    eta = np.where(data.design.test[0], model.log_hazard[0], model.held_out[0]).astype(float)
    if np.ptp(eta[train]) == 0:
        raise InputError("the model predicts one risk for everybody")
    baseline = breslow_baseline(eta[train], event[train], time[train])
    null = kaplan_meier(event[train], time[train])
    threshold = float(np.median(eta[train]))
    end = time[train].max()
    table = []
    for name in dict.fromkeys(origin[~data.design.develop[0]]):
        rows = origin == name
        e, t, risk = event[rows], time[rows], eta[rows]
        c = concordance_index(risk, e, t)
        slope = calibration_slope(risk, e, t)
        hazard = np.asarray(baseline(np.minimum(t, end))) * np.exp(risk)
        ratio = observed_expected(hazard, np.where(t > end, 0, e))
        last = min(np.quantile(t[e > 0], 0.9), time[train & (event > 0)].max())
        times = np.linspace(np.quantile(t[e > 0], 0.1), last, 50)
        ours = survival_function(baseline, risk, times)
        follow_up = {"train_event": e, "train_time": t}  # for the censoring curve
        everybody = np.tile(np.asarray(null(times)), (len(t), 1))
        row = {
            "cohort": name,
            "patients": len(t),
            "events": int(e.sum()),
            "c": float(c.index),
            "c_lower": float(c.index - Z95 * c.standard_error),
            "c_upper": float(c.index + Z95 * c.standard_error),
            "slope": float(slope.slope),
            "slope_lower": float(slope.slope - Z95 * slope.standard_error),
            "slope_upper": float(slope.slope + Z95 * slope.standard_error),
            "observed_expected": float(ratio.ratio),
            "observed_expected_lower": float(ratio.lower),
            "observed_expected_upper": float(ratio.upper),
            "ibs": float(integrated_brier_score(ours, times, e, t, **follow_up)),
            "ibs_null": float(integrated_brier_score(everybody, times, e, t, **follow_up)),
        }
        high = risk > threshold
        if high.any() and not high.all():
            hr = hazard_ratio(risk, e, t, split=threshold)
            row |= {
                "hazard_ratio": float(hr.hazard_ratio),
                "hazard_ratio_lower": float(hr.lower),
                "hazard_ratio_upper": float(hr.upper),
                "p_value": float(hr.p_value),
            }
        table.append({**row, "threshold": threshold, "high": int(high.sum())})
    return pd.DataFrame(table)
