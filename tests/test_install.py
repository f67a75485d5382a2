"""What `pip install` of a built package gives: the studies inside, one command, no name of others."""

import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from jaxsurv import __version__
from jaxsurv.cli.main import TOOLS, main, studies

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the sdist as PyPI's would be."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "-o", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    assert len(list(folder.glob("*.tar.gz"))) == 1
    return next(folder.glob("*.whl"))


def test_wheel_has_the_studies_inside_and_no_other_name(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    top = {name.split("/")[0] for name in names}
    assert top == {"jaxsurv", f"jaxsurv-{__version__}.dist-info"}
    for path in (ROOT / "experiments").rglob("*.py"):
        assert f"jaxsurv/{path.relative_to(ROOT)}" in names
    for path in (ROOT / "jaxsurv").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            assert str(path.relative_to(ROOT)) in names


@pytest.mark.parametrize("name", ["sweep-beta", "heads", "score", "convert"])
def test_installed_command_finds_its_studies(wheel, tmp_path, name):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    # -I: neither this checkout nor its editable installation is on the path but by the line below
    start = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from jaxsurv.cli import main as command; "
        f"assert command.STUDIES == 'jaxsurv.experiments'; sys.exit(command.main([{name!r}, '--help']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", start], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "usage: python -m jaxsurv" in done.stdout


@pytest.mark.slow
def test_clean_environment(wheel, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    run = {"cwd": tmp_path, "check": True, "capture_output": True, "text": True}
    subprocess.run([tmp_path / "venv/bin/pip", "install", "-q", str(wheel)], **run)
    command = str(tmp_path / "venv/bin/jaxsurv")
    assert subprocess.run([command, "--version"], **run).stdout == f"jaxsurv {__version__}\n"
    subprocess.run([command, "sweep-beta", "--preset", "smoke"], **run)
    assert (tmp_path / "results/sweep_beta/report.html").is_file()


def test_the_conda_recipe_has_the_requirements_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    recipe = (ROOT / ".ci/conda/recipe.yaml").read_text()
    assert f'version: "{project["version"]}"' in recipe
    assert project["version"] == __version__
    for requirement in project["dependencies"]:
        name, least = requirement.split(">=")
        name = {"matplotlib": "matplotlib-base"}.get(name, name)
        assert f"    - {name} >={least}\n" in recipe


def test_every_study_and_tool_is_a_command(capsys):
    folders = {p.stem for p in (ROOT / "experiments").glob("[!_]*")}
    assert {name.replace("-", "_") for name in studies()} == folders
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in [*TOOLS, *studies()])
    assert main(["--completion"]) == 0
    assert "sweep-beta" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jaxsurv {__version__}\n"


def test_unknown_command_is_refused(capsys):
    assert main(["sweep_bta"]) == 2
    assert "no command 'sweep_bta'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("called", "shown"), [("/bin/jaxsurv", "usage: jaxsurv cox-mt"), ("x", "usage: python -m")]
)
def test_help_names_the_command_that_was_called(called, shown, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", [called])
    with pytest.raises(SystemExit):
        main(["cox-mt", "--help"])
    assert capsys.readouterr().out.startswith(shown)
