"""The console command ``jaxsurv``: every study and every other command of the package, by its name."""

import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import iter_modules

import jaxsurv

# an installed package has the studies inside; in a checkout they stand beside it
STUDIES = "jaxsurv.experiments" if find_spec("jaxsurv.experiments") else "experiments"
TOOLS = {
    "score": ("jaxsurv.__main__", "Risks of new patients by a saved model."),
    "explain": ("jaxsurv.__main__", "What the risks of a saved model rest on."),
    "inspect": ("jaxsurv.__main__", "What a saved model says of itself."),
    "convert": ("jaxsurv.data.__main__", "Other people's files as a cohort folder."),
    "describe": ("jaxsurv.data.__main__", "Report of what a cohort has."),
}


def studies() -> dict[str, str]:
    """The first sentence of each study's documentation by its name on the command line."""
    found = {}
    for path in map(Path, import_module(STUDIES).__path__):
        for module in iter_modules([str(path)]):
            file = path / module.name
            file = file / "__init__.py" if module.ispkg else file.with_suffix(".py")
            text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            found[module.name.replace("_", "-")] = text.splitlines()[0]
    return found


def usage() -> str:
    """List of all commands, one line each."""
    known = studies()
    width = max(map(len, [*TOOLS, *known]))
    tools = [f"  {name:{width}}  {text}" for name, (_, text) in TOOLS.items()]
    runs = [f"  {name:{width}}  {text}" for name, text in known.items()]
    return "\n".join(
        [
            "usage: jaxsurv COMMAND [OPTIONS]; jaxsurv COMMAND --help has the options of one",
            "",
            "models and cohorts:",
            *tools,
            "",
            "studies:",
            *runs,
            "",
            "  --version            version of jaxsurv",
            '  --completion         names of commands for bash and zsh: eval "$(jaxsurv --completion)"',
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status, 2 if there is none of that name.

    Args:
        arguments: name of the command and its options; None = those of the process.
    """
    name, *rest = [*(sys.argv[1:] if arguments is None else arguments)] or ["--help"]
    if name in {"-h", "--help"}:
        print(usage())
    elif name == "--version":
        print(f"jaxsurv {jaxsurv.__version__}")
    elif name == "--completion":
        print(f"complete -o default -W '{' '.join([*TOOLS, *studies()])}' jaxsurv")
    elif name in TOOLS:
        return import_module(TOOLS[name][0]).main([name, *rest])
    elif name in studies():
        return import_module(f"{STUDIES}.{name.replace('-', '_')}").main(rest)
    else:
        print(f"error: there is no command {name!r}; jaxsurv --help lists them", file=sys.stderr)
        return 2
    return 0
