"""Scale of measured values: counts and intensities, or their logarithms."""

import pandas as pd

from jaxsurv.types import InputError

WIDE = 50  # least number of features to infer a table's scale from its values


def is_raw_scale(frame: pd.DataFrame) -> bool:
    """True if numbers look like counts or intensities, not like their logarithms.

    The rule: at least 50 features, less than 1 % negative values (a subtracted background leaves
    some), and values beyond 100 in more than a tenth of the features. Logarithms of measured values stay
    below 100; z-scores, log ratios and most protein data have negative values; percentages and
    methylation end at 100 or 1; and a table of laboratory values has fewer features.
    """
    if frame.shape[1] < WIDE or frame.empty:
        return False
    few_negative = (frame < 0).sum().sum() < 0.01 * frame.count().sum()
    return bool(few_negative and (frame.max() > 100).mean() > 0.1)


def refuse_logarithms(frame: pd.DataFrame, label: str) -> None:
    """Refuse counts that look like logarithms: many features, fractions, all values below 40."""
    largest = frame.max().dropna()
    if len(largest) < WIDE or largest.max() >= 40 or not (frame % 1).max().max() > 0:
        return
    raise InputError(
        f"{label}: fractions, and no value above {largest.max():.3g} (column {largest.idxmax()!r}), look "
        "like logarithms, of which log2(x + 1) would be taken again; give the counts, or declare the "
        "modality as 'continuous'"
    )


def refuse_raw_scale(frame: pd.DataFrame, label: str, name: str, declared: bool) -> None:
    """Refuse continuous data on the scale of counts; declared data only if they are whole numbers."""
    if not is_raw_scale(frame) or (declared and (frame % 1).max().max() > 0):
        return
    column = frame.max().idxmax()
    otherwise = "" if declared else ", or as 'continuous' if they are to be used as they are"
    how = f"kinds={{{name!r}: 'counts'}}, or kinds in cohort.json"
    raise InputError(
        f"{label}: values up to {frame[column].max():g} (column {column!r}) look like counts or "
        f"intensities, not like their logarithm; declare the modality as 'counts', which become "
        f"log2(x + 1){otherwise}: {how}"
    )
