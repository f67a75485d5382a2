"""Landmarks against a loop over patients, and what is refused."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jaxsurv.metrics import concordance_index, landmark
from jaxsurv.types import InputError


def random_rows(seed, patients=20):
    """Rows of patients in random order, of whom some have gaps, late entries and ties."""
    rng, rows = np.random.default_rng(seed), []
    for p in range(patients):
        edges = np.unique(rng.integers(0, 12, rng.integers(2, 6)))
        if len(edges) < 2:
            edges = np.array([0, 5])
        for k, (a, b) in enumerate(pairwise(edges)):
            last = k == len(edges) - 2
            if last or rng.uniform() < 0.8:  # else a gap
                rows.append((f"p{p}", a, b, last * rng.integers(3)))
    rows = [rows[k] for k in rng.permutation(len(rows))]
    patient, entry, time, event = zip(*rows, strict=True)
    return np.array(patient), np.array(entry, float), np.array(time, float), np.array(event)


def naive(patient, entry, time, event, at, horizon):
    found = []
    for p in set(patient):
        own = sorted(np.flatnonzero(patient == p), key=lambda i: entry[i])
        now = [i for i in own if entry[i] <= at < time[i]]
        if not now:
            continue
        last = now[0]
        while follows := [i for i in own if entry[i] == time[last]]:
            last = follows[0]
        end, happened = time[last], event[last]
        if end > at + horizon:
            end, happened = at + horizon, 0
        found.append((now[0], happened, end - at))
    return sorted(found)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 6), st.integers(1, 9))
def test_equals_a_loop_over_patients(seed, at, horizon):
    patient, entry, time, event = random_rows(seed)
    assume(((entry <= at) & (at < time)).any())  # else it is refused
    found = landmark(event, time, at, entry=entry, patient=patient, horizon=horizon)
    assert list(zip(*(a.tolist() for a in found), strict=True)) == naive(
        patient, entry, time, event, at, horizon
    )
    # rows without a horizon, and every row a patient of its own
    alone = landmark(event, time, at, entry=entry)
    np.testing.assert_array_equal(alone.rows, np.flatnonzero((entry <= at) & (at < time)))
    np.testing.assert_array_equal(alone.time, time[alone.rows] - at)


def test_a_landmark_at_an_event_but_for_rounding_leaves_the_patient_out():
    event, time = np.array([1, 1, 0]), np.array([0.3, 1.0, 2.0])
    assert landmark(event, time, 0.1 + 0.2).rows.tolist() == [1, 2]
    found = landmark(event, time, 0.7, horizon=0.3)
    assert found.event.tolist() == [1, 0]


def test_metrics_run_on_what_it_gives():
    event, time = np.array([0, 1, 1, 0, 1]), np.array([2.0, 9.0, 3.0, 7.0, 8.0])
    entry, patient = np.array([0, 2.0, 0, 0, 0]), list("aabcd")
    found = landmark(event, time, 4, entry=entry, patient=patient)
    risk = np.array([0.0, 3.0, 9.0, 1.0, 2.0])
    c = concordance_index(risk[found.rows], found.event, found.time)
    assert float(c.index) == 0  # d dies before a, whose risk is higher


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"at": 9.0}, r"the landmark 9 is not before the last follow-up, which ends at 9"),
        ({"at": 20.0}, "not before the last follow-up"),
        ({"at": -1.0}, r"at must be .* >= 0, got -1"),
        ({"at": np.nan}, "at must be"),
        ({"entry": np.array([1.5, 2, 1.5, 1.5])}, "nobody is at risk at the landmark 1"),
        (
            {"entry": np.array([0.0, 1.5, 0, 0])},
            r"rows 0 and 1 of one patient overlap: \(0, 2\] and",
        ),
        (
            {"event": np.array([1, 1, 1, 0])},
            "row 0 has an event and is not the last of its patient",
        ),
        ({"horizon": 0.0}, "horizon must be > 0"),
        ({"patient": ["a", None, "b", "c"]}, "patient has a missing label in row 1"),
        ({"patient": ["a", "b"]}, "common length"),
    ],
)
def test_refused(change, message):
    given = {
        "event": np.array([0, 1, 1, 0]), "time": np.array([2.0, 9.0, 3.0, 7.0]), "at": 1.0,
        "entry": np.array([0.0, 2.0, 0.0, 0.0]), "patient": ["a", "a", "b", "c"],
    }  # fmt: skip
    with pytest.raises(InputError, match=message):
        landmark(**(given | change))
