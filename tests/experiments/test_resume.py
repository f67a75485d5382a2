"""A sweep that is killed, or whose files are damaged, ends in the table of one that was not."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLES = ("runs.csv", "summary.csv", "predictions.csv.gz")


def sweep(out, *arguments):
    """Twelve runs, two per compiled call."""
    module = [sys.executable, "-m", "experiments.sweep_beta", "--preset", "smoke"]
    plan = ["--plan", "2x1x1", "--resume", "--out", str(out)]
    return [*module, *plan, *arguments]


def finish(out, *arguments):
    return subprocess.run(
        sweep(out, *arguments), cwd=ROOT, capture_output=True, text=True, timeout=280
    )


def tables(out):
    return {name: (out / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("resume") / "results"
    done = finish(out)
    assert done.returncode == 0, done.stderr
    assert len(list((out / "chunks").iterdir())) == 6
    return out


def test_only_what_is_missing_or_damaged_is_trained_again(finished):
    whole = tables(finished)
    chunks = sorted((finished / "chunks").iterdir())
    for name in TABLES:
        (finished / name).unlink()
    chunks[1].unlink()
    data = bytearray(chunks[4].read_bytes())
    data[-100] ^= 1
    chunks[4].write_bytes(data)
    before = [os.stat(c).st_mtime_ns for c in chunks if c.exists()]
    done = finish(finished)
    assert done.returncode == 0, done.stderr
    assert f"{chunks[4].name} is not as it was written" in done.stderr
    assert tables(finished) == whole
    after = [os.stat(c).st_mtime_ns for c in chunks]
    trained = after[:1] + after[2:]
    assert [a != b for a, b in zip(trained, before, strict=True)] == [False] * 3 + [True, False]


def test_a_changed_option_is_refused_by_name(finished):
    done = finish(finished, "--epochs", "21")
    assert done.returncode == 2
    assert "cannot be resumed" in done.stderr
    assert "options.epochs is 21, was 20" in done.stderr


@pytest.mark.slow
def test_killed_ten_times_at_random_moments(finished, tmp_path):
    out, draw = tmp_path / "results", random.Random(0)
    kills = 0
    while kills < 10:
        process = subprocess.Popen(
            sweep(out), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        chunks, known = out / "chunks", kills // 2  # let some of the kills meet half a sweep
        while process.poll() is None and len(list(chunks.glob("*.npz"))) < min(known, 5):
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 4))
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
    done = finish(out)
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "manifest.json").read_text())["status"] == "complete"
    assert tables(out) == tables(finished)
