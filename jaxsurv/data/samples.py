"""One sample for each patient, the same in every modality."""

from collections.abc import Mapping

import pandas as pd

from jaxsurv.data.identifiers import is_normal, patient_part, sample_type
from jaxsurv.data.tables import few, warn
from jaxsurv.types import InputError


def of_one_sample(
    names: Mapping[str, pd.Index], patients: Mapping[str, str] | None = None
) -> dict[str, pd.Index]:
    """Names to take of each modality, so that no patient has modalities of different samples.

    ``patients_of`` takes the alphabetically first sample of a patient. If that is not the same in all
    modalities (a primary tumour in one, a metastasis in another), the sample in most modalities is taken,
    and a ``DataWarning`` names these patients and what they lose by it. Names without a sample, and
    normal tissue, stay.

    Args:
        names: modality to the names of its samples.
        patients: sample to patient, if the source tells; see ``patients_of``.

    Raises:
        InputError: a modality that is of other samples than the others in all patients.
    """
    known = patients or {}
    found: dict[str, dict[str, dict[str, list[str]]]] = {}  # patient, sample, modality: names
    for modality, of in names.items():
        for name in of.astype(str):
            kind = sample_type(name)
            if is_normal(name) or (kind is None and name not in known):
                continue
            sample = patient_part(name) + ("" if kind is None else f"-{kind:02d}")
            samples = found.setdefault(patient_part(known.get(name, name)), {})
            samples.setdefault(sample, {}).setdefault(modality, []).append(name)
    left: dict[str, set[str]] = {modality: set() for modality in names}
    mixed, lost = [], []
    for patient, samples in found.items():
        first = {min(s for s in samples if m in samples[s]) for m in set().union(*samples.values())}
        if len(first) == 1:
            continue
        taken = min(samples, key=lambda s: (-len(samples[s]), s))
        mixed.append(f"{patient} ({taken})")
        for sample, there in samples.items():
            for modality, of in there.items():
                if sample != taken:
                    left[modality].update(of)
                    if modality not in samples[taken]:
                        lost.append(f"{modality} of {patient} ({sample})")
    if not mixed:
        return dict(names)
    for modality, of in names.items():
        if len(of) == len(left[modality]):
            raise InputError(
                f"{modality} is of other samples than the other modalities in all patients, such as "
                f"{few(of, 2)} against {few(mixed, 2)}; leave one of the tables out"
            )
    less = f"; left out, since it is of another sample: {few(lost)}" if lost else ""
    warn(
        f"{len(mixed)} patients have different samples in different modalities; the one in most "
        f"modalities is taken: {few(mixed)}{less}"
    )
    return {m: of[[str(n) not in left[m] for n in of]] for m, of in names.items()}
