"""From cohort and split to scores: every model fitted once, calibrated, and judged once."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.artifacts.results import sha256
from jaxsurv.cli.cohorts import load_cohort
from jaxsurv.cli.setup import refuse_entry
from jaxsurv.cli.terminal import progress
from jaxsurv.data import read_splits, stratified_kfold
from jaxsurv.data.tables import few, is_numeric
from jaxsurv.metrics import calibration_slope
from jaxsurv.models import CLINICAL
from jaxsurv.types import InputError

from .judge import score, test_part
from .models import Data, Row
from .over_time import Curves, curves_over_time

MEAN = "mean of all models"
OVER_TIME = ", over time"


def open_data(
    name: str, split: Path | None, endpoint: str | None, by: str | None
) -> tuple[Data, np.ndarray]:
    """The labelled patients with their parts, and the test part ``[n]``.

    Raises:
        InputError: see :func:`jaxsurv.data.read_splits`; several splits; delayed entry; a
            ``by`` that is no text column of the clinical table, or that patients lack.
    """
    cohort = load_cohort(name)
    endpoint = endpoint or cohort.endpoints[0]
    refuse_entry(cohort, endpoint)
    if split is None:
        event = cohort.for_endpoint(endpoint).outcome(endpoint).event
        splits = stratified_kfold(event, folds=5)
    else:
        splits = read_splits(split, cohort, endpoint)
        if len(splits.fold) > 1:
            raise InputError(
                f"{split} has {len(splits.fold)} splits; a leaderboard is judged on one test part"
            )
    cohort = cohort.for_endpoint(endpoint)
    if by is not None:
        clinical = cohort.modalities.get(CLINICAL, pd.DataFrame())
        text = [c for c in clinical.columns if not is_numeric(clinical[c])]
        if by not in text:
            raise InputError(
                f"--by {by!r} is no text column of 'clinical', which has {few(text, 20)}"
            )
        if len(absent := cohort.survival.index.difference(clinical[by].dropna().index)):
            raise InputError(
                f"--by {by!r}: {len(absent)} patients have none: {few(absent)}; fill them in"
            )
    validation = splits.validation[0, 0]
    data = Data(cohort, endpoint, by, splits.develop[0] & ~validation, validation)
    return data, splits.test[0]


def fit_all(
    rows: Mapping[str, Row], data: Data, folder: ResultsFolder, console: Console
) -> pd.DataFrame:
    """Log hazards of all patients, a column per model; those that a resumed run has are not fitted again."""
    patients, risks = data.cohort.survival.index, {}
    with progress(console) as bars:
        task = bars.add_task("fitting", total=len(rows))
        for number, (name, row) in enumerate(rows.items()):
            bars.update(task, description=f"fitting {name}")
            file = f"risks/{number}.csv.gz"
            path = folder.path / file
            if not (path.exists() and folder.files.get(file) == sha256(path)):
                fitted = row(data)
                if fitted.estimator is not None:
                    folder.write(f"models/{number}.zip", fitted.estimator.save)
                columns = {"patient": patients, name: fitted.log_hazard}
                folder.table(file, pd.DataFrame(columns))
                folder.list_files()
            risks[name] = pd.read_csv(path, index_col="patient", dtype={"patient": str})[name]
            bars.advance(task)
    return pd.DataFrame(risks).loc[patients]


class Board(NamedTuple):
    """Attributes:
    validation, test: a row per model: ``model``, and scores with intervals.
    headline: model of the highest C on the validation part.
    horizon: time at which hazards are compared for C.
    prior: events that the prior of each column's hazard ratios is worth, for the headline's log hazard.
    """

    validation: pd.DataFrame
    test: pd.DataFrame
    headline: str
    horizon: float
    prior: dict[str, float]


def board(risks: pd.DataFrame, data: Data, test: np.ndarray, *, samples: int) -> Board:
    """Judge every model, with proportional hazards and with categories that act over time.

    Args:
        risks: log hazards of all patients, a column per model.
        data: patients and parts.
        test: ``[n]`` booleans.
        samples: bootstrap samples.
    """
    outcome = data.cohort.outcome(data.endpoint)
    event, time = np.asarray(outcome.event, float), np.asarray(outcome.time, float)
    develop = data.train | data.validation
    horizon = float(np.median(time[develop & (event > 0)]))
    strata = groups = None
    if data.by is not None:
        strata = data.cohort.modalities[CLINICAL][data.by].loc[risks.index].to_numpy(str)
        groups = _categories(data)
    calibrated = {}
    for name, risk in risks.items():
        risk = risk.to_numpy(float)
        slope = calibration_slope(
            risk[data.validation], event[data.validation], time[data.validation]
        )
        calibrated[name] = max(float(slope.slope), 0.0) * (risk - risk[develop].mean())
    if len(calibrated) > 1:
        calibrated[MEAN] = np.mean(list(calibrated.values()), axis=0)
    tables, priors = {}, {}
    for part, rows, fitted in (
        ("validation", data.validation, data.train),
        ("test", test, develop),
    ):
        own = None if strata is None else strata[rows]
        judged, made = test_part(event[rows], time[rows], own, samples), []
        for name, eta in calibrated.items():
            kinds = {"": {}, **({OVER_TIME: groups} if groups else {})}
            for kind, categories in kinds.items():
                curves = curves_over_time(eta, event, time, fitted, categories)
                priors[f"{name}{kind}"] = curves.prior
                curves = Curves(curves.times, curves.cumulative[rows], curves.prior)
                risk = curves.hazard(np.array([horizon]))[:, 0]
                made.append({"model": f"{name}{kind}", **score(curves, risk, judged)})
        tables[part] = pd.DataFrame(made)
    headline = str(tables["validation"].set_index("model")["c"].idxmax())
    return Board(tables["validation"], tables["test"], headline, horizon, priors[headline])


def _categories(data: Data) -> dict[str, np.ndarray]:
    """Codes of each text column of the clinical table, that of the groups first; missing is a category."""
    table = data.cohort.modalities[CLINICAL].loc[data.cohort.survival.index]
    text = sorted((c for c in table if not is_numeric(table[c])), key=lambda c: c != data.by)
    return {c: pd.factorize(table[c].fillna(""))[0] for c in text}
