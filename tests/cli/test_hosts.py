"""Several hosts share one map: real processes over loopback."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from jaxsurv.cli.hosts import join_hosts
from jaxsurv.cli.options import Execution
from jaxsurv.types import InputError

SCRIPT = Path(__file__).with_name("one_of_two_hosts.py")


def start(folder, index=0, port="", event=""):
    return subprocess.Popen(
        [sys.executable, SCRIPT, str(index), str(port), str(folder), event],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"JAX_NUM_CPU_DEVICES": "1"},
    )


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def two(folder, events=("", "")):
    port = free_port()
    processes = [start(folder, i, port, event) for i, event in enumerate(events)]
    return [(p.communicate(timeout=200)[1], p.returncode) for p in processes]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("alone")
    process = start(folder)
    errors = process.communicate(timeout=200)[1]
    assert process.returncode == 0, errors
    return np.load(folder / "host0.npy")


def test_every_host_has_all_results_bit_for_bit(alone, tmp_path):
    for errors, status in two(tmp_path):
        assert status == 0, errors
    for host in range(2):
        np.testing.assert_array_equal(np.load(tmp_path / f"host{host}.npy"), alone)
    assert len(list((tmp_path / "chunks").iterdir())) == 6


@pytest.mark.slow  # the runtime takes 100 s to notice
def test_a_killed_host_leaves_what_was_finished_to_go_on_with(alone, tmp_path):
    (_, first), (_, second) = two(tmp_path, ("", "3"))
    assert second == -9
    assert first != 0
    chunks = tmp_path / "chunks"
    kept = {p: p.stat().st_mtime_ns for p in chunks.glob("*.npz")}
    assert 2 <= len(kept) < 6
    process = start(tmp_path)
    errors = process.communicate(timeout=200)[1]
    assert process.returncode == 0, errors
    np.testing.assert_array_equal(np.load(tmp_path / "host0.npy"), alone)
    assert {p: p.stat().st_mtime_ns for p in kept} == kept


def test_hosts_that_differ_are_named(tmp_path):
    for errors, status in two(tmp_path, ("", "old")):
        assert status == 2
        assert "host 1 differs from host 0: versions.jax is 0.0.1, was" in errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"coordinator": "127.0.0.1:9", "processes": 2, "process": 1},
            r"127.0.0.1:9 did not answer",
        ),
        ({"coordinator": "here", "processes": 2, "process": 1}, "HOST:PORT"),
        ({"coordinator": "here:1", "processes": 2, "process": 2}, "from 0 to N - 1"),
        ({"coordinator": "here:1"}, "--processes N"),
        ({"processes": 2}, "need --coordinator"),
    ],
)
def test_hosts_that_cannot_meet_are_told(options, message):
    with pytest.raises(InputError, match=message):
        join_hosts(Execution(**options, patience_seconds=0))
