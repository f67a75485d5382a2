"""Cohort and train/validation/test splits of a study, built from its options."""

from collections.abc import Sequence

import numpy as np

from jaxsurv.cli.options import StudyOptions
from jaxsurv.data import (
    Cohort,
    Splits,
    load_tcga_acc,
    read_cohort,
    read_splits,
    simulate_cohort,
    single_split,
    stratified_kfold,
)
from jaxsurv.data.competing import ask_for_cause
from jaxsurv.types import InputError


def load_cohort(name: str, *, semi_supervised: bool = False) -> Cohort:
    """The bundled cohort, the simulated one, or a folder."""
    if name == "tcga_acc":
        return load_tcga_acc()
    if name == "simulated":
        return simulate_cohort().cohort
    return read_cohort(name, semi_supervised=semi_supervised)


def simulated_thirds() -> list[Cohort]:
    """Three cohorts, "simulated A" to "simulated C": each has every third patient of a simulated one."""
    whole = simulate_cohort(n=450, n_genes=60, n_cnv=20).cohort
    place = np.arange(len(whole.survival)) % 3
    return [whole.take(place == k).renamed(f"simulated {name}") for k, name in enumerate("ABC")]


def outcome_cohort(cohort: Cohort, options: StudyOptions) -> tuple[Cohort, str]:
    """The cohort of the cause that is asked for, if its endpoint has causes, and the endpoint.

    Raises:
        InputError: an endpoint with causes of which none is named, or a cause that there is not.
    """
    endpoint = options.endpoint or cohort.endpoints[0]
    if options.cause is not None:
        return cohort.of_cause(endpoint, options.cause), endpoint
    if endpoint in cohort.causes:
        raise ask_for_cause(endpoint, cohort.causes[endpoint])
    return cohort, endpoint


def only(cohort: Cohort, modalities: Sequence[str]) -> Cohort:
    """The patients of a cohort who have at least one of some modalities."""
    if unknown := sorted(set(modalities) - set(cohort.modalities)):
        raise InputError(f"there is no modality {unknown}, but {sorted(cohort.modalities)}")
    return cohort.take(cohort.presence[list(modalities)].to_numpy().any(axis=1))


def make_splits(
    cohort: Cohort, endpoint: str, options: StudyOptions, modalities: Sequence[str] | None = None
) -> Splits:
    """Masks over the patients labelled for ``endpoint``.

    Args:
        cohort: patients.
        endpoint: one of its endpoints.
        options: options of the study.
        modalities: names of those that complete patients have; None = all.
    """
    if options.seeds < 1:
        raise InputError(f"seeds must be at least 1, got {options.seeds}")
    if options.split is not None:
        if options.complete_only or options.protocol != "three-way":
            raise InputError("--split says who is tested: leave out --complete-only and --protocol")
        return read_splits(options.split, cohort, endpoint)
    labelled = cohort.for_endpoint(endpoint)
    event = labelled.outcome(endpoint).event
    eligible = np.ones(len(event), bool)
    if options.complete_only:
        eligible = labelled.presence[list(modalities or cohort.modalities)].to_numpy().all(axis=1)
    if options.protocol == "single-split":
        return single_split(
            event, eligible, n_validation=min(127, max(1, int(eligible.sum()) // 8))
        )
    return stratified_kfold(
        event,
        strata=labelled.strata,
        folds=options.folds,
        repeats=options.repeats,
        eligible=eligible,
        validation_fraction=0.2 if options.protocol == "three-way" else None,
    )
