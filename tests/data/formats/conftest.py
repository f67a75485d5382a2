"""A folder writer, and the round trip that every reader owes."""

import gzip
import warnings

import pytest

from jaxsurv.data import read_cohort, write_cohort


def _tabbed(text):
    """Cells separated by blanks become tab-separated; ``~`` is a blank within a cell."""
    lines = text.strip("\n").split("\n")
    return "".join("\t".join(line.split()).replace("~", " ") + "\n" for line in lines)


@pytest.fixture
def files(tmp_path):
    """``files({name: text}) -> folder``: tables tab-separated (``_tabbed``) unless ``.csv``."""

    def write(contents, folder="study"):
        for name, text in contents.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            raw = (text if name.endswith(".csv") else _tabbed(text)).encode()
            path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return tmp_path / folder

    return write


@pytest.fixture
def comes_back(tmp_path):
    """Written and read again, the cohort is the same."""

    def check(cohort):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write_cohort(cohort, tmp_path / "written")
            assert read_cohort(tmp_path / "written").fingerprint() == cohort.fingerprint()

    return check
