"""Deaths of the disease and other deaths as one endpoint, from overall and disease-specific survival."""

from dataclasses import replace

import numpy as np

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.tables import few, warn
from jaxsurv.types import InputError

CAUSES = ("disease", "other")
_SAME = 0.01  # relative difference of two times that rounding may leave


def competing_deaths(
    cohort: Cohort, endpoint: str = "death", *, overall: str = "os", specific: str = "dss"
) -> Cohort:
    """The cohort with one more endpoint, death with the causes ``disease`` and ``other``.

    Readers of cBioPortal and Xena give overall survival and disease-specific survival as two endpoints; in
    the second, deaths of other causes are censored. Together they say of what a patient died: of the disease
    where the specific event is 1, of another cause where only the overall one is. A patient who died and
    whose specific event is not known has no label. In TCGA the specific event stands for the status of the
    tumour at death ("dead with tumor", "alive or dead tumor free"), which is no certificate of death.

    Args:
        cohort: patients with both endpoints.
        endpoint: name of the new one.
        overall: endpoint whose event is a death of any cause; its times count.
        specific: endpoint whose event is a death of the disease.

    Raises:
        InputError: an endpoint that there is not, or the new one's name if there is; deaths of the disease
            in patients who are alive; two times that differ; a cause without any event.

    Warns:
        DataWarning: patients who died of an unknown cause, and others with only one of the two.

    >>> import pandas as pd
    >>> outcome = {"os_time": [5.0, 8, 2], "os_event": [1, 0, 1], "dss_time": [5.0, 8, 2]}
    >>> outcome = pd.DataFrame({**outcome, "dss_event": [1, 0, 0]}, index=list("abc"))
    >>> rna = pd.DataFrame({"TP53": [0.3, 2.1, 1.0]}, index=list("abc"))
    >>> cohort = competing_deaths(Cohort({"rna": rna}, outcome))
    >>> cohort.causes, cohort.survival["death_event"].tolist()
    ({'death': ('disease', 'other')}, [1.0, 0.0, 2.0])
    """
    for name in (overall, specific):
        cohort.outcome(name)  # an unknown one, or one with causes of its own
    if endpoint in cohort.endpoints:
        raise InputError(
            f"there is an endpoint {endpoint!r} already; give the new one another name"
        )
    table = cohort.survival
    dead, time = table[f"{overall}_event"], table[f"{overall}_time"]
    of_disease, until = table[f"{specific}_event"], table[f"{specific}_time"]
    known = dead.notna() & of_disease.notna()
    if (bad := known & (of_disease > dead)).any():
        raise InputError(
            f"{bad.sum()} patients died of the disease in {specific!r} and are alive in {overall!r}: "
            f"{few(bad.index[bad])}; correct the events"
        )
    if (bad := known & ~np.isclose(time, until, rtol=_SAME, atol=0)).any():
        first = bad.index[bad][0]
        raise InputError(
            f"the times of {overall!r} and {specific!r} differ in {bad.sum()} patients: "
            f"{few(bad.index[bad])} ({time[first]:g} and {until[first]:g} of the first); both must "
            "end at death or last contact"
        )
    if (lost := (dead.notna() | of_disease.notna()) & ~known).any():
        warn(
            f"{lost.sum()} patients with only one of {overall!r} and {specific!r} have no label for "
            f"{endpoint!r}; {(lost & (dead > 0)).sum()} of them died of an unknown cause, and without them "
            "deaths look rarer than they are"
        )
    columns = {f"{endpoint}_time": time.where(known)}
    columns[f"{endpoint}_event"] = (2 * dead - of_disease).where(known)
    if f"{overall}_entry" in table:
        columns[f"{endpoint}_entry"] = table[f"{overall}_entry"].where(known)
    causes = {**cohort.causes, endpoint: CAUSES}
    return replace(cohort, survival=table.assign(**columns), causes=causes)
