"""Small cohorts: one with a signal in two modalities, one with all kinds of tables and gaps; and noise."""

from dataclasses import replace

import jax
import numpy as np
import pandas as pd

from jaxsurv.data import Cohort, stratified_kfold
from jaxsurv.models import CLINICAL


def small_cohort(seed=0, n=80):
    rng = np.random.default_rng(seed)
    patients = [f"p{i}" for i in range(n)]
    clinical = pd.DataFrame(
        {"age": rng.normal(60, 10, n), "stage": rng.integers(1, 4, n)}, patients
    )
    rna = pd.DataFrame(rng.normal(size=(n, 12)), patients, [f"g{j}" for j in range(12)])
    risk = 0.08 * clinical["age"] + 1.0 * rna["g0"]
    time = rng.exponential(np.exp(-(risk - risk.mean()))).round(3) + 0.001
    censoring = rng.exponential(1.5, n)
    survival = pd.DataFrame(
        {"os_time": np.minimum(time, censoring), "os_event": (time <= censoring) * 1}
    )
    return Cohort({"rna": rna, CLINICAL: clinical}, survival.set_axis(patients))


def mixed_cohort():
    """Genes (counts), copy numbers, mutations, a clinical table and laboratory values; two incomplete.

    Two laboratory values are 0 or 1, one of them hardly ever, and nothing declares them to be. Two
    clinical columns are text, one of them with gaps.
    """
    rng = np.random.default_rng(0)
    patients = [f"p{i}" for i in range(90)]
    n = len(patients)
    factor = rng.normal(size=(n, 2))
    genes = factor @ rng.normal(size=(2, 12)) + rng.normal(size=(n, 12))
    states = np.digitize(
        factor @ rng.normal(size=(2, 12)) + rng.normal(size=(n, 12)), [-3, -1, 1, 3]
    )
    tables = {
        "rna": np.round(np.exp(4 + 0.5 * genes)),
        "cnv": states - 2,
        "mutation": rng.random((n, 12)) < 0.3,
        CLINICAL: rng.normal(60, 10, (n, 2)),
    }
    tables = {
        m: pd.DataFrame(t * 1.0, patients, [f"{m}_{j}" for j in range(t.shape[1])])
        for m, t in tables.items()
    }
    tables["rna"] = tables["rna"][rng.random(n) < 0.7]
    tables["cnv"] = tables["cnv"][rng.random(n) < 0.8]
    tables[CLINICAL].iloc[::7, 0] = np.nan
    tables["lab"] = tables["mutation"].add_prefix("lab_").mul(1.0) + rng.normal(size=(n, 12))
    tables["lab"]["common"], tables["lab"]["rare"] = genes[:, 1] > 0.3, np.arange(n) % 30 == 7
    tables["lab"] *= 1.0
    tables["lab"].loc[patients[::8], "common"] = np.nan
    time = rng.exponential(np.exp(-genes[:, 0] - factor[:, 0]))
    event = rng.random(n) < 0.7
    grade = np.array(["low", "middle", "high"])[np.digitize(factor[:, 0], [-0.5, 0.5])]
    tables[CLINICAL]["grade"] = pd.Series(grade, patients).where(np.arange(n) % 4 != 2)
    tables[CLINICAL]["centre"] = rng.choice(["north", "south"], n)
    survival = pd.DataFrame({"os_time": time, "os_event": event * 1}, patients)
    kinds = {"rna": "counts", "cnv": "five_state", "mutation": "binary"}
    return Cohort(tables, survival, kinds)


def spoilt(original, rows):
    """Other values and outcomes for these rows; who has which modality stays as it is."""
    rng = np.random.default_rng(1)
    patients = original.survival.index[rows]
    tables = {}
    for m, table in original.modalities.items():
        table = table.copy()
        mine = table.index.intersection(patients)
        for column in table.columns:
            known = table.loc[mine, column].notna()
            if table[column].dtype == object:
                noise = rng.choice(table[column].dropna().unique(), len(mine))
            elif original.kinds[m] in ("five_state", "binary"):
                low, high = table[column].min(), table[column].max()
                noise = rng.integers(low, high + 1, len(mine)) * 1.0
            else:
                noise = rng.uniform(table[column].min(), 10 * table[column].max(), len(mine))
                noise = np.round(noise) if m == "rna" else noise
            table.loc[mine, column] = pd.Series(noise, mine).where(known)
        tables[m] = table
    survival = original.survival.copy()
    survival.loc[patients, "os_time"] = rng.uniform(0.01, 5, len(patients))
    survival.loc[patients, "os_event"] = rng.integers(0, 2, len(patients))
    return replace(original, modalities=tables, survival=survival)


def splits_of(cohort, **options):
    return stratified_kfold(cohort.outcome("os").event, **options)


def split_of(data, s=0):
    """What was fitted on split s."""
    return jax.tree.map(lambda x: np.asarray(x)[s], data.fitted)
