"""Rows, columns and lines in any order are the same cohort, in every format: all is matched by name."""

import warnings

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning
from jaxsurv.data.formats.detect import read_any
from tests.data.formats.test_cbioportal import SEQUENCED, STUDY
from tests.data.formats.test_geo import NAME, OS, PLATFORM, SERIES
from tests.data.formats.test_myevae import INPUTS
from tests.data.formats.test_xena import HUB

FOLDER = {
    "survival.csv": "patient,os_time,os_event,pfi_time,pfi_event\na,3,1,2,1\nb,4,0,,\nc,5,1,1,0\nd,6,0,6,0\n",
    "rna.csv": "patient,TP53,MYC\nb,1.5,2\nd,-3,4.5\na,0,7\n",
    "clinical.csv": "patient,age,sex\na,60,f\nb,50,m\nc,40,f\nd,30,m\n",
}


def table(text, rng, sep, first=1):
    """The rows of a table in another order, and its columns but for the ``first`` ones that name the rows."""
    lines = text.strip("\n").split("\n")
    about = [line for line in lines if line.startswith("#")]
    cells = [line.split(sep) for line in lines if not line.startswith("#")]
    width = len(cells[0])
    cells = [row + ["NA"] * (width - len(row)) for row in cells]
    at = [*range(first), *(first + rng.permutation(width - first))]
    body = [cells[0], *(cells[i + 1] for i in rng.permutation(len(cells) - 1))]
    return "\n".join([*about, *(sep.join(row[i] for i in at) for row in body)]) + "\n"


def series(text, rng):
    """Samples in another order, and in yet another one in the matrix; lines of characteristics too."""
    lines = text.strip("\n").split("\n")
    start = lines.index("!series_matrix_table_begin")
    samples = rng.permutation(3)
    head = []
    for line in lines[:start]:
        key, *cells = line.split(" ")
        moved = [cells[i] for i in samples] if key.startswith("!Sample_") else cells
        head.append(" ".join([key, *moved]))
    said = [line for line in head if "characteristics" in line]
    rest = [line for line in head if "characteristics" not in line]
    said = [said[i] for i in rng.permutation(len(said))]
    body = table("\n".join(lines[start + 1 : -1]), rng, " ").strip("\n")
    return "\n".join([*rest, *said, lines[start], body, lines[-1]])


def shuffled(files, rng):
    found = {}
    for name, text in files.items():
        if name == NAME:
            found[name] = series(text, rng)
        elif "sequenced" in name:
            key, names = text.split(": ")
            found[name] = f"{key}: {' '.join(rng.permutation(names.split()))}"
        elif "probeMap" in name:
            found[name] = text
        else:
            found[name] = table(text, rng, "," if name.endswith(".csv") else " ")
    return found


FORMATS = {
    "jaxsurv folder": (FOLDER, {}),
    "cBioPortal study": (STUDY | SEQUENCED, {}),
    "UCSC Xena folder": (HUB, {}),
    "MyeVAE inputs": (INPUTS, {}),
    "GEO series matrix": ({NAME: SERIES, "GPL570.txt": PLATFORM}, {"endpoints": OS}),
}


@pytest.mark.parametrize("semi_supervised", [None, True])
@pytest.mark.parametrize("name", FORMATS)
def test_any_order_is_the_same_cohort(name, semi_supervised, files):
    given, options = FORMATS[name]

    def read(contents, folder):
        place = files(contents, folder)
        more = dict(options)
        if NAME in contents:
            place, more["annotation"] = place / NAME, place / "GPL570.txt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            return read_any(place, semi_supervised=semi_supervised, **more)

    whole = read(given, "as-it-is")
    for seed in range(4):
        other = read(shuffled(given, np.random.default_rng(seed)), f"shuffled-{seed}")
        assert dict(other.kinds) == dict(whole.kinds)
        for one, two in (
            (whole.survival, other.survival),
            *((whole.modalities[m], other.modalities[m]) for m in whole.modalities),
        ):
            one, two = (t.sort_index().sort_index(axis=1) for t in (one, two))
            pd.testing.assert_frame_equal(one, two, check_exact=False, rtol=1e-12)
