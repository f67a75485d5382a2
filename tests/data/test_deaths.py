"""Deaths of the disease and others as one endpoint, as readers give them and after a change of one value."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import Cohort, DataWarning, competing_deaths, read_cohort
from jaxsurv.data.__main__ import main
from jaxsurv.data.formats import read_cbioportal
from jaxsurv.types import InputError

PATIENTS = [f"p{i}" for i in range(12)]
OS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0])
DSS = np.array([1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0])
MONTHS = np.arange(12) + 1.5


def cohort(**changes):
    """Two endpoints of twelve patients; ``column=(row, value)`` changes one cell."""
    table = pd.DataFrame(
        {"os_time": MONTHS, "os_event": OS, "dss_time": MONTHS, "dss_event": DSS}, PATIENTS
    ).astype(float)
    for column, (row, value) in changes.items():
        table.loc[f"p{row}", column] = value
    rna = pd.DataFrame({"TP53": MONTHS, "MYC": MONTHS[::-1]}, PATIENTS)
    return Cohort({"rna": rna}, table)


def test_the_codes_say_of_what_a_patient_died():
    both = competing_deaths(cohort())
    assert both.causes == {"death": ("disease", "other")}
    np.testing.assert_array_equal(both.survival["death_event"], np.where(OS, 2 - DSS, 0))
    np.testing.assert_array_equal(both.survival["death_time"], MONTHS)
    np.testing.assert_array_equal(both.outcome("death", "disease").event, DSS)
    np.testing.assert_array_equal(both.outcome("death", "any").event, OS)
    assert both.endpoints == ("os", "dss", "death")
    rounded = cohort(dss_time=(3, 4.51))
    assert competing_deaths(rounded).survival.loc["p3", "death_time"] == 4.5  # of overall survival


def test_entry_and_strata_stay():
    table = cohort().survival.assign(os_entry=0.5, dss_entry=0.5, stratum=list("ab") * 6)
    made = competing_deaths(Cohort(cohort().modalities, table))
    assert (made.outcome("death", "other").entry == 0.5).all()
    assert made.labels == ["a", "b"]


def test_who_died_of_an_unknown_cause_has_no_label():
    unknown = cohort(dss_event=(0, np.nan), dss_time=(0, np.nan))
    with pytest.warns(
        DataWarning, match=r"1 patients with only one of.*1 of them died of an unknown"
    ):
        both = competing_deaths(unknown)
    assert len(both.outcome("death", "any").event) == 11


@pytest.mark.filterwarnings("ignore::jaxsurv.data.DataWarning")
@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: cohort(dss_event=(5, 1)), "died of the disease in 'dss' and are alive in 'os': p5"),
        (lambda: cohort(dss_time=(2, 9.0)), r"differ in 1 patients: p2 \(3.5 and 9"),
        (lambda: competing_deaths(cohort()), "there is an endpoint 'death' already"),
        (lambda: Cohort(cohort().modalities, cohort().survival.iloc[:, :2]), "unknown endpoint 'dss'"),
        (lambda: Cohort(cohort().modalities, cohort().survival.assign(dss_event=OS)),
         r"no event of the cause other \(code 2\)"),
        (lambda: Cohort(cohort().modalities, cohort().survival.assign(
            os_event=np.where(DSS, 2, OS)), causes={"os": ["a", "b"]}), "'os' has the causes a, b"),
    ],
)  # fmt: skip
def test_refusals(made, message):
    with pytest.raises(InputError, match=message):
        competing_deaths(made())


def test_a_study_of_the_portal(tmp_path):
    """``DEAD TUMOR FREE`` stands for a death of another cause."""
    words = [("1:DECEASED", "1:DEAD WITH TUMOR"), ("1:DECEASED", "0:ALIVE OR DEAD TUMOR FREE"),
             ("0:LIVING", "0:ALIVE OR DEAD TUMOR FREE")]  # fmt: skip
    rows = [
        f"P{i}\t{40 + i}\t{os}\t{i + 1.5}\t{dss}\t{i + 1.5}"
        for i, (os, dss) in enumerate(words * 4)
    ]
    header = "PATIENT_ID\tAGE\tOS_STATUS\tOS_MONTHS\tDSS_STATUS\tDSS_MONTHS"
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "data_clinical_patient.txt").write_text("\n".join([header, *rows, ""]))
    read = read_cbioportal(tmp_path / "hub")
    assert read.causes == {}
    np.testing.assert_array_equal(competing_deaths(read).survival["death_event"], [1, 2, 0] * 4)
    assert main(["convert", str(tmp_path / "hub"), str(tmp_path / "c"), "--deaths"]) == 0
    written = read_cohort(tmp_path / "c")
    assert written.causes == {"death": ("disease", "other")}
    assert written.outcome("death", "other").event.sum() == 4
