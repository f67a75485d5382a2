"""Pages with code as executed Jupyter notebooks in docs/notebooks.

    python -m docs.notebooks                 # run all pages and write their notebooks
    python -m docs.notebooks quickstart ...  # these pages alone
    python -m docs.notebooks --check         # say whose text or code is not that of its page

The check reads no output: what a cell prints may differ from machine to machine.
"""

import json
import os
import re
import sys
import tempfile
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

DOCS = Path(__file__).parent
NOTEBOOKS = DOCS / "notebooks"
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n((?::[^\n]*\n)*)(.*?)^```$", re.S | re.M)
LINK = re.compile(r"\]\((?!https?:|#|/)([^)\s]+)\)")  # within the documentation
FIRST = """# installs jaxsurv where it is missing, as on Colab
from importlib.util import find_spec

if find_spec("jaxsurv") is None:
    %pip install -q jaxsurv"""


def pages() -> list[Path]:
    """Pages that have code to run."""
    return [page for page in sorted(DOCS.glob("*.md")) if CELL.search(page.read_text())]


def cells(text: str) -> list[tuple[str, str]]:
    """``(kind, source)`` of the cells of a page: the installation, then text and code in turn."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text, *code = re.split(CELL, text)
    made = [("code", FIRST), ("markdown", text)]
    for source, after in zip(code[1::3], code[2::3], strict=True):
        made += [("code", source), ("markdown", after)]
    title, _, rest = text.strip().partition("\n")
    made[:2] = [("markdown", title), ("code", FIRST), ("markdown", rest)]
    return [
        (kind, LINK.sub(r"](../\1)", source.strip()) if kind == "markdown" else source.strip())
        for kind, source in made
        if source.strip()
    ]


def run(page: Path) -> dict:
    """Notebook of a page after its run in an empty folder."""
    import nbformat
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # compiles longer than it computes
    new = {"code": new_code_cell, "markdown": new_markdown_cell}
    made = [
        new[kind](source, id=f"cell-{i}")
        for i, (kind, source) in enumerate(cells(page.read_text()))
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=made, metadata={"kernelspec": kernel})
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            notebook, timeout=300, record_timing=False, resources={"metadata": {"path": folder}}
        ).execute()
    for cell in notebook.cells:  # progress and warnings name places of this machine
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for data in (o["data"] for o in cell.outputs if "image/png" in o.get("data", {})):
                data["image/png"] = small(data["image/png"])
    notebook.metadata.pop("language_info", None)
    return json.loads(nbformat.writes(notebook))


def small(picture: str) -> str:
    """PNG in base 64 with 64 colours: a third of its size."""
    from PIL import Image

    made = BytesIO()
    image = Image.open(BytesIO(b64decode(picture))).convert("RGB")
    image.quantize(64).save(made, "png", optimize=True)
    return b64encode(made.getvalue()).decode()


def stale() -> list[str]:
    """Names of pages and notebooks that do not belong together."""
    of_pages = {page.stem: cells(page.read_text()) for page in pages()}
    there = {
        file.stem: [
            (cell["cell_type"], "".join(cell["source"]))
            for cell in json.loads(file.read_text())["cells"]
        ]
        for file in NOTEBOOKS.glob("*.ipynb")
    }
    return sorted(n for n in of_pages.keys() | there.keys() if of_pages.get(n) != there.get(n))


def main(arguments: list[str]) -> int:
    """Write the notebooks, or compare them with the pages."""
    if arguments == ["--check"]:
        old = stale()
        print(f"out of date: {', '.join(old)}; python -m docs.notebooks" if old else "up to date")
        return bool(old)
    known = {page.stem: page for page in pages()}
    if unknown := [name for name in arguments if name not in known]:
        print(f"no page with code: {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    NOTEBOOKS.mkdir(exist_ok=True)
    for file in NOTEBOOKS.glob("*.ipynb"):
        if file.stem not in known:
            file.unlink()
    for name in arguments or known:
        text = json.dumps(run(known[name]), indent=1, ensure_ascii=False, sort_keys=True)
        (NOTEBOOKS / f"{name}.ipynb").write_text(f"{text}\n")
        print(f"{name}: {len(text) // 1000} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
