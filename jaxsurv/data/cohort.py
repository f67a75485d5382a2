"""A cohort: modalities that some patients have, and the outcomes of all."""

# pandas' own types cannot tell frame[name], a Series, from frame[names].
# pyright: reportArgumentType=false, reportReturnType=false

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from jaxsurv.data.cohort_text import text_of
from jaxsurv.data.competing import (
    Causes,
    Competing,
    ask_for_cause,
    check_causes,
    of_one,
)
from jaxsurv.data.consistency import (
    check_information,
    check_presence,
    joined,
)
from jaxsurv.data.endpoints import check_endpoints
from jaxsurv.data.fingerprint import fingerprint_of
from jaxsurv.data.frames import with_named_rows
from jaxsurv.data.identifiers import is_normal, patient_part
from jaxsurv.data.names import check_features, check_patients
from jaxsurv.data.patient_rows import has_several_rows, patient_rows
from jaxsurv.data.problems import listing, refuse_all
from jaxsurv.data.row_checks import checked_patients
from jaxsurv.data.survival_table import STRATUM, clean_survival, endpoint_names
from jaxsurv.data.tables import clean_modality, few
from jaxsurv.types import InputError, Survival


@dataclass(frozen=True, eq=False, repr=False)
class Cohort:
    """Patients with modalities and outcomes, checked when it is made.

    Tables are pandas' or, with the patients as a column ``patient``, polars' and the like. They are copied:
    numbers become float64, categories text, and the rows of each modality follow the survival table. Rows
    of patients without a survival row are left out and counted in ``unmatched``. The patients of ``[n]``
    arrays are always the rows of ``survival``.

    A column without any value is an error, since neither a selection nor an imputation can use it.
    Constant columns are common in real cohorts (a gene that no patient has mutated): they give one
    ``DataWarning`` and preprocessing drops them; a modality of nothing else is an error. So are patients
    whose names differ between tables by spelling alone (see :mod:`jaxsurv.data.names`), and a column that is
    the outcome. Doubtful names of features, endpoints that contradict each other and labelled patients
    without any modality give a ``DataWarning``. The problems of all tables are listed in one error.

    A patient may have several rows ``(entry, time]``, for covariates that change. Give the survival table
    several rows of a patient, which have ``<endpoint>_entry`` and of which the last alone may have an event,
    or tables of covariates with a column ``from``, whose rows hold from that time on until the patient's
    next; follow-up is cut there. A table without ``from`` holds all the time. Rows of a patient that touch
    and say the same become one, and have names such as ``"P1 from 50"``.

    Attributes:
        modalities: name to ``[patients who have it, features]``, index = patient names.
        survival: ``[n, columns]``: ``<endpoint>_time``, ``<endpoint>_event`` (1 = observed),
            optional ``<endpoint>_entry``; time and event both missing = no label for that endpoint.
            A column ``stratum`` becomes ``strata``.
        kinds: modality to ``continuous``, ``counts``, ``five_state`` (-2..2), ``binary`` (0/1),
            ``categorical`` or ``mixed`` (numbers and categories in one table). What is not given is
            inferred, except that counts are never guessed.
        name: short name, also of the folder on disk.
        title: one line for figures and reports.
        time_unit: unit of every time column, for axes; empty if unknown.
        source: origin of the data.
        licence: terms of use.
        strata: ``[n]`` labels, the cohort, centre or platform of each patient, missing only without an
            outcome; or None. Nobody is compared across strata: not in a risk set, not in a concordance.
        causes: endpoint to the names of its causes, whose codes 1, 2, ... its events then are:
            ``{"efs": ["relapse", "death"]}``. Of such an endpoint `outcome` asks for the cause.
        patients: ``[n]`` patient of each row, if patients have several; None = every row is a patient.
        unmatched: modality to the number of its patients that have no survival row.
        competing: event codes from which `of_cause` took one, or None.

    Raises:
        InputError: naming the column, patient and value that cannot be analysed.

    >>> import pandas as pd
    >>> outcome = pd.DataFrame({"os_time": [5.0, 8, 2], "os_event": [1, 0, 1]}, index=list("abc"))
    >>> rna = pd.DataFrame({"TP53": [0.3, 2.1], "MYC": [1.5, 0.2]}, index=["c", "a"])
    >>> clinical = pd.DataFrame({"age": [61.0, 48]}, index=["a", "b"])
    >>> cohort = Cohort({"rna": rna, "clinical": clinical}, outcome)
    >>> cohort.complete
    array([ True, False, False])
    >>> cohort.kinds
    {'rna': 'continuous', 'clinical': 'continuous'}
    """

    modalities: Mapping[str, pd.DataFrame]
    survival: pd.DataFrame
    kinds: Mapping[str, str] = field(default_factory=dict)
    name: str = "cohort"
    title: str = ""
    time_unit: str = ""
    source: str = ""
    licence: str = ""
    strata: pd.Series | None = None
    causes: Causes = field(default_factory=dict)
    patients: pd.Series | None = None
    unmatched: Mapping[str, int] = field(init=False)
    competing: Competing | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if not self.modalities:
            raise InputError("a cohort needs at least one modality")
        if unknown := set(self.kinds) - set(self.modalities):
            raise InputError(
                f"kinds names {few(sorted(unknown))}, which is not a modality; there are "
                f"{few(list(self.modalities), 20)}"
            )
        given, tables, kinds, survival = {}, {}, {}, self._with_strata()
        modalities = {m: with_named_rows(t, f"modality {m!r}") for m, t in self.modalities.items()}
        patients = self.patients
        if patients is None and has_several_rows(survival, modalities):
            survival, modalities, patients = patient_rows(survival, modalities, self.causes)
        problems: list[str] = []
        checked = False
        with listing(problems):
            survival, checked = clean_survival(survival, self.causes), True
            if self.patients is not None:
                patients = checked_patients(patients, survival)
        for m, table in modalities.items():
            with listing(problems):
                given[m], kinds[m] = clean_modality(m, table, self.kinds.get(m))
        for m, table in given.items() if problems and checked else ():  # all that is wrong, at once
            with listing(problems):
                joined(m, table, survival.drop(columns=STRATUM, errors="ignore"))
        refuse_all(problems)
        strata = survival.pop(STRATUM) if STRATUM in survival else None
        causes = check_causes(self.causes, endpoint_names(survival))
        names = {"survival table": survival.index} | {repr(m): t.index for m, t in given.items()}
        check_patients(names, lambda name: name if is_normal(name) else patient_part(name))
        for m, table in given.items():
            with listing(problems):
                tables[m] = joined(m, table, survival)
        refuse_all(problems)
        unmatched = {m: len(table) - len(tables[m]) for m, table in given.items()}
        check_information(tables)
        check_features(tables if strata is None else {**tables, STRATUM: strata.to_frame()})
        check_endpoints(survival)
        check_presence(tables, survival)
        self._set(
            survival=survival, modalities=tables, kinds=kinds, unmatched=unmatched, strata=strata,
            causes=causes, patients=patients,
        )  # fmt: skip

    def _with_strata(self) -> pd.DataFrame:
        """The survival table as it is on disk, with the strata as its column."""
        survival = with_named_rows(self.survival, "survival table")
        if self.strata is None:
            return survival
        if STRATUM in survival:
            raise InputError(f"give strata or a column {STRATUM!r} of the survival table, not both")
        if len(self.strata) != len(survival) and not isinstance(self.strata, pd.Series):
            raise InputError(
                f"strata has {len(self.strata)} labels and the survival table {len(survival)} rows; "
                "give one label per row"
            )
        return survival.assign(**{STRATUM: pd.Series(self.strata, survival.index)})

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Names of the endpoints, in the order of their columns."""
        return endpoint_names(self.survival)

    @property
    def presence(self) -> pd.DataFrame:
        """``[n, modalities]`` booleans: which patient has which modality."""
        index = self.survival.index
        return pd.DataFrame({m: index.isin(t.index) for m, t in self.modalities.items()}, index)

    @property
    def complete(self) -> np.ndarray:
        """``[n]`` booleans: patients who have every modality."""
        return self.presence.to_numpy().all(axis=1)

    def outcome(self, endpoint: str, cause: str | None = None) -> Survival:
        """Event ``[k]`` (0/1), time, entry and stratum ``[k]`` of the k patients labelled for ``endpoint``.

        Strata are numbered in the order of `labels`.

        The rows are those of ``for_endpoint(endpoint)``.

        Args:
            endpoint: name of the endpoint.
            cause: name of one of its causes, or ``"any"``, see `of_cause`.

        Raises:
            InputError: an unknown endpoint (lists those there are), one without any label, or one with
                several causes of which none is named.
        """
        if cause is not None:
            return self.of_cause(endpoint, cause).outcome(endpoint)
        rows = self._labelled(endpoint)
        event = rows[f"{endpoint}_event"].to_numpy().astype(np.int64)
        entry = f"{endpoint}_entry"
        return Survival(
            event=event,
            time=rows[f"{endpoint}_time"].to_numpy(),
            entry=rows[entry].to_numpy() if entry in rows else None,
            stratum=None
            if self.strata is None
            else self.codes[self.survival.index.isin(rows.index)],
        )

    def of_cause(self, endpoint: str, cause: str) -> "Cohort":
        """The cohort in which the events of ``endpoint`` are those of one cause; the title says so.

        An event of another cause censors: what is modelled is the hazard of the cause, and ``1 - survival``
        is no probability of it, for which see :func:`jaxsurv.survival.aalen_johansen`.

        Args:
            endpoint: name of the endpoint.
            cause: name of one of its causes, or ``"any"``: an event of whatever cause.

        Raises:
            InputError: an unknown endpoint or cause, or a cause without any event.
        """
        rest = {e: names for e, names in self.causes.items() if e != endpoint}
        cohort = copy(self)._set(causes=rest)
        cohort._labelled(endpoint)
        return cohort._set(**of_one(self, endpoint, cause))

    @property
    def labels(self) -> list[str]:
        """Labels of the strata, sorted; empty without strata."""
        return [] if self.strata is None else sorted(self.strata.dropna().unique())

    @property
    def codes(self) -> np.ndarray:
        """``[n]`` numbers of the strata in the order of `labels`, -1 where missing; 0 without strata."""
        if self.strata is None:
            return np.zeros(len(self.survival), np.int32)
        return pd.Categorical(self.strata, self.labels).codes.astype(np.int32)

    def for_endpoint(self, endpoint: str) -> "Cohort":
        """The cohort of the patients labelled for ``endpoint``; raises as ``outcome`` does."""
        return self.take(self.survival.index.isin(self._labelled(endpoint).index))

    def take(self, rows: np.ndarray) -> "Cohort":
        """The cohort of some of its patients; tables that were checked are not checked again.

        Modalities that none of them has are left out.

        Args:
            rows: ``[n]`` booleans.
        """
        rows = np.asarray(rows)
        if rows.dtype != bool or rows.shape != (len(self.survival),):
            raise InputError(
                f"rows must be {len(self.survival)} booleans, got {rows.dtype} of shape {rows.shape}"
            )
        if rows.all():
            return self
        survival = self.survival[rows]
        strata, patients = (None if s is None else s[rows] for s in (self.strata, self.patients))
        tables = {m: t[t.index.isin(survival.index)] for m, t in self.modalities.items()}
        tables = {m: t for m, t in tables.items() if len(t)}
        if not tables:
            raise InputError(f"none of the {rows.sum()} patients has a modality")
        kinds, unmatched = ({m: of[m] for m in tables} for of in (self.kinds, self.unmatched))
        return copy(self)._set(
            survival=survival, modalities=tables, kinds=kinds, unmatched=unmatched, strata=strata,
            patients=patients,
        )  # fmt: skip

    def renamed(self, name: str) -> "Cohort":
        """Copy the cohort, ``unmatched`` included, under another name."""
        return copy(self)._set(name=name)

    def _set(self, **attributes: object) -> "Cohort":
        """Set attributes that need no check and return the cohort."""
        for name, value in attributes.items():
            object.__setattr__(self, name, value)
        return self

    def _labelled(self, endpoint: str) -> pd.DataFrame:
        if endpoint not in self.endpoints:
            raise InputError(f"unknown endpoint {endpoint!r}; there are {few(self.endpoints, 20)}")
        if endpoint in self.causes:
            raise ask_for_cause(endpoint, self.causes[endpoint])
        rows = self.survival[self.survival[f"{endpoint}_time"].notna()]
        if rows.empty:
            raise InputError(f"endpoint {endpoint!r} has no patient with a time and an event")
        return rows

    def fingerprint(self) -> str:
        """SHA-256 over values, patients, columns and kinds, whatever the files and row order."""
        return fingerprint_of(self)

    def __repr__(self) -> str:
        return text_of(self)
