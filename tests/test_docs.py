"""What is public is documented, and what the documentation says is run."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from typing import TypedDict, Unpack, get_args

import pytest

from docs.notebooks import CELL, DOCS
from jaxsurv import models
from jaxsurv.estimators import MORiskVAE

ROOT = Path(__file__).parents[1]
PAGES = sorted(DOCS.glob("*.md"))
PACKAGES = [
    f"jaxsurv.{init.parent.name}"
    for init in sorted((ROOT / "jaxsurv").glob("*/__init__.py"))
    if "__all__" in init.read_text()
]
EXPERIMENTS = [
    *(f"experiments.{p.stem}" for p in sorted((ROOT / "experiments").glob("[!_]*.py"))),
    *(
        f"experiments.{p.parent.name}.command"
        for p in sorted((ROOT / "experiments").glob("*/command.py"))
    ),
]
NO_OWN = {"parent", "name", "args", "kwargs"}  # what flax and protocols add


def public():
    """``(package, name, thing)`` of every public name."""
    for package in PACKAGES:
        module = import_module(package)
        for name in module.__all__:
            yield package, name, getattr(module, name)
    for experiment in EXPERIMENTS:
        yield experiment, "main", import_module(experiment).main


def is_code(thing):
    return inspect.isclass(thing) or inspect.isfunction(thing)


def own_docstring(thing):
    """The docstring, but for those that a base class lends or that dataclasses make."""
    text = vars(thing).get("__doc__") if inspect.isclass(thing) else thing.__doc__
    made = inspect.isclass(thing) and (text or "").startswith(f"{thing.__name__}(")
    return "" if made else text or ""


def undocumented(things):
    """Names without a docstring of their own, methods and properties of classes included."""
    for place, name, thing in things:
        if not is_code(thing):
            continue
        if not own_docstring(thing).strip():
            yield f"{place}.{name}"
        for attribute, member in vars(thing).items() if inspect.isclass(thing) else ():
            member = getattr(member, "fget", None) or getattr(member, "__func__", member)
            if (
                inspect.isfunction(member)
                and not attribute.startswith("_")
                and not (member.__doc__ or "").strip()
            ):
                yield f"{place}.{name}.{attribute}"


def explained(parameter, text):
    """``parameter:`` opens an entry of Args or Attributes, alone or among others; or is in code."""
    word = re.escape(parameter)
    entry = rf"^\s*(?:[*\w]+, )*\**{word}(?:, [*\w]+)*:"
    return re.search(entry, text, re.M) or re.search(rf"`[^`\n]*\b{word}\b[^`\n]*`", text)


def parameters_of(thing):
    """Names of the parameters; for ``**columns: Unpack[Columns]`` the keys of ``Columns``."""
    for parameter in inspect.signature(thing).parameters.values():
        known = get_args(parameter.annotation) if parameter.kind is parameter.VAR_KEYWORD else ()
        yield from known[0].__annotations__ if known else [parameter.name]


def unexplained(things):
    """Parameters and fields of which no docstring says a word: neither the own one, nor that of a base
    class, nor that of a function whose arguments are said to be the same, nor that of hyper-parameters."""
    for place, name, thing in things:
        if not is_code(thing):
            continue
        texts = [
            own_docstring(c) for c in (inspect.getmro(thing) if inspect.isclass(thing) else [thing])
        ]
        for other in re.findall(r"Arguments as (?:in|for) `(\w+)`", texts[0]):
            texts.append(own_docstring(getattr(inspect.getmodule(thing), other)))
        for other in re.findall(
            r"`jaxsurv.models.(\w+)`[^`]*; each\s+also\s+by\s+its\s+name", texts[0]
        ):
            texts.append(own_docstring(getattr(models, other)))
        try:
            parameters = set(parameters_of(thing))
        except ValueError:  # of a class without a signature, such as a warning
            continue
        for parameter in sorted(parameters - NO_OWN):
            if not any(explained(parameter, text) for text in texts):
                yield f"{place}.{name}({parameter})"


def absent(things, read):
    """Names that the page of their package does not list; ``read(page) -> text``."""
    for place, name, thing in things:
        package = place.removeprefix("jaxsurv.")
        text = read("experiments" if package.startswith("experiments.") else package)
        listed = f".. automodule:: {place}\n" in text
        if not is_code(thing):  # a constant has no docstring that could be found
            listed = f".. py:data:: {place}.{name}\n" in text
        if not listed:
            yield f"{place}.{name}"


def unlisted(things, read):
    """Public methods of public classes, inherited ones included, without a heading in the reference."""
    for place, name, thing in things:
        if not inspect.isclass(thing):
            continue
        for attribute in dir(thing):
            member = inspect.getattr_static(thing, attribute)
            member = getattr(member, "fget", None) or getattr(member, "__func__", member)
            ours = (getattr(member, "__module__", "") or "").startswith(place.split(".")[0] + ".")
            if attribute.startswith("_") or not inspect.isfunction(member) or not ours:
                continue
            if not re.search(rf"^####.* {attribute}(\(|$)", read(place.split(".")[1]), re.M):
                yield f"{place}.{name}.{attribute}"


def read_page(page):
    path = DOCS / "api" / f"{page}.md"
    return path.read_text() if path.exists() else ""


def none(names):
    assert not (found := list(names)), "\n".join(found)


def test_every_public_name_has_a_docstring():
    none(undocumented(public()))


def test_every_parameter_is_explained():
    none(unexplained(public()))


def test_every_public_name_is_in_the_reference():
    none(absent(public(), read_page))


def test_every_method_is_in_the_reference():
    none(unlisted(public(), lambda page: (DOCS / "reference" / f"{page}.md").read_text()))


def test_what_is_missing_is_listed():
    class Lent(list):
        def undescribed(self):
            return self

    def silent(x):
        return x

    def spoken(x, y):
        """Of ``x``."""

    class Columns(TypedDict):
        entry: float

    def told(**columns: Unpack[Columns]):
        """Of ``columns``."""

    things = [("p", "Lent", Lent), ("p", "silent", silent), ("p", "spoken", spoken), ("p", "K", 3)]
    assert list(unexplained([("p", "told", told)])) == ["p.told(entry)"]
    assert list(undocumented(things)) == ["p.Lent", "p.Lent.undescribed", "p.silent"]
    assert [u for u in unexplained(things) if "Lent" not in u] == ["p.silent(x)", "p.spoken(y)"]
    page = ".. automodule:: p\n"
    assert list(absent(things, lambda _: page)) == ["p.K"]
    assert len(list(absent(things, lambda _: ""))) == 4
    search = "jaxsurv.estimators", "MORiskVAE", MORiskVAE
    assert "jaxsurv.estimators.MORiskVAE.search" in unlisted([search], lambda _: "#### card(x)\n")
    assert "jaxsurv.estimators.MORiskVAE.card" not in unlisted([search], lambda _: "#### card(x)\n")


@pytest.mark.slow  # the build of the documentation runs them too
@pytest.mark.filterwarnings("ignore:constant features:jaxsurv.data.DataWarning")
@pytest.mark.parametrize(
    "page", [p for p in PAGES if CELL.search(p.read_text())], ids=lambda p: p.stem
)
def test_cells_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    names = {"__name__": page.stem}
    for _, cell in CELL.findall(page.read_text()):
        if file := re.match(r"%%writefile (\S+)\n", cell):  # as Jupyter does
            Path(file[1]).write_text(cell[file.end() :])
        else:
            exec(compile(cell, page.name, "exec"), names)


def test_links_and_pages_exist():
    for page in [*PAGES, *(DOCS / "api").glob("*.md")]:
        text = page.read_text()
        for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", text, re.S):
            for entry in re.findall(r"^([a-z]\S*)$", tree, re.M):
                assert (page.parent / f"{entry}.md").exists(), f"{page.name}: {entry}"
        for path in re.findall(r"`((?:jaxsurv|experiments|benchmarks|tests|docs)/[\w./]+)`", text):
            assert (ROOT / path).exists(), f"{page.name}: {path}"
        for module in re.findall(r"python -m ((?:jaxsurv|experiments|benchmarks)[\w.]*)", text):
            place = ROOT / module.replace(".", "/")
            assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), module
