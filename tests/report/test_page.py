"""The report's page: what is in it, and how it behaves in a browser where one is installed."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from jaxsurv.artifacts import ResultsFolder
from jaxsurv.report.page import Answer, Picture, Section, write_report
from jaxsurv.types import InputError

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
TABLE = pd.DataFrame(
    {
        "setting": ["β = 10", "ridge Cox", "β = 2", "β = 0.05", "β = 0.1"],
        "C (95 %)": [
            "0.671 (0.63 to 0.71)", "", "0.702 (0.6 to 0.8)", "0.55 (0.5 to 0.6)", "0.671 (0.5 to 0.8)",
        ],
        "minus ridge": ["+0.012 (-0.01 to +0.03) p 0.4", "", "-0.3 (-0.4 to -0.2) p 0.01", "-0.02", "+0.1"],
        "patients": ["1,234", "99", "2,000,000", "not reached", "150"],
        "missing": ["12 %", "none", "9.5 %", "0.1%", "100%"],
        "kind": ["count", "Binary", "", "binary", "code"],
    }
)  # fmt: skip
LONG = "a clause of a sentence that nobody wants to read on one line of a table, however wide it is"


def write(
    folder,
    sections,
    alternative="A line <that> goes up & down.",
    found=("What was found.",),
    **more,
):
    figure = Figure(figsize=(12, 4), layout="constrained")
    figure.subplots().plot([1, 3, 2], label="a line")
    figure.legend(loc="outside lower center")
    picture = Picture("line", "Nothing.", alternative, **more)
    facts = {"options": {"folds": (3, 5), "note": "x" * 200}, "device": "cpu"}
    results = ResultsFolder(folder)
    write_report(results, "A study of 'β'", found, sections, [(figure, picture)], facts)
    return (folder / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    many = pd.DataFrame({"name": [f"row {i}" for i in range(100)], "note": LONG, "i": range(100)})
    wide = pd.DataFrame({f"C, cohort {i}": ["0.671 (0.63 to 0.71)"] for i in range(20)})
    sections = [
        Section("Results", TABLE, "What C is."),
        Section("Hundred rows", many, ""),
        Section("Wide", wide, ""),
    ]
    return write(tmp_path_factory.mktemp("report") / "r", sections)


class Elements(HTMLParser):
    """``found``: every start tag's name with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_stands_alone(page):
    assert "http:" not in page
    assert "https:" not in page
    assert not re.search(r"@import|url\(|<link|\bfetch\(", page)
    found = Elements(page)
    addresses = [a[k] for _, a in found.found for k in ("src", "href") if k in a]
    assert addresses
    assert all(a.startswith(("data:image/png;base64,", "#part-")) for a in addresses)
    (policy,) = [m["content"] for m in found.all("meta") if "http-equiv" in m]
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_figures_have_alternative_text(page, tmp_path):
    assert [i["alt"] for i in Elements(page).all("img")] == ["A line <that> goes up & down."]
    with pytest.raises(InputError, match="figure 'line' has no alternative text: say in Picture"):
        write(tmp_path / "r", [], alternative=" ")
    assert not (tmp_path / "r" / "report.html").exists()


def test_columns_know_their_kind(page):
    kinds = [c["class"] for c in Elements(page).all("th") if c.get("scope") == "col"]
    assert kinds[:6] == ["text", *["number"] * 4, "text"]
    assert kinds[6:9] == ["text", "text long", "number"]
    assert (
        "<th scope='row' class='text'>β = 10</th><td class='number'>0.671 (0.63 to 0.71)</td>"
        in page
    )


def test_contents_link_to_every_heading(page, tmp_path):
    headings = re.findall(r"<h2 id='([^']*)'>([^<]*)</h2>", page)
    names = ["Results", "Hundred rows", "Wide", "Figures", "How it was computed"]
    assert [name for _, name in headings] == names
    links = re.findall(r"<a href='#([^']*)'>([^<]*)</a>", page)
    assert links == headings
    assert "<nav" not in write(tmp_path / "r", [Section("Results", TABLE, "")])


def test_only_tall_tables_scroll_below_their_head(page):
    boxes = [a["class"] for a in Elements(page).all("div") if a.get("role") == "region"]
    assert boxes == ["box", "box tall", "box"]


def test_answers_come_first_with_the_first_figure(tmp_path):
    found = ["A detail.", Answer("Is it <so>?", "Yes & no.")]
    page = write(tmp_path / "r", [Section("Results", TABLE, "")], found=found)
    places = [
        "<dt>Is it &lt;so&gt;?</dt><dd>Yes &amp; no.</dd>", "<figure id='figure-line'>",
        ">In detail</h2>", "A detail.", ">Results</h2>",
    ]  # fmt: skip
    assert sorted(places, key=page.index) == places
    assert page.count("<figure ") == 1
    assert ">Figures</h2>" not in page


def test_a_caveat_stands_in_the_figure_and_below_its_caption(tmp_path):
    page = write(tmp_path / "r", [], caveat="Mind <this>.")
    assert "<figcaption>Nothing. Mind &lt;this&gt;.</figcaption>" in page
    assert "<figcaption>Nothing.</figcaption>" in write(tmp_path / "plain", [])
    lines = []
    for name in ("r", "plain"):
        dark = imread(tmp_path / name / "figures" / "line.png")[..., :3].min(axis=(1, 2)) < 0.9
        lines.append(np.count_nonzero(np.diff(dark.astype(int)) == 1))
    assert lines[0] == lines[1] + 1  # one more line of text, which covers nothing


def test_facts_are_readable(page):
    assert "<th scope='row'>folds</th><td>3, 5</td>" in page


PROBE = """<script>
const table = document.querySelector("table");
const column = (i) => [...table.tBodies[0].rows].map((row) => row.cells[i].textContent);
const seen = {clicks: []};
for (let i = 0; i < table.tHead.rows[0].cells.length; i++) {
  const header = table.tHead.rows[0].cells[i], button = header.querySelector("button");
  const clicks = [];
  for (let n = 0; n < 3; n++) {
    button.focus();
    document.activeElement.click();
    clicks.push([header.getAttribute("aria-sort"), column(i), column(0)]);
  }
  seen.clicks.push(clicks);
}
const headers = [...table.tHead.rows[0].cells];
headers[1].firstChild.click();
headers[2].firstChild.click();
seen.sorted = headers.map((h) => h.getAttribute("aria-sort"));
const root = document.documentElement, image = document.querySelector("img");
const wide = [...document.querySelectorAll(".box")].find((b) => b.ariaLabel === "Wide");
onload = () => {
  wide.scrollLeft = 500;
  seen.wide = [wide.scrollWidth > wide.clientWidth, wide.scrollLeft];
  seen.sticky = [0, 1].map((i) => wide.querySelector("tbody tr").cells[i].getBoundingClientRect().left);
  seen.fitting = image.getBoundingClientRect().width;
  image.closest("figure").querySelector("button").click();
  seen.full = [image.getBoundingClientRect().width, image.naturalWidth];
  seen.page = [innerWidth, root.scrollWidth - root.clientWidth];
  fetch("data:text/plain,x").then(() => (seen.fetched = true), () => (seen.fetched = false))
    .then(() => parent.postMessage(seen, "*"));
};
</script>"""
OPTIONS = (  # in silence, and at once what a page does in twenty seconds
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000",
)  # fmt: skip
PHONE = """<!doctype html><iframe src='probe.html' width='360' height='740' style='border:0'></iframe>
<script>onmessage = (e) => document.body.append("SEEN" + JSON.stringify(e.data) + "NEES");</script>"""


@pytest.fixture(scope="module")
def seen(page, tmp_path_factory):
    """What a script in the page sees at a phone's width, after each click on each header."""
    if not BROWSER:
        pytest.skip("no Chromium is installed")
    folder = tmp_path_factory.mktemp("browser")
    (folder / "probe.html").write_text(page.replace("</body>", f"{PROBE}</body>"), "utf-8")
    (folder / "phone.html").write_text(PHONE, "utf-8")
    address, profile = (folder / "phone.html").as_uri(), f"--user-data-dir={folder / 'profile'}"
    command = [BROWSER, *OPTIONS, profile, "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert "SEEN{" in done.stdout, done.stderr
    return json.loads(html.unescape(done.stdout.split("SEEN{")[1].split("}NEES")[0]).join("{}"))


ORDERS = {  # by column, the ascending order of TABLE's rows, and how many of them have nothing to sort by
    "setting": ([1, 3, 4, 2, 0], 0),
    "C (95 %)": ([3, 0, 4, 2, 1], 1),
    "minus ridge": ([2, 3, 0, 4, 1], 1),
    "patients": ([1, 4, 0, 2, 3], 1),
    "missing": ([1, 3, 2, 0, 4], 0),
    "kind": ([3, 1, 4, 0, 2], 1),
}


@pytest.mark.parametrize("name", TABLE.columns)
def test_a_click_sorts_and_the_third_restores(seen, name):
    up, down, back = seen["clicks"][list(TABLE.columns).index(name)]
    order, missing = ORDERS[name]
    kept = order[: len(order) - missing]
    assert up[0] == "ascending"
    assert up[1] == TABLE[name].iloc[order].tolist()
    assert down[0] == "descending"
    values = TABLE[name].iloc[[*kept[::-1], *order[len(kept) :]]].tolist()
    assert [v.split(" (")[0] for v in down[1]] == [v.split(" (")[0] for v in values]
    assert back == [None, TABLE[name].tolist(), TABLE["setting"].tolist()]


def test_ties_keep_their_order(seen):
    for _, _, settings in seen["clicks"][1][:2]:
        assert settings.index("β = 10") < settings.index("β = 0.1")


def test_one_column_is_marked_as_sorted(seen):
    assert seen["sorted"] == [None, None, "ascending", None, None, None]


def test_fits_a_phone(seen):
    assert seen["page"] == [360, 0]
    assert seen["wide"] == [True, 500]
    first, second = seen["sticky"]
    assert 0 <= first < 30
    assert second < 0
    assert seen["fitting"] <= 360
    assert seen["full"][0] == seen["full"][1] > 1000


def test_the_browser_refuses_the_network(seen):
    assert seen["fetched"] is False
