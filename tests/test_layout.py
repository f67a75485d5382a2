"""The layout and the import rules of the design, read from the source file by file."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "jaxsurv"

# What each folder may import from jaxsurv. Imports run one way.
_BASE = {"types", "arguments"}
_CORE = {*_BASE, "survival"}
ALLOWED = {
    "types": set(),
    "arguments": {"types"},
    "survival": _BASE,
    "divergences": _BASE,
    "latent": {"types"},
    "nets": {"types"},
    "training": _BASE,
    "metrics": _CORE,
    "factors": _CORE,
    "data": _CORE,
    "preprocess": {*_CORE, "data"},
    "models": {*_CORE, "nets", "training", "divergences", "latent", "factors"},
}
ALLOWED["recipe"] = {*ALLOWED, "metrics"}
ALLOWED["artifacts"] = ALLOWED["plots"] = {*ALLOWED["recipe"], "recipe"}
ALLOWED["estimators"] = {*ALLOWED["plots"], "artifacts"}
ALLOWED["study"] = {*ALLOWED["estimators"], "estimators", "plots"}
ALLOWED["report"] = {*ALLOWED["study"], "study"}
ALLOWED["cli"] = {*ALLOWED["report"], "report"}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
EXPERIMENTS = sorted((ROOT / "experiments").rglob("*.py"))


def imported(path: Path) -> set[str]:
    """``module.name`` of everything that a file imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            assert inside[:1] == (("experiments",) if path in EXPERIMENTS and node.level else ()), (
                path
            )
            module = ".".join([*inside, *filter(None, [node.module])])
            names |= {f"{module}.{a.name}" for a in node.names}
    return names


def file_of(name: str) -> Path | None:
    """The file of the checkout that ``module.name`` or ``module`` is."""
    parts = name.split(".")
    for known in (parts, parts[:-1]):
        base = ROOT.joinpath(*known)
        if known and base.with_suffix(".py").is_file():
            return base.with_suffix(".py")
        if known and (base / "__init__.py").is_file():
            return base / "__init__.py"
    return None


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


def test_no_circle_of_files():
    files = [*MODULES, *EXPERIMENTS]
    graph = {path: {file_of(name) for name in imported(path)} - {None, path} for path in files}
    # within a folder its own __init__ would close a circle that is none: it only hands names on
    order = TopologicalSorter({p: {q for q in qs if q in graph} for p, qs in graph.items()})
    try:
        order.prepare()
    except CycleError as error:
        circle = " <- ".join(str(p.relative_to(ROOT)) for p in error.args[1])
        pytest.fail(f"files import each other in a circle: {circle}")


def test_experiments_share_no_code_with_each_other():
    for path in EXPERIMENTS:
        own = path.relative_to(ROOT).parts[1].removesuffix(".py")
        for name in imported(path):
            if name.startswith("experiments."):
                assert name.split(".")[1] == own, f"{path} imports {name}"


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


@pytest.mark.parametrize("path", [*MODULES, *EXPERIMENTS], ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_are_one_idea_long(path):
    assert len(path.read_text().splitlines()) <= 300


def exported(init: Path) -> set[str]:
    """Names that a folder hands on."""
    nodes = (n for n in ast.walk(ast.parse(init.read_text())) if isinstance(n, ast.ImportFrom))
    return {a.asname or a.name for n in nodes for a in n.names}


def test_no_public_name_shadows_a_module():
    for init in sorted(PACKAGE.rglob("__init__.py")):
        shadowed = exported(init) & {p.stem for p in init.parent.glob("*.py")}
        assert not shadowed, f"{init.parent}: name the files _{{name}}.py: {shadowed}"


def test_one_class_name_has_one_meaning():
    places: dict[str, list[Path]] = {}
    for path in [*MODULES, *EXPERIMENTS]:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name.lstrip("_"), []).append(path.relative_to(ROOT))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_studies_and_the_library_stay_small():
    assert len(list((PACKAGE / "study").glob("*.py"))) <= 10
