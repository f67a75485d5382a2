"""The API reference as Markdown in docs/reference, to be read in the repository without a build.

python -m docs.reference            # write it anew
python -m docs.reference --check    # say what is out of date
"""

import re
import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

DOCS = Path(__file__).parent
REFERENCE = DOCS / "reference"
EXTENSIONS = ("myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_markdown_builder")


def pages() -> dict[str, str]:
    """Text of each page, as the docstrings are now."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-c", str(DOCS), "-D", f"extensions={','.join(EXTENSIONS)}"]
        if build_main(["-Q", "-b", "markdown", *options, str(DOCS / "api"), folder]):
            raise SystemExit("the reference cannot be built; run Sphinx on docs for its messages")
        return {p.name: readable(p.read_text()) for p in sorted(Path(folder).glob("*.md"))}


def readable(text: str) -> str:
    """The page with the star that the builder leaves out of signatures, and no blanks at line ends."""
    lines = [line.rstrip() for line in text.splitlines()]
    for i, line in enumerate(lines):
        if line.startswith("#"):
            lines[i] = re.sub(r"(\(|, ), (?=\w)", r"\1*, ", line)
    return "\n".join(lines).strip() + "\n"


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with those that are there."""
    made = pages()
    there = {p.name: p.read_text() for p in REFERENCE.glob("*.md")}
    if arguments == ["--check"]:
        old = sorted(n for n in made.keys() | there.keys() if made.get(n) != there.get(n))
        print(f"out of date: {', '.join(old)}; python -m docs.reference" if old else "up to date")
        return bool(old)
    REFERENCE.mkdir(exist_ok=True)
    for name in there.keys() - made.keys():
        (REFERENCE / name).unlink()
    for name, text in made.items():
        (REFERENCE / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
