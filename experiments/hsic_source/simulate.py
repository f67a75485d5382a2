"""Cohorts of one disease on three platforms."""

from dataclasses import replace

import numpy as np

from jaxsurv.data import Cohort, simulate_cohort


def simulated() -> list[Cohort]:
    """Thirds of the simulated cohort, in each of which every gene is measured with a gain of its own."""
    whole = simulate_cohort(n=450, n_genes=60, n_cnv=20).cohort
    rng, cohorts = np.random.default_rng(0), []
    for k, name in enumerate("ABC"):
        part = whole.take(np.arange(len(whole.survival)) % 3 == k).renamed(f"simulated {name}")
        rna = part.modalities["rna"]
        rna = (rna * rng.lognormal(0, 0.5, rna.shape[1])).round()
        cohorts.append(replace(part, modalities={**part.modalities, "rna": rna}))
    return cohorts
