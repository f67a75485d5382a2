"""Cohorts whose endpoints have several causes."""

import json

import numpy as np
import pandas as pd
import pytest

from jaxsurv.cli.cohorts import outcome_cohort
from jaxsurv.cli.options import StudyOptions
from jaxsurv.data import Cohort, concat_cohorts, read_cohort, write_cohort
from jaxsurv.data.describe import endpoint_table
from jaxsurv.estimators import Coxnet
from jaxsurv.plots import incidence_groups
from jaxsurv.report.cohort import endpoints_section
from jaxsurv.types import InputError

CAUSES = {"efs": ["relapse", "death"]}
N = 60


def tables(prefix="p", seed=0):
    rng = np.random.default_rng(seed)
    patients = [f"{prefix}{i}" for i in range(N)]
    time = rng.exponential(5, N).round(2) + 0.1
    outcome = {"efs_time": time, "efs_event": np.arange(N) % 3,
               "os_time": time + 1, "os_event": np.arange(N) % 2}  # fmt: skip
    x = pd.DataFrame(rng.normal(size=(N, 3)), patients, ["a", "b", "c"])
    return {"rna": x}, pd.DataFrame(outcome, patients)


def cohort(causes=CAUSES, **options):
    return Cohort(*tables(**options), name=options.get("prefix", "p"), causes=causes)


def test_the_outcome_is_that_of_one_cause():
    both, codes = cohort(), np.arange(N) % 3
    for cause, expected in (("relapse", codes == 1), ("death", codes == 2), ("any", codes > 0)):
        outcome = both.outcome("efs", cause)
        np.testing.assert_array_equal(outcome.event, expected)
        np.testing.assert_array_equal(outcome.time, both.survival["efs_time"])
        chosen = both.of_cause("efs", cause)
        np.testing.assert_array_equal(chosen.outcome("efs").event, expected)
        assert chosen.causes == {}
        np.testing.assert_array_equal(chosen.competing.codes, codes)
        told = "any cause" if cause == "any" else f"{cause}, other causes censored"
        assert told in chosen.title
        assert chosen.take(codes != 1).competing.cause == cause
    np.testing.assert_array_equal(both.outcome("os").event, both.outcome("os", "any").event)
    assert "20 relapse, 20 death in 60 patients" in repr(both)
    assert endpoint_table(both).loc["efs", "events"] == 40  # each event once, whatever its code


@pytest.mark.parametrize(
    "asked",
    [
        lambda c: c.outcome("efs"),
        lambda c: c.for_endpoint("efs"),
        lambda c: Coxnet().fit(c, "efs"),
        lambda c: outcome_cohort(c, StudyOptions(endpoint="efs")),
        lambda c: outcome_cohort(c, StudyOptions()),
    ],
)
def test_a_cause_is_asked_for(asked):
    with pytest.raises(
        InputError, match=r"'efs' has the causes relapse, death: say which.*--cause"
    ):
        asked(cohort())


def test_events_of_each_cause_are_told():
    told = endpoints_section(cohort()).table.set_index("endpoint")["events"]
    assert told["efs"] == "40 (67%): relapse 20, death 20"
    assert told["os"] == "30 (50%)"


def test_studies_take_the_cause():
    options = StudyOptions(endpoint="efs", cause="death")
    chosen, endpoint = outcome_cohort(cohort(), options)
    assert endpoint == "efs"
    assert chosen.outcome("efs").event.sum() == 20
    with pytest.raises(InputError, match="'os' has no causes, its events are 0 or 1"):
        outcome_cohort(cohort(), StudyOptions(endpoint="os", cause="death"))
    with pytest.raises(InputError, match="no cause 'toxicity', but relapse, death, any"):
        cohort().outcome("efs", "toxicity")


@pytest.mark.parametrize(
    ("causes", "message"),
    [
        ({}, r"codes 0, 1, 2 are competing risks.*name the causes: Cohort\(causes"),
        ({"pfs": ["a", "b"]}, "causes name the endpoint 'pfs'; there are efs, os"),
        ({"efs": ["relapse"]}, "two or more different names"),
        ({"efs": ["relapse", "relapse"]}, "two or more different names"),
        ({"efs": "relapse"}, "two or more different names"),
        ({"efs": ["relapse", "any"]}, "none of them 'any'"),
        ({"efs": ["Alive", "relapse"]}, "have 'Alive', which is no event: its code must be 0"),
        ({"efs": ["relapse", "disease_free"]}, "which is no event"),
        ({"efs": ["relapse", 2]}, "two or more different names"),
        ({"efs": ["relapse", "death", "toxicity"]}, r"no event of the cause toxicity \(code 3\)"),
        ({"os": ["a", "b"], **CAUSES}, r"no event of the cause b \(code 2\)"),
        ([("efs", ["a", "b"])], "causes must be an object"),
    ],
)
def test_bad_causes_are_refused(causes, message):
    with pytest.raises(InputError, match=message):
        cohort(causes)


def test_codes_beyond_the_causes_are_refused():
    modalities, outcome = tables()
    outcome.loc["p7", "efs_event"] = 3
    with pytest.raises(InputError, match=r"3.*p7.*0 \(censored\) or the number of one of the 2"):
        Cohort(modalities, outcome, causes=CAUSES)


def test_folders_hold_the_names(tmp_path):
    write_cohort(cohort(), tmp_path / "c")
    assert json.loads((tmp_path / "c" / "cohort.json").read_text())["causes"] == CAUSES
    again = read_cohort(tmp_path / "c")
    assert again.causes == {"efs": ("relapse", "death")}
    assert again.fingerprint() == cohort().fingerprint()
    write_cohort(cohort().of_cause("efs", "death"), tmp_path / "d")
    assert read_cohort(tmp_path / "d").outcome("efs").event.sum() == 20


def test_pooled_cohorts_share_their_causes():
    one, other = cohort(), cohort(prefix="q", seed=1)
    assert concat_cohorts([one, other]).outcome("efs", "death").event.sum() == 40
    swapped = cohort({"efs": ["death", "relapse"]}, prefix="q", seed=1)
    with pytest.raises(InputError, match=r"causes of 'efs' differ: relapse, death in 'p'; death"):
        concat_cohorts([one, swapped])


def test_a_figure_of_incidences():
    code, time = np.arange(N) % 3, np.random.default_rng(0).exponential(1, N)
    high = np.arange(N) < 30
    code[high & (code == 2)] = 0  # none of the high-risk group died of the second cause
    figure = incidence_groups(
        high, code, time, causes=["relapse", "death"], notes=["p", "q"], xlabel="time"
    )
    labels = [t.get_text() for ax in figure.axes for t in ax.get_legend().get_texts()]
    assert labels == [
        f"{g} risk (n = 30, events = {np.sum((code == c) & (high == h))})"
        for c in (1, 2) for g, h in (("low", False), ("high", True))
    ]  # fmt: skip
    assert np.all(figure.axes[1].lines[1].get_ydata() == 0)


def test_causes_that_sound_like_none_are_causes():
    named = cohort({"efs": ["non-relapse mortality", "death in remission"]})
    assert named.causes["efs"] == ("non-relapse mortality", "death in remission")


def test_codes_without_0_are_no_causes():
    survival = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": [1, 2, 2]}, index=["a", "b", "c"])
    features = pd.DataFrame({"x": [1.0, 2, 3]}, index=survival.index)
    with pytest.raises(InputError, match="give event == 2") as refusal:
        Cohort({"clinical": features}, survival)
    assert "name the causes" not in str(refusal.value)
