"""Identity of a cohort: a digest of what is in it."""

import hashlib
import json
from typing import Any

import numpy as np

from jaxsurv.data.tables import is_numeric


def fingerprint_of(cohort: Any) -> str:
    """SHA-256 over values, patients, columns and kinds, whatever the files and row order.

    Args:
        cohort: a :class:`jaxsurv.data.Cohort`.
    """
    digest = hashlib.sha256()
    for name, table in [("survival", cohort.survival), *sorted(cohort.modalities.items())]:
        table = table.sort_index()
        numeric = [is_numeric(table[c]) for c in table.columns]
        numbers = table.loc[:, numeric].to_numpy("<f8")
        text = table.loc[:, ~np.array(numeric)]
        header = [name, cohort.kinds.get(name), list(table.columns), list(table.index)]
        digest.update(json.dumps([*header, text.fillna("").to_numpy().tolist()]).encode())
        # One bit pattern each for zero and for NaN.
        digest.update(np.where(np.isnan(numbers), np.nan, numbers + 0.0).tobytes())
    if cohort.causes:
        digest.update(json.dumps(sorted(cohort.causes.items())).encode())
    for labels in (cohort.strata, cohort.patients):
        if labels is not None:
            digest.update(json.dumps(labels.sort_index().fillna("").tolist()).encode())
    return digest.hexdigest()
