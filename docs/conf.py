"""Sphinx: MyST pages whose code is run while they are built, and the reference from the docstrings."""

import os
import re
from typing import Any

from jaxsurv import __version__

project = "jaxsurv"
author = "The jaxsurv authors"
copyright = author
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "docs.offline",
]
# reference is the api folder as Markdown, notebooks are the pages with their outputs
exclude_patterns = ["_build", "reference", "notebooks"]
html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"jaxsurv {release}"

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"  # a cache would show what an older version of the package computed
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True
nb_execution_timeout = 300
# pages compile longer than they compute
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

default_role = "py:obj"  # docstrings name their neighbours in single backticks
autodoc_typehints = "none"  # shapes and units are in the text; the types would hide the names
autodoc_default_options = {"members": True, "show-inheritance": True}
python_maximum_signature_line_length = 88
napoleon_use_param = False  # lists keep "lower, upper: 95 % limits" as one entry
napoleon_custom_sections = [("Attributes", "params_style")]


def skip(app: Any, what: str, name: str, obj: object, skipped: bool, options: Any) -> bool | None:
    """Leave out fields of NamedTuples, which the class describes, and what scikit-learn adds."""
    added = name.startswith("set_") and name.endswith("_request")
    return True if added or type(obj).__name__ == "_tuplegetter" else None


def indent(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Where a docstring opens with its attributes, Python has taken their indentation away."""
    if lines and lines[0] == "Attributes:":
        lines[1:] = [f"    {line}" for line in lines[1:]]


def commands(app: Any, what: str, name: str, obj: object, options: Any, lines: list[str]) -> None:
    """Indented command lines become code, and options in the text too, whose dashes would be one else."""
    text = re.sub(r"(?m)(?<=\n\n)(?=    python -m )", ".. code-block:: bash\n\n", "\n".join(lines))
    words = re.split(r"((?m:^    python -m (?:.+\n)+)|``[^`]+``)", text)
    words[::2] = [re.sub(r"(?<![\w-])(--[a-z][\w-]*)", r"``\1``", w) for w in words[::2]]
    lines[:] = "".join(words).split("\n")


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-docstring", indent, priority=100)  # before napoleon
    app.connect("autodoc-process-docstring", commands)
