"""The documentation as notebooks and as a site without network."""

import json
import re

import pytest

from docs import notebooks

PAGE = """---
file_format: mystnb
---

# Title

See [a page](quickstart.md#a-model), [below](#more), [outside](https://example.org).

```{code-cell} python
:tags: [hide]
x = "](page.md)"
```

## More

```python
not_run
```
"""


def test_cells_of_a_page():
    title, install, text, code, more = notebooks.cells(PAGE)
    assert (title, install) == (("markdown", "# Title"), ("code", notebooks.FIRST))
    assert text[1].endswith(
        "[a page](../quickstart.md#a-model), [below](#more), [outside](https://example.org)."
    )
    assert code == ("code", 'x = "](page.md)"')
    assert more == ("markdown", "## More\n\n```python\nnot_run\n```")


def test_notebooks_are_those_of_the_pages():
    assert notebooks.stale() == []


def test_notebooks_are_small_and_name_no_place():
    for file in notebooks.NOTEBOOKS.glob("*.ipynb"):
        text = file.read_text()
        assert len(text) < 300_000, file.name
        assert '"output_type": "error"' not in text, file.name
        text = re.sub(r'"image/png": "[^"]*"', "", text)
        for place in ("/tmp/", "/home/", "/work/", "/Users/"):
            assert place not in text, f"{file.name}: {place}"


def test_stale_notebooks_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(notebooks, "DOCS", tmp_path)
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    for name in ("new", "old", "same"):
        (tmp_path / f"{name}.md").write_text(PAGE)
    (tmp_path / "text.md").write_text("# No code\n")
    made = [{"cell_type": k, "source": s.splitlines(True)} for k, s in notebooks.cells(PAGE)]
    for name, cells in (("same", made), ("old", made[:-1]), ("gone", made)):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
    assert notebooks.main(["--check"]) == 1
    assert capsys.readouterr().out == "out of date: gone, new, old; python -m docs.notebooks\n"
    assert notebooks.main(["nwe"]) == 2
    assert "no page with code: nwe; there are new, old, same" in capsys.readouterr().out


REMOTE = [
    '<script src="https://cdn.example/mathjax.js"></script>',
    "<script async defer src='//cdn.example/require.js'></script>",
    '<link rel="stylesheet" type="text/css" href="https://fonts.example/css" />',
    '<link href="https://fonts.example" rel="preconnect">',
    '<img alt="badge" src=https://badge.example/x.svg>',
    '<iframe width="3" src="http://plot.example/"></iframe>',
    "@font-face { src: url(https://fonts.example/a.woff2) }",
    "@import 'https://fonts.example/a.css';",
    "div { background: url( '//images.example/a.png' ) }",
]
LOCAL = [
    '<script src="_static/doctools.js"></script>',
    '<a href="https://example.org">link</a>',
    '<link rel="canonical" href="https://example.org/page.html">',
    '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    '<img src="data:image/png;base64,iVBOR//8=">',
    "<p>src=https://example.org</p>",
    "@font-face { src: url(fonts/a.woff2) }",
]


@pytest.mark.parametrize("text", REMOTE)
def test_what_is_loaded_from_elsewhere_is_found(text):
    offline = pytest.importorskip("docs.offline", exc_type=ImportError)
    assert len(offline.loaded(text)) == 1


@pytest.mark.parametrize("text", LOCAL)
def test_what_is_in_the_folder_or_a_link_is_free(text):
    offline = pytest.importorskip("docs.offline", exc_type=ImportError)
    assert offline.loaded(text) == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_site_with_formulas_needs_no_network(tmp_path):
    pytest.importorskip("docs.offline", exc_type=ImportError)
    from sphinx.cmd.build import build_main

    source, site = tmp_path / "source", tmp_path / "site"
    source.mkdir()
    (source / "conf.py").write_text(
        'extensions = ["docs.offline"]\nhtml_math_renderer = "mathml"\n'
    )
    options = ["-q", "-b", "html", str(source), str(site)]
    (source / "index.rst").write_text(
        "T\n=\n\n:math:`a < \\tfrac{1}{2}`\n\n.. math:: \\sum_i x_i\n"
    )
    assert build_main(options) == 0
    page = (site / "index.html").read_text()
    assert page.count("<math ") == 2
    assert "&lt;" in page
    assert "<mfrac" in page

    (source / "index.rst").write_text("T\n=\n\n.. image:: https://badge.example/x.svg\n")
    assert build_main(options) == 2  # Sphinx's status of an exception

    for wrong in (r"\frac12 x", r"\unknown x"):
        (source / "index.rst").write_text(f"T\n=\n\n:math:`{wrong}`\n")
        assert build_main(options) == 2
