"""What a command prints where nobody watches: in a file, or into a pipe whose reader has gone."""

import subprocess
import sys

import pytest

from jaxsurv.cli import terminal


@pytest.mark.parametrize(("seconds", "lines"), [(0, ["fit: 3 of 10", "fit: 4 of 10"]), (60, [])])
def test_progress_in_a_file_is_a_line_now_and_then(seconds, lines, monkeypatch, capsys):
    monkeypatch.setattr(terminal, "LINES", seconds)
    console = terminal.Terminal(80)
    with terminal.progress(console) as bars:
        task = bars.add_task("fit", total=10)
        bars.advance(task, 3)
        bars.update(task, advance=1)
    assert capsys.readouterr().out.split("\n") == [*lines, "", ""]


def test_a_reader_who_has_gone_ends_no_run(tmp_path):
    """``| head -1``: the files are wanted all the same."""
    program = (
        "import sys; from pathlib import Path; from jaxsurv.cli.terminal import Terminal\n"
        "c = Terminal(80); c.print('first'); sys.stdin.readline(); c.print('second'); c.print('last')\n"
        "Path(sys.argv[1]).write_text('done')"
    )
    file = tmp_path / "done"
    run = subprocess.Popen(
        [sys.executable, "-c", program, file],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline() == "first\n"
    run.stdout.close()
    run.stdin.write("go on\n")
    run.stdin.close()
    assert run.wait() == 0
    assert file.read_text() == "done"


def test_a_reader_who_has_seen_enough_of_the_help_ends_the_command():
    line = [sys.executable, "-m", "experiments.sweep_beta", "--help"]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True) as run:
        run.stdout.close()
        assert run.stderr.read() == ""
    assert run.returncode == 0
