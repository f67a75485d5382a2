"""Several cohorts as one, each a stratum: same columns, one unit of time, no patient twice."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.identifiers import patient_part
from jaxsurv.data.names import name_key, shown, spellings
from jaxsurv.data.problems import listing, refuse_all
from jaxsurv.data.readers import read_cohort
from jaxsurv.data.survival_table import STRATUM
from jaxsurv.data.tables import few, is_numeric, warn, warn_of
from jaxsurv.types import InputError, check_choice

_APART = 20.0  # ratio of two cohorts' median follow-up, as of days and months
_SCALES = 4.0  # ratio of two cohorts' large values of a feature, as of values and their logarithms


def concat_cohorts(cohorts: Sequence[Cohort], *, features: str = "inner") -> Cohort:
    """Pool cohorts: their patients as one cohort, in which each cohort is a stratum.

    Modalities, features and endpoints are matched by name. A cohort that lacks a modality lacks it here, as
    a patient may; of an endpoint that it lacks it has no labels. Values stay as they were measured; see
    :func:`jaxsurv.preprocess.harmonise_strata` for platforms that differ. Patients keep their names. A
    cohort that has strata already gives them as ``NAME/STRATUM``.

    Args:
        cohorts: two or more, of different names, which become the labels of the strata.
        features: ``"inner"``: features of a modality that all cohorts with the modality have; ``"outer"``:
            all, missing where a cohort lacks them.

    Raises:
        InputError: one name for two cohorts; a patient in two cohorts; times in different units; no
            endpoint in two cohorts; of a modality: different kinds, no feature in common, text in one and
            numbers in another.

    Warns:
        DataWarning: cohorts without a time unit beside others; endpoints that a cohort lacks; follow-up that
            differs twentyfold, as of two units; features on another scale in a cohort, as of values and their
            logarithms; modalities and endpoints whose names look alike; fewer than half of the features of
            a modality in common.

    >>> def cohort(name, *patients):
    ...     outcome = pd.DataFrame({"os_time": [5.0, 8, 2], "os_event": [1, 0, 1]}, patients)
    ...     rna = pd.DataFrame({"TP53": [0.3, 2.1, 1], "MYC": [1.5, 0.2, 2]}, patients)
    ...     return Cohort({"rna": rna}, outcome, name=name)
    >>> pooled = concat_cohorts([cohort("A", "a1", "a2", "a3"), cohort("B", "b1", "b2", "b3")])
    >>> pooled.labels, pooled.strata["b2"]
    (['A', 'B'], 'B')
    """
    check_choice("features", features, ("inner", "outer"))
    by_name = {c.name: c for c in cohorts}
    if len(cohorts) < 2 or len(by_name) < len(cohorts):
        raise InputError(
            f"pooling needs two or more cohorts of different names, got {few([c.name for c in cohorts])}; "
            "give each a name, such as cohort.renamed('A')"
        )
    problems: list[str] = []
    unit, causes, tables, kinds = "", {}, {}, {}
    with listing(problems):
        _refuse_shared_patients(by_name)
    with listing(problems):
        causes = _shared_causes(by_name)
    with listing(problems):
        unit = shared_unit(by_name)
    with listing(problems):
        _check_endpoints(by_name)
    _tell_alike({name: list(c.modalities) for name, c in by_name.items()}, "modalities")
    for m in dict.fromkeys(m for c in cohorts for m in c.modalities):
        with listing(problems):
            having = {name: c for name, c in by_name.items() if m in c.modalities}
            kinds[m] = _shared_kind(m, having)
            tables[m] = _joined(
                m, {n: c.modalities[m] for n, c in having.items()}, features, kinds[m]
            )
    refuse_all(problems)
    strata = pd.concat([_strata_of(c) for c in cohorts])
    survival = pd.concat([c.survival for c in cohorts]).assign(**{STRATUM: strata})
    several = any(c.patients is not None for c in cohorts)
    patients = pd.concat([_patients_of(c) for c in cohorts]) if several else None
    source, licence = (
        "; ".join(dict.fromkeys(t for c in cohorts if (t := getattr(c, name))))
        for name in ("source", "licence")
    )
    about = {"name": "+".join(by_name), "time_unit": unit, "source": source, "licence": licence}
    pooled = Cohort(tables, survival, kinds, causes=causes, patients=patients, **about)
    return pooled._set(unmatched={m: sum(c.unmatched.get(m, 0) for c in cohorts) for m in tables})


def read_cohorts(
    paths: Sequence[str | Path], *, features: str = "inner", semi_supervised: bool = False
) -> Cohort:
    """Read cohorts, see :func:`read_cohort`, and pool them, see `concat_cohorts`.

    Args:
        paths: paths of two or more folders.
        features: see `concat_cohorts`.
        semi_supervised: keep patients who have no row in a survival table, as rows without a label.
    """
    cohorts = [read_cohort(path, semi_supervised=semi_supervised) for path in paths]
    return concat_cohorts(cohorts, features=features)


def shared_unit(cohorts: Mapping[str, Cohort]) -> str:
    """The unit of time of all cohorts; empty if none says it.

    Raises:
        InputError: several units.

    Warns:
        DataWarning: cohorts that do not say theirs, beside others that do.
    """
    units = {name: c.time_unit.strip() for name, c in cohorts.items()}
    known = {name: unit for name, unit in units.items() if unit}
    if len({unit.lower().rstrip("s") for unit in known.values()}) > 1:
        told = [f"{unit} in {name!r}" for name, unit in known.items()]
        raise InputError(
            f"times are in {few(told)}; convert them to one unit, and name it in time_unit"
        )
    unit = next(iter(known.values()), "")
    if unknown := [name for name in units if name not in known] if unit else []:
        warn(f"times of {few(unknown)} have no unit and are taken for {unit}; name it in time_unit")
    return unit


def _shared_causes(cohorts: Mapping[str, Cohort]) -> dict[str, Sequence[str]]:
    """The causes of each endpoint, which are the same in all cohorts that have it."""
    shared = {e: names for c in cohorts.values() for e, names in c.causes.items()}
    for endpoint in shared:
        having = {n: c for n, c in cohorts.items() if endpoint in c.endpoints}
        told = {n: few(c.causes.get(endpoint, ("none",)), 20) for n, c in having.items()}
        if len(set(told.values())) > 1:
            raise InputError(
                f"causes of {endpoint!r} differ: {'; '.join(f'{t} in {n!r}' for n, t in told.items())}; give "
                "them the same codes and names, or choose one cause in each with of_cause"
            )
    return shared


def _strata_of(cohort: Cohort) -> pd.Series:
    name, own = cohort.name, cohort.strata
    index = cohort.survival.index
    return pd.Series(name, index) if own is None else f"{name}/" + own


def _patients_of(cohort: Cohort) -> pd.Series:
    index = cohort.survival.index
    return pd.Series(index, index) if cohort.patients is None else cohort.patients


def _refuse_shared_patients(cohorts: Mapping[str, Cohort]) -> None:
    keys = {
        name: {name_key(patient_part(p)): p for p in _patients_of(c)} for name, c in cohorts.items()
    }
    for a, b in combinations(keys, 2):
        if both := sorted(set(keys[a]) & set(keys[b])):
            patients = [
                keys[a][k] if keys[a][k] == keys[b][k] else f"{keys[a][k]} / {keys[b][k]}"
                for k in both
            ]
            raise InputError(
                f"{len(both)} patients are in {a!r} and in {b!r}: {few(patients)}; keep a person in one "
                f"cohort, and give different persons different names, such as {b}:{keys[b][both[0]]}"
            )


def _check_endpoints(cohorts: Mapping[str, Cohort]) -> None:
    having: dict[str, list[str]] = {}
    for name, c in cohorts.items():
        for endpoint in c.endpoints:
            having.setdefault(endpoint, []).append(name)
    if max(map(len, having.values())) < 2:
        told = "; ".join(f"{few(c.endpoints)} in {name!r}" for name, c in cohorts.items())
        raise InputError(f"no endpoint is in two cohorts: {told}; give one outcome one name")
    _tell_alike({name: list(c.endpoints) for name, c in cohorts.items()}, "endpoints")
    lacking = {
        e: f"{e!r} in {few([n for n in cohorts if n not in names])}"
        for e, names in having.items()
        if len(names) < len(cohorts)
    }
    apart = {}
    for endpoint, names in having.items():
        median = {n: cohorts[n].survival[f"{endpoint}_time"].median() for n in names}
        low, high = (pick(median, key=lambda n: median[n]) for pick in (min, max))
        if median[high] >= _APART * median[low] > 0:
            apart[endpoint] = (
                f"{endpoint!r}: median time {median[low]:g} in {low!r} and {median[high]:g} in {high!r}"
            )
    warn_of(
        {
            "endpoints that a cohort lacks, whose patients have no label for them": lacking,
            "follow-up that differs as if times were in two units": apart,
        }
    )


def _tell_alike(names: Mapping[str, Sequence[str]], what: str) -> None:
    if groups := spellings(pd.Index([n for of in names.values() for n in of]).unique()):
        warn(f"{what} whose names look alike stay apart: {shown(groups)}; give one thing one name")


def _shared_kind(m: str, having: Mapping[str, Cohort]) -> str:
    kinds = {name: c.kinds[m] for name, c in having.items()}
    if "mixed" in kinds.values() and set(kinds.values()) <= {"mixed", "continuous", "binary"}:
        return "mixed"  # a table of numbers is one without categories
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{kind} in {name!r}" for name, kind in kinds.items())
        raise InputError(
            f"modality {m!r} is {told}; declare one kind in all (kinds, in cohort.json), and bring the "
            "values to it: counts and their logarithms are not one thing"
        )
    return next(iter(kinds.values()))


def _joined(m: str, tables: Mapping[str, pd.DataFrame], features: str, kind: str) -> pd.DataFrame:
    first, *others = tables.values()
    common = first.columns
    for table in others:
        common = common.intersection(table.columns, sort=False)
    if not len(common):
        told = "; ".join(f"{few(t.columns, 3)} in {name!r}" for name, t in tables.items())
        raise InputError(
            f"modality {m!r}: no feature is in all cohorts that have it ({told}); name features in one "
            "way, or keep all with features='outer'"
        )
    differ = []
    for column in common:
        numeric = {name: bool(is_numeric(t[column])) for name, t in tables.items()}
        if len(set(numeric.values())) > 1:
            text = [name for name, number in numeric.items() if not number]
            differ.append(f"{column!r} is text in {few(text)} and numbers in the others")
    if differ:
        raise InputError(f"modality {m!r}: column {'; '.join(differ)}; code a column in one way")
    least = min(tables, key=lambda name: tables[name].shape[1])
    if len(common) < tables[least].shape[1] / 2:
        warn(
            f"modality {m!r}: {len(common)} features are in all of {few(list(tables))}, fewer than half of "
            f"the {tables[least].shape[1]} in {least!r}; are features named in one way?"
        )
    if kind in ("continuous", "counts", "mixed"):
        _tell_scales(m, {n: t[common].select_dtypes("number") for n, t in tables.items()})
    joined = pd.concat(list(tables.values()), join="outer", sort=False)
    return joined if features == "outer" else joined[common]


def _tell_scales(m: str, tables: Mapping[str, pd.DataFrame]) -> None:
    """Warn of features whose middle halves are apart, and large values further than platforms explain."""
    quarters, large, least = {}, {}, {}
    for name, table in tables.items():
        quarters[name] = table.quantile([0.25, 0.5, 0.75]).to_numpy()
        large[name] = table.abs().quantile(0.9).to_numpy()
        least[name] = table.min().to_numpy()
    told = {}
    for a, b in combinations(tables, 2):
        (low_a, middle_a, high_a), (low_b, middle_b, high_b) = quarters[a], quarters[b]
        small, big = (pick(large[a], large[b]) for pick in (np.minimum, np.maximum))
        # what is measured is not negative, unlike what is standardised
        measured = np.where(large[a] > large[b], least[a], least[b]) >= 0
        other = ((low_a > high_b) | (low_b > high_a)) & (big >= _SCALES * small) & measured
        if other.any():
            j = int(np.flatnonzero(other)[0])
            medians = f"{middle_a[j]:.3g} in {a!r} and {middle_b[j]:.3g} in {b!r}"
            told[a, b] = (
                f"{other.sum()} of {other.size}, such as {tables[a].columns[j]!r} with median {medians}"
            )
    warn_of(
        {
            f"features of {m!r} on different scales, as of values and their logarithms (bring them to "
            "one scale)": told
        }
    )
