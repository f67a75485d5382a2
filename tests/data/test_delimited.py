"""The reader of delimited text: the same cells as Python's csv module, or a refusal."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jaxsurv.data import delimited
from jaxsurv.data.delimited import read_header, read_table
from jaxsurv.types import InputError

TEXT = {"dtype": str, "keep_default_na": False}


def read(text, separator=",", **options):
    lines = enumerate(io.StringIO(text, newline=""), 1)
    return read_table(lines, separator, **options)


CELLS = st.text(st.sampled_from('ab1., ;"\n\té'), max_size=5)


@st.composite
def tables(draw):
    """Tables with any cells, as the csv module writes them."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(2, 4))
    rows = [[f"p{i}", *(draw(CELLS) for _ in range(m - 1))] for i in range(n)]
    separator, end = draw(st.sampled_from(",\t;")), draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    return [["patient", *(f"c{j}" for j in range(1, m))], *rows], separator, end, quoting


def written(rows, separator, end, quoting):
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return file.getvalue()


@given(tables())
def test_every_cell_is_read_as_the_csv_module_reads_it(table):
    (header, *rows), separator, *_ = table
    frame = read(written(*table), separator, **TEXT)
    assert frame.columns.tolist() == header
    assert frame.to_numpy().tolist() == rows


@given(tables(), st.data())
def test_a_cell_more_or_less_in_any_row_is_refused_by_its_line(table, data):
    (header, *rows), separator, end, quoting = table
    which = data.draw(st.integers(0, len(rows) - 1))
    rows[which] = data.draw(st.sampled_from([rows[which][:-1], [*rows[which], "x"]]))
    text = written([header, *rows], separator, end, quoting)
    before = written([header, *rows[:which]], separator, end, quoting)
    line = len(list(io.StringIO(before, newline=""))) + 1
    with pytest.raises(
        InputError, match=rf"line {line} \(p{which}\) has {len(rows[which])} cells, "
    ):
        read(text, separator, **TEXT)


def test_long_files_are_read_in_blocks(monkeypatch):
    text = "patient,x\n" + "".join(f'p{i},"{i},5"\n' for i in range(100))
    whole = read(text)
    monkeypatch.setattr(delimited, "_BLOCK", 30)
    assert read(text).equals(whole)
    assert len(whole) == 100
    with pytest.raises(InputError, match=r"line 102 \(p100\) has 3 cells"):
        read(text + "p100,1,2\n")
    pieces = read(text, chunksize=30)
    assert [len(piece) for piece in pieces] == [30, 30, 30, 10]


def test_without_quoting_quotes_are_characters():
    frame = read('patient\tgene\na\t5"\nb\t"x\n', "\t", quoted=False)
    assert frame["gene"].tolist() == ['5"', '"x']


@pytest.mark.parametrize("rows", ['a,"x\nb,y\n', 'a,"x"y\nb,z\n', 'a,x\nb,"x"y\n', 'a,x\nb,"y'])
def test_quotes_that_do_not_match_are_refused(rows):
    with pytest.raises(InputError, match=r"line [23]: a cell in quotes that does not end"):
        read("patient,note\n" + rows)


def test_quotes_within_a_cell_close_nothing():
    with pytest.raises(InputError, match=r"line 3 \(b\) has 3 cells, the header 2"):
        read('patient,note\na,x\nb,5"x,y"\n')
    assert read('patient,note\na,x\nb,5"\n')["note"].tolist() == ["x", '5"']


@pytest.mark.parametrize("header", ['"TP53","MYC"', '"os_time","os_event"', '"AGE","NRAS"'])
def test_the_header_of_r_lacks_the_name_of_the_first_column(header):
    frame = read(header + '\n"a",1,2\n"b",3,4\n')
    assert frame.columns.tolist() == ["", *header.replace('"', "").split(",")]
    assert frame.iloc[1].tolist() == ["b", 3, 4]


@pytest.mark.parametrize(
    "header",
    ['"patient","MYC"', '"Sample_ID","MYC"', '"ID","MYC"', '"PUBLIC_ID","MYC"', '"","MYC"',
     '"bcr_patient_barcode","MYC"', '"Hugo_Symbol","S1"', '"case submitter id","MYC"', '"name","MYC"',
     "TP53,MYC", "patient,MYC"],
)  # fmt: skip
def test_other_headers_with_a_name_too_few_are_refused(header):
    with pytest.raises(
        InputError, match=r"line 2 \(a\) has 3 cells, the header 2; name all columns"
    ):
        read(header + '\n"a",1,2\n"b",3,4\n')


def test_a_last_cell_that_is_empty_may_be_a_separator_too_many():
    with pytest.raises(InputError, match="3 cells, the header 2; take out the separator"):
        read('"TP53","MYC"\n"a",1,\n')


@pytest.mark.parametrize("above", ["My cohort\n", "My cohort,,\n", "sep=,\n", "# made by x\n"])
def test_lines_above_the_header_are_refused(above):
    with pytest.raises(
        InputError, match=r"line 1 .* does not name the columns; take out what stands"
    ):
        read(above + "patient,time,event\na,1,0\n")


def test_blanks_around_names_and_blank_lines_do_not_count():
    frame = read("\npatient, time ,event\n\na,1,0\n  \nb,2,1\n\n")
    assert frame.columns.tolist() == ["patient", "time", "event"]
    assert frame["time"].tolist() == [1, 2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_any_system(end):
    frame = read(end.join(["patient,time", "a,1", '"b",2', ""]))
    assert frame.to_numpy().tolist() == [["a", 1], ["b", 2]]


def test_a_header_alone_is_a_header():
    assert read_header(enumerate(["a;b\n"], 1), ";") == ["a", "b"]
    with pytest.raises(InputError, match="has no header"):
        read_header(enumerate(["\n", " "], 1))
