"""Names that look like markup, paths or formulas are text, wherever they are written."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsurv.data import Cohort, read_cohort, write_cohort
from jaxsurv.data.safe_text import as_named, file_stem, literal, printable, write_csv
from jaxsurv.types import InputError

FORMULAS = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=x", "''+x", " =1", "＝1"]
NAMES = ["../../evil", "", ".", "..", "a/b", "a\0b", "x" * 300, "\ud800", "/etc", "汉" * 200]


@pytest.mark.parametrize("name", FORMULAS)
def test_no_cell_row_or_column_is_a_formula_and_all_come_back(name, tmp_path):
    table = pd.DataFrame(
        {name: [-1.5, 2], "text": [name, "a"], "level": pd.Categorical([name, None])},
        index=pd.Index([name, "p"], name="patient"),
    )
    write_csv(table, tmp_path / "t.csv", lineterminator="\n")
    cells = pd.read_csv(tmp_path / "t.csv", index_col=0, skipinitialspace=False)
    for shown in (cells.columns[0], cells.index[0], cells["text"].iloc[0], cells["level"].iloc[0]):
        assert shown == f"'{name}"
    assert cells.iloc[0, 0] == -1.5
    back = as_named(cells)
    assert (back.columns[0], back.index[0], back["text"].iloc[0]) == (name, name, name)


@given(st.lists(st.text(alphabet="'=+-@ \tab", min_size=1, max_size=5), min_size=1, max_size=9))
def test_every_text_comes_back(names):
    from jaxsurv.data.safe_text import _inert, _original

    inert = [_inert(n) for n in names]
    assert [_original(n) for n in inert] == names
    assert all(n.lstrip()[:1] not in tuple("=+-@") for n in inert if n.strip())


def test_a_cohort_of_formulas_comes_back(tmp_path):
    patients = [f"{name.strip()}{i}" for i, name in enumerate(FORMULAS)]
    x = np.random.default_rng(0).normal(size=(len(patients), 2))
    survival = pd.DataFrame({"os_time": np.arange(1.0, len(x) + 1), "os_event": 1}, index=patients)
    levels = pd.DataFrame({"=stage": ["=I", "@II"] * (len(x) // 2)}, index=patients)
    rna = pd.DataFrame(x, index=patients, columns=["=a", "-b"])
    cohort = Cohort({"rna": rna, "clinical": levels}, survival)
    write_cohort(cohort, tmp_path / "c")
    back = read_cohort(tmp_path / "c")
    assert list(back.survival.index) == patients
    for m, table in cohort.modalities.items():
        pd.testing.assert_frame_equal(back.modalities[m], table, check_names=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_in_its_folder(name, tmp_path):
    stem = file_stem(name)
    file = tmp_path / f"{stem}.png"
    file.write_text("")
    assert file.resolve().parent == tmp_path.resolve()
    assert len({file_stem(n) for n in [*NAMES, "a_b", "a"]}) == len(NAMES) + 2
    assert file_stem("os") == "os"


@pytest.mark.parametrize("name", ["a/b", "../x", "x\0", "x" * 300])
def test_a_modality_that_cannot_be_a_file_is_refused(name, tmp_path):
    survival = pd.DataFrame({"os_time": [1.0, 2, 3], "os_event": 1}, index=list("abc"))
    cohort = Cohort({name: pd.DataFrame({"g": [1.5, 2.5, 3]}, index=list("abc"))}, survival)
    with pytest.raises(InputError, match="cannot be the name of a file; rename it"):
        write_cohort(cohort, tmp_path / "c")
    assert not Path(tmp_path / "c").exists()


def test_control_characters_are_shown_as_escapes():
    assert printable("a\x1b[31m\ud800\u202e\nb") == "a\\x1b[31m\\ud800\\u202e\nb"
    assert literal("[/x] [bold]b").plain == "[/x] [bold]b"


def test_csv_is_written_in_one_place():
    root = Path(__file__).parents[2]
    files = [p for part in ("jaxsurv", "experiments") for p in (root / part).rglob("*.py")]
    writers = {p.name for p in files if ".to_csv(" in p.read_text()}
    # the others write to memory only
    assert writers == {"safe_text.py", "readers.py", "outcomes.py"}
