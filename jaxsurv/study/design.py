"""Which cohort, which patients are tested when: the options of a study made concrete."""

import numpy as np

from jaxsurv.data import (
    Cohort,
    Splits,
    load_tcga_acc,
    read_cohort,
    simulate_cohort,
    single_split,
    stratified_kfold,
)
from jaxsurv.study.options import StudyOptions
from jaxsurv.types import InputError


def load_cohort(name: str) -> Cohort:
    """The bundled cohort, the simulated one, or a folder."""
    if name == "tcga_acc":
        return load_tcga_acc()
    if name == "simulated":
        return simulate_cohort().cohort
    return read_cohort(name)


def make_splits(cohort: Cohort, endpoint: str, options: StudyOptions) -> Splits:
    """Masks over the patients labelled for ``endpoint``."""
    if options.seeds < 1:
        raise InputError(f"seeds must be at least 1, got {options.seeds}")
    labelled = cohort.for_endpoint(endpoint)
    event = labelled.outcome(endpoint).event
    eligible = labelled.complete if options.complete_only else np.ones(len(event), bool)
    if options.protocol == "single-split":
        return single_split(
            event, eligible, n_validation=min(127, max(1, int(eligible.sum()) // 8))
        )
    return stratified_kfold(
        event,
        folds=options.folds,
        repeats=options.repeats,
        eligible=eligible,
        validation_fraction=0.2 if options.protocol == "three-way" else None,
    )
