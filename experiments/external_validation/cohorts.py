"""The cohorts of an external validation: harmonised to a training cohort, or as they are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from jaxsurv.data import Cohort, read_cohort, simulate_cohort
from jaxsurv.data.tables import few
from jaxsurv.preprocess.harmonise import Harmonise
from jaxsurv.survival import kaplan_meier
from jaxsurv.types import InputError

from .joined import join_cohorts, refuse_entry
from .judge import Curve


def load_external(
    train: Path | None,
    external: Sequence[Path],
    without: Collection[str] = (),
    *,
    saved: bool = False,
) -> tuple[Cohort | None, dict[str, Cohort]]:
    """A training cohort and others by name; without folders, thirds of the simulated cohort.

    Args:
        train: folder of the training cohort, or None.
        external: folders of the others.
        without: modalities that are left out of all cohorts.
        saved: whether there are saved models, which need no training cohort.

    Raises:
        InputError: a modality to leave out that no cohort has, or that is all that one has; a training
            cohort or saved models without others, or the other way round; two cohorts of one name; see
            :func:`jaxsurv.data.read_cohort`.
    """
    if (train is not None or saved) and not external:
        raise InputError(
            "--train and --model need --external, the cohorts to judge on; without any of the three the "
            "simulated cohort is cut in three"
        )
    if external and train is None and not saved:
        raise InputError(
            "--external needs --train, the cohort to train on, or --model, a model that was saved"
        )
    if external:
        first, *others = _left_out(
            [*([] if train is None else [read_cohort(train)]), *map(read_cohort, external)], without
        )
        first, others = (None, [first, *others]) if train is None else (first, others)
        named = {cohort.name: cohort for cohort in others}
        if len(named) < len(others):
            raise InputError(
                f"external cohorts need different names, got {[c.name for c in others]}"
            )
        return first, named
    whole = _left_out([simulate_cohort(n=600, n_genes=100, n_cnv=50).cohort], without)[0]
    parts = [whole.survival.iloc[k::3] for k in range(3)]
    first, *rest = (
        replace(whole, survival=part, name=name)
        for part, name in zip(parts, ("simulated", "external A", "external B"), strict=True)
    )
    return first, {cohort.name: cohort for cohort in rest}


def _left_out(cohorts: Sequence[Cohort], without: Collection[str]) -> list[Cohort]:
    there = {m for cohort in cohorts for m in cohort.modalities}
    if unknown := sorted(set(without) - there):
        raise InputError(
            f"--without {few(unknown)}: no cohort has it; there are {few(sorted(there))}"
        )
    made = []
    for cohort in cohorts:
        tables = {m: t for m, t in cohort.modalities.items() if m not in without}
        if not tables:
            raise InputError(
                f"--without {few(list(without))} leaves nothing of cohort {cohort.name!r}"
            )
        kinds = {m: cohort.kinds[m] for m in tables}
        made.append(replace(cohort, modalities=tables, kinds=kinds) if without else cohort)
    return made


class Cohorts(NamedTuple):
    """Cohorts of one external validation, of the patients labelled for the endpoint.

    Attributes:
        endpoint: name of the outcome.
        train: training cohort; None = there are only saved models.
        external: external cohorts by name, with the modalities that they have.
        units: unit of time of each external cohort, as it was read.
        logged: modalities of counts that are log2(x + 1) here.
        found: features of the training cohort that each cohort has, see `Joined`.
        null: Kaplan-Meier curve of the training cohort.
        fingerprint: digest of all values.
        harmonised: how measured values of the external cohorts were mapped to those of training.
    """

    endpoint: str
    train: Cohort | None
    external: dict[str, Cohort]
    units: dict[str, str]
    logged: tuple[str, ...]
    found: pd.DataFrame
    null: Curve | None
    fingerprint: str
    harmonised: Harmonise


def open_cohorts(
    train: Path | None,
    external: Sequence[Path],
    endpoint: str | None,
    harmonise: Harmonise | None,
    without: Collection[str] = (),
    *,
    saved: bool,
) -> Cohorts:
    """Read the cohorts and make their values comparable.

    Args:
        train, external: folders.
        endpoint: name of the outcome; None = the first one of the training cohort, or without one of the
            first external cohort.
        harmonise: see `join_cohorts`; None = z-scores if there is a training cohort.
        without: modalities that are left out.
        saved: whether there are saved models, which need no training cohort.

    Raises:
        InputError: see `load_external` and `join_cohorts`; ``harmonise`` without a training cohort; an
            external cohort without an event.
    """
    if train is None and saved and harmonise not in (None, "none"):
        raise InputError(
            f"--harmonise {harmonise} needs --train, the cohort to whose values the external ones are "
            "mapped; give it, or leave --harmonise out to read them as they are"
        )
    first, others = load_external(train, external, without, saved=saved)
    endpoint = endpoint or (first or next(iter(others.values()))).endpoints[0]
    units = {name: cohort.time_unit for name, cohort in others.items()}
    if first is None:
        made = _as_they_are(others, endpoint, units)
    else:
        made = _joined(first, others, endpoint, harmonise or "z-score", units)
    for name, cohort in made.external.items():
        if not np.any(event := cohort.outcome(endpoint).event):
            raise InputError(
                f"cohort {name!r} has {len(event)} patients and no event of {endpoint!r}, so that nothing "
                "can be judged on it; leave it out"
            )
    return made


def _as_they_are(others: Mapping[str, Cohort], endpoint: str, units: dict[str, str]) -> Cohorts:
    refuse_entry(others, endpoint)
    external = {name: c.for_endpoint(endpoint).renamed(name) for name, c in others.items()}
    fingerprint = " ".join(f"{name} {cohort.fingerprint()}" for name, cohort in external.items())
    found = pd.DataFrame(columns=["cohort", "modality", "features", "found"])
    return Cohorts(endpoint, None, external, units, (), found, None, fingerprint, "none")


def _joined(
    first: Cohort,
    others: Mapping[str, Cohort],
    endpoint: str,
    harmonise: Harmonise,
    units: dict[str, str],
) -> Cohorts:
    joined = join_cohorts(first, others, endpoint, harmonise=harmonise)
    train = joined.part(first.name)
    outcome = train.outcome(endpoint)
    return Cohorts(
        endpoint,
        train,
        {name: joined.part(name) for name in others},
        units,
        tuple(m for m, kind in first.kinds.items() if kind == "counts"),
        joined.found,
        kaplan_meier(outcome.event, outcome.time),
        joined.cohort.fingerprint(),
        harmonise,
    )
