"""Sphinx extension for a site that opens without network: formulas as MathML, and a check of what was built.

A page that loads a script, a style, a font or an image from elsewhere fails the build. Links that a
reader follows are free.
"""

import re
from pathlib import Path
from typing import Any

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

REMOTE = r"(?:https?:)?//[^\s\"'>)]+"
LOADED = re.compile(
    # MathML and SVG name their languages by addresses that nobody loads
    rf"<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\ssrc=[\"']?({REMOTE})"
    rf"|<link\b(?![^>]*\brel=[\"']?(?:canonical|license|help)\b)[^>]*?\shref=[\"']?({REMOTE})"
    rf"|url\(\s*[\"']?({REMOTE})"
    rf"|@import\s+[\"']({REMOTE})",
    re.I,
)


def loaded(text: str) -> list[str]:
    """Addresses elsewhere from which a page or a style sheet loads something."""
    return sorted({"".join(found) for found in LOADED.findall(text)})


def check(app: Sphinx, exception: Exception | None) -> None:
    """Read what was built.

    Raises:
        ExtensionError: pages that load something from elsewhere, by name.
    """
    if exception or app.builder.format != "html":
        return
    found = [
        f"{page.relative_to(app.outdir)}: {', '.join(remote)}"
        for page in sorted(Path(app.outdir).rglob("*"))
        if page.suffix in (".html", ".css") and (remote := loaded(page.read_text("utf-8")))
    ]
    if found:
        raise ExtensionError("the site needs a network to open:\n" + "\n".join(found))


def formula(block: bool) -> Any:
    """Visitor that writes a formula as MathML, which browsers show without a script."""

    def visit(self: Any, node: Any) -> None:
        tex = node.astext()
        if re.search(r"frac\s*\d\d", tex):  # docutils reads 12 as one number
            raise ExtensionError(f"{tex}: write \\frac{{1}}{{2}}")
        try:
            mathml = tex2mathml(tex, as_block=block)
        except MathError as error:
            raise ExtensionError(f"{tex}: {error}") from error
        if block:  # no scroll bar for a formula that is higher than its line
            start = self.starttag(node, "div", "", CLASS="math", STYLE="overflow-y: hidden")
            self.body.append(f"{start}{mathml}</div>\n")
        else:
            self.body.append(f"{self.starttag(node, 'span', '', CLASS='math')}{mathml}</span>")
        raise SkipNode

    return visit


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.add_html_math_renderer("mathml", (formula(False), None), (formula(True), None))
    app.connect("build-finished", check)
    return {"parallel_read_safe": True}
