"""A cohort in words, as Python shows it."""

from typing import Any

from jaxsurv.data.competing import counted
from jaxsurv.data.last_rows import last_rows
from jaxsurv.data.tables import few


def text_of(cohort: Any) -> str:
    """Patients, endpoints, strata, modalities and their patterns.

    Args:
        cohort: a :class:`jaxsurv.data.Cohort`.
    """
    rows, cohort = len(cohort.survival), last_rows(cohort)
    n = len(cohort.survival)
    lines = [f"Cohort {cohort.name!r}" + (f": {cohort.title}" if cohort.title else "")]
    lines += [f"  {n} patients, {cohort.complete.sum()} with every modality"]
    if rows > n:
        lines += [f"  {rows} rows, as values of patients change; below, each patient's last"]
    for endpoint in cohort.endpoints:
        time = cohort.survival[f"{endpoint}_time"]
        events = counted(cohort.survival[f"{endpoint}_event"], cohort.causes.get(endpoint, ()))
        lines += [
            f"  {endpoint}: {events} in {time.count()} patients, "
            f"median time {time.median():g} {cohort.time_unit}".rstrip()
        ]
    if cohort.strata is not None:
        sizes = [f"{label} {count}" for label, count in cohort.strata.value_counts().items()]
        lines += [f"  strata: {few(sizes, 20)}"]
    width = max(map(len, cohort.modalities))
    for m, table in cohort.modalities.items():
        missing = table.isna().to_numpy().mean()
        notes = f", {missing:.1%} of the values missing" if missing else ""
        if cohort.unmatched[m]:
            notes += f", {cohort.unmatched[m]} patients without outcome left out"
        lines += [f"  {m:<{width}}  {cohort.kinds[m]}, {len(table)} x {table.shape[1]}" + notes]
    patterns = cohort.presence.value_counts()
    for pattern, count in list(patterns.items())[:6]:
        have = [m for m, has in zip(cohort.modalities, pattern, strict=True) if has]
        lines += [f"  {count:>5} patients have {', '.join(have) or 'no modality'}"]
    if len(rest := patterns.iloc[6:]):
        lines += [f"  {rest.sum():>5} patients in {len(rest)} other patterns"]
    return "\n".join(lines)
