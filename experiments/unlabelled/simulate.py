"""Simulated patients of a few molecular subtypes that differ in risk."""

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort, Simulation
from jaxsurv.types import InputError


def simulate_subtypes(
    seed: int = 0,
    n: int = 400,
    *,
    n_genes: int = 50,
    subtypes: int = 4,
    separation: float = 16.0,
    signal: float = 1.0,
    event_rate: float = 0.3,
) -> Simulation:
    """Simulate one modality, ``rna`` on a log scale, whose patients form clusters of equal risk.

    Each subtype has a centre; around it the genes vary independently with standard deviation 1. The log
    hazard is the same for all patients of a subtype, and evenly spaced over the subtypes with
    standard deviation ``signal``. Times are exponential, censoring is independent. Neighbours
    have the same risk, as semi-supervised learning assumes.

    Args:
        seed: seed of NumPy's generator.
        n: number of patients.
        n_genes: number of genes.
        subtypes: number of subtypes, at least 2.
        separation: typical distance between two centres; two patients of one subtype have a typical
            distance of sqrt(2 n_genes).
        signal: standard deviation of the log hazard over the subtypes.
        event_rate: share of patients with an event.

    Raises:
        InputError: a size or share out of range.

    >>> simulate_subtypes(n=100).cohort.modalities["rna"].shape
    (100, 50)
    """
    if n < 10 or n_genes < 1 or subtypes < 2 or not 0 < event_rate < 1:
        raise InputError(
            "needs n >= 10, n_genes >= 1, subtypes >= 2 and event_rate in (0, 1), got "
            f"{n}, {n_genes}, {subtypes} and {event_rate}"
        )
    rng = np.random.default_rng(seed)
    patients = pd.Index([f"SIM{i:05d}" for i in range(n)], name="patient")
    centre = separation / np.sqrt(2 * n_genes) * rng.standard_normal((subtypes, n_genes))
    subtype = rng.integers(0, subtypes, n)
    level = np.linspace(-1, 1, subtypes)
    log_hazard = signal * rng.permutation(level / level.std())[subtype]
    life = rng.exponential(np.exp(-log_hazard))
    follow_up = rng.uniform(0.3, 1.0, n)
    follow_up *= np.quantile(life / follow_up, event_rate)
    genes = pd.Index([f"GENE{i:04d}" for i in range(n_genes)])
    rna = centre[subtype] + rng.standard_normal((n, n_genes))
    outcome = {"os_time": np.minimum(life, follow_up), "os_event": (life <= follow_up).astype(int)}
    cohort = Cohort(
        {"rna": pd.DataFrame(rna, patients, genes)},
        pd.DataFrame(outcome, patients),
        kinds={"rna": "continuous"},
        name=f"subtypes_{seed}",
        title=f"Simulated patients of {subtypes} subtypes (seed {seed})",
        source="experiments.unlabelled.simulate",
    )
    membership = pd.DataFrame({"subtype": subtype}, patients)
    return Simulation(cohort, pd.Series(log_hazard, patients, name="log_hazard"), membership)
