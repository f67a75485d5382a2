"""Cohorts of one disease on three platforms."""

from dataclasses import replace

import numpy as np

from jaxsurv.cli.cohorts import simulated_thirds
from jaxsurv.data import Cohort


def simulated() -> list[Cohort]:
    """Thirds of the simulated cohort, in each of which every gene is measured with a gain of its own."""
    rng, cohorts = np.random.default_rng(0), []
    for part in simulated_thirds():
        rna = part.modalities["rna"]
        rna = (rna * rng.lognormal(0, 0.5, rna.shape[1])).round()
        cohorts.append(replace(part, modalities={**part.modalities, "rna": rna}))
    return cohorts
