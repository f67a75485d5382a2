"""The layout and the import rules of the design, read from the source."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jaxsurv"

# What each folder may import from jaxsurv. Imports run one way.
_CORE = {"types", "survival"}
ALLOWED = {
    "types": set(),
    "survival": {"types"},
    "divergences": {"types"},
    "latent": {"types"},
    "nets": {"types"},
    "training": {"types"},
    "metrics": _CORE,
    "factors": _CORE,
    "data": {"types", "survival"},
    "preprocess": {"types", "survival", "data"},
    "models": {"types", "nets", "survival", "divergences", "latent", "factors"},
}
_BELOW_FACES = {*ALLOWED, "metrics"}
ALLOWED |= {
    "estimators": _BELOW_FACES | {"artifacts"},
    "plots": _BELOW_FACES,
    "artifacts": _BELOW_FACES,
    "study": _BELOW_FACES | {"estimators", "plots", "artifacts"},
}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{a.name}" for a in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if path.stem == "__main__":
        return  # a command line stands above all folders
    for name in imported(path):
        if name.startswith("jaxsurv."):
            other = name.split(".")[1]
            assert other in ALLOWED[room] | {room}, f"{room} must not import {name}"
        assert not name.startswith(("experiments", "benchmarks", "tests")), name
        if name.split(".")[0] == "flax":
            assert room == "nets", "flax is imported in nets/ only"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=str)
def test_init_files_only_hand_names_on(path):
    for node in ast.parse(path.read_text()).body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        names = isinstance(node, ast.Assign) and all(
            isinstance(t, ast.Name) and t.id in {"__all__", "__version__"} for t in node.targets
        )
        assert docstring or names or isinstance(node, ast.Import | ast.ImportFrom), (
            path,
            node.lineno,
        )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_modules_are_one_idea_long(path):
    assert len(path.read_text().splitlines()) <= 300
