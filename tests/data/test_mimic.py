"""A made-up extract in MIMIC-IV's shape, small enough that every label is worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from jaxsurv.data import DataWarning, mimic_tables, read_mimic
from jaxsurv.types import InputError

TABLES = {
    "patients": """
subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod
1,F,60,2149,2008 - 2010,
2,M,50,2160,2008 - 2010,2160-05-20
3,F,91,2140,2011 - 2013,2140-07-01
4,M,70,2130,2011 - 2013,2131-03-01
5,F,40,2120,2014 - 2016,
6,M,30,2170,2014 - 2016,2160-01-01
""",
    # 101 to 102: 30 days to the second; 102 to 103: one second more.
    # 201 to 202: a transfer; 202 ends in death. 301: dies on the day of discharge, at home.
    # 400, 401: dies 366 and 365 days after discharge. 502 begins before 501 is over. 504 ends before it
    # starts. 601: a date of death ten years too early.
    "admissions": """
subject_id,hadm_id,admittime,dischtime,deathtime,admission_type,insurance,hospital_expire_flag,race
1,103,2150-03-08 12:00:01,2150-03-11 00:00:01,,URGENT,Medicare,0,WHITE
1,101,2150-01-01 08:00:00,2150-01-05 12:00:00,,EW EMER.,Medicare,0,WHITE
1,102,2150-02-04 12:00:00,2150-02-06 12:00:00,,URGENT,,0,WHITE
2,201,2160-05-01 10:00:00,2160-05-10 10:00:00,,URGENT,Other,0,ASIAN
2,202,2160-05-10 10:00:00,2160-05-20 10:00:00,2160-05-20 10:00:00,URGENT,Other,1,ASIAN
3,301,2140-06-30 10:00:00,2140-07-01 18:00:00,,URGENT,Other,0,WHITE
4,400,2130-01-20 00:00:00,2130-02-28 12:00:00,,URGENT,Other,0,WHITE
4,401,2130-02-28 18:00:00,2130-03-01 12:00:00,,URGENT,Other,0,WHITE
5,501,2120-01-01 00:00:00,2120-01-10 00:00:00,,URGENT,Other,0,WHITE
5,502,2120-01-05 00:00:00,2120-01-20 00:00:00,,URGENT,Other,0,WHITE
5,503,2121-03-01 00:00:00,2121-03-02 12:00:00,,URGENT,Other,0,WHITE
5,504,2121-03-10 12:00:00,2121-03-10 11:00:00,,URGENT,Other,0,WHITE
6,601,2170-01-01 00:00:00,2170-01-03 00:00:00,,URGENT,Other,0,WHITE
""",
    # V45 is of both versions; 0389 begins with a zero; 101 has V45 of ICD-9 twice; 503 has nothing.
    "diagnoses_icd": """
subject_id,hadm_id,seq_num,icd_code,icd_version
1,101,1,V4501,9
1,101,2,V4502,9
1,101,3,0389,9
1,102,1,0380,9
2,201,1,V450XXA,10
3,301,1,0389,9
4,400,1,V4501,9
4,401,1,V4509,10
5,501,1,I509,10
2,202,1,I501,10
""",
    # 102 has a value taken after discharge and one that is no number; one value belongs to no stay;
    # 202 ends in death; 50912 is measured in three stays, 7 in one. 501, 502 and 503 have none.
    "labevents": """
labevent_id,subject_id,hadm_id,itemid,charttime,value,valuenum
1,1,101,50912,2150-01-01 07:00:00,1,1
2,1,101,7,2150-01-02 08:00:00,4,4
3,4,400,50912,2130-01-21 08:00:00,10,10
4,1,101,50912,2150-01-05 12:00:00,2.5,2.5
5,1,102,50912,2150-02-06 12:00:01,8,8
6,1,102,50912,2150-02-05 12:00:00,___,
7,5,,50912,2119-02-05 12:00:00,8,8
8,2,202,7,2160-05-11 12:00:00,8,8
9,4,401,50912,2130-02-28 19:00:00,-3,-3
10,4,400,50912,2130-01-22 08:00:00,20,20
11,4,400,50912,2130-01-23 08:00:00,60,60
""",
}


def write(folder, suffix=".csv", **changed):
    """The extract with some tables changed; a change to None leaves the table out."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**TABLES, **changed}.items():
        if text is not None:
            path = folder / f"{name}{suffix}"
            rows = pd.Series(text.strip().split("\n"))
            rows.to_csv(path, index=False, header=False, sep="\t", quoting=3)
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "mimic")


def read(folder, task="readmission", **options):
    with pytest.warns(DataWarning, match=r"admissions.csv.*: 1 stays .* hadm_id 504"):
        return read_mimic(folder, task=task, **{"min_patients": 1, "min_share": 0.0, **options})


STAYS = (101, 102, 103, 201, 301, 400, 401, 501, 502, 503)  # that the patient survives
LABELS = {
    "readmission": dict(zip(STAYS, (1, 0, 0, 1, 0, 1, 0, 0, 0, 0), strict=True)),
    "length_of_stay": {101: 2, 102: 2.5, 201: 10, 400: 0.75, 501: 1.5, 502: 1.5},
    "mortality": dict(zip(STAYS, (0, 0, 0, 1, 1, 0, 1, 0, 0, 0), strict=True)),
}


@pytest.mark.parametrize("task", LABELS)
def test_labels_are_those_worked_out_by_hand(folder, task):
    cohort = read(folder, task)
    assert cohort.label.to_dict() == LABELS[task]
    assert cohort.label.name == task
    assert (cohort.patient == cohort.patient.index // 100).all()


@pytest.mark.parametrize("task", LABELS)
def test_rows_in_any_order_are_the_same_stays(folder, tmp_path, task):
    whole, rng = read(folder, task), np.random.default_rng(0)
    for seed in range(3):
        changed = {}
        for name, text in TABLES.items():
            header, *lines = text.strip().split("\n")
            changed[name] = "\n".join([header, *rng.permutation(lines)])
        other = read(write(tmp_path / f"{seed}", **changed), task)
        pd.testing.assert_series_equal(other.label, whole.label)
        pd.testing.assert_series_equal(other.patient, whole.patient)
        pd.testing.assert_frame_equal(other.clinical, whole.clinical)
        for m, table in whole.modalities.items():
            pd.testing.assert_frame_equal(other.modalities[m], table)


STAY = "{0},{1},{2} 10:00:00,{3} 10:00:00,{4},URGENT,Other,{5},WHITE"


def with_stays(tmp_path, *stays):
    """The extract with more stays of patient 5: number, admission, discharge, deathtime, flag."""
    more = [STAY.format(5, *stay) for stay in stays]
    return write(
        tmp_path / "more", admissions=TABLES["admissions"].strip() + "\n" + "\n".join(more)
    )


def test_age_is_that_at_admission(tmp_path):
    """A stay over New Year; patient 5 is 40 in 2120."""
    clinical = read(with_stays(tmp_path, (506, "2129-12-30", "2130-01-02", "", 0))).clinical
    assert clinical.loc[[501, 503, 506], "age"].tolist() == [40, 41, 49]


def test_stays_come_by_admission_even_inside_each_other(tmp_path):
    inside = (507, "2130-01-05", "2130-01-06", "", 0), (506, "2130-01-01", "2130-01-20", "", 0)
    label = read(with_stays(tmp_path, *inside)).label
    assert [h for h in label.index if h // 100 == 5] == [501, 502, 503, 506, 507]


@pytest.mark.parametrize(("deathtime", "flag"), [("2130-01-03 09:00:00", 0), ("", 1)])
@pytest.mark.parametrize("task", LABELS)
def test_death_in_a_stay_is_told_by_time_or_flag(tmp_path, task, deathtime, flag):
    stays = (
        (506, "2130-01-01", "2130-01-03", deathtime, flag),
        (507, "2130-01-04", "2130-01-09", "", 0),
    )
    cohort = read(with_stays(tmp_path, *stays), task)
    assert 506 not in cohort.label.index
    if task == "readmission":
        assert 507 in cohort.label.index


def test_what_is_known_of_the_patient(folder):
    clinical = read(folder).clinical
    assert clinical.loc[101].to_list() == [61, "F", "EW EMER.", "Medicare"]
    assert clinical.loc[301, "age"] == 91
    assert pd.isna(clinical.loc[102, "insurance"])
    assert clinical.index.equals(read(folder).label.index)


def test_diagnoses_are_rolled_up_within_a_version(folder):
    cohort = read(folder)
    table = cohort.modalities["diagnoses"]
    assert cohort.kinds["diagnoses"] == "binary"
    codes = {stay: set(table.columns[row == 1]) for stay, row in table.iterrows()}
    assert codes == {
        101: {"icd9_V45", "icd9_038"},
        102: {"icd9_038"},
        201: {"icd10_V45"},
        301: {"icd9_038"},
        400: {"icd9_V45"},
        401: {"icd10_V45"},
        501: {"icd10_I50"},
    }
    assert set(np.unique(table)) == {0, 1}


def test_codes_of_digits_keep_their_zeros(tmp_path):
    text = "subject_id,hadm_id,icd_code,icd_version\n1,101,0389,9\n"
    table = read(write(tmp_path, diagnoses_icd=text)).modalities["diagnoses"]
    assert list(table.columns) == ["icd9_038"]


def test_codes_are_counted_in_patients_of_the_task(folder):
    # I50 is in a second patient, in a stay that ends in death; 038 in two patients, in three stays
    table = read(folder, min_patients=2).modalities["diagnoses"]
    assert list(table.columns) == ["icd10_V45", "icd9_038", "icd9_V45"]
    assert table.loc[501].sum() == 0  # has the modality, none of the codes


def test_labs_are_means_of_what_was_taken_by_discharge(folder):
    cohort = read(folder)
    expected = pd.DataFrame({"7": [4, np.nan, np.nan], "50912": [1.75, 30, -3]}, [101, 400, 401])
    pd.testing.assert_frame_equal(cohort.modalities["labs"], expected, check_names=False)
    assert cohort.kinds == {"diagnoses": "binary", "labs": "continuous", "clinical": "mixed"}


def test_a_mean_is_over_the_values_whatever_piece_they_come_in(tmp_path, monkeypatch):
    """Three items in five stays with up to six values each, against pandas."""
    rng, rows = np.random.default_rng(1), []
    for stay, patient, day in ((101, 1, "2150-01-02"), (102, 1, "2150-02-05"), (400, 4, "2130-01-21"),
                               (501, 5, "2120-01-02"), (503, 5, "2121-03-01")):  # fmt: skip
        for item in (7, 8, 50912):
            rows += [
                (patient, stay, item, f"{day} {h:02}:00:00", round(rng.normal(), 3))
                for h in range(rng.integers(1, 7))
            ]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    columns = ["subject_id", "hadm_id", "itemid", "charttime", "valuenum"]
    table = pd.DataFrame(rows, columns=columns)
    folder = write(tmp_path, labevents=table.to_csv(index=False))
    expected = table.pivot_table("valuenum", "hadm_id", "itemid", "mean")
    for size in (4, 1000):
        monkeypatch.setattr(mimic_tables, "_CHUNK", size)
        found = read(folder).modalities["labs"]
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        assert list(found.index) == list(expected.index)
        assert list(found.columns) == ["7", "8", "50912"]


def test_labs_are_counted_in_stays_of_the_task(folder):
    assert list(read(folder, min_share=0.3).modalities["labs"]) == ["50912"]  # 3 of 10
    with pytest.raises(InputError, match=r"no lab in 31% of the stays, but at most in 30%; lower"):
        read(folder, min_share=0.31)


@pytest.mark.parametrize("rows", [1, 2, 3, 10])
def test_reading_in_pieces_is_reading_at_once(folder, rows, monkeypatch):
    whole = read(folder).modalities["labs"]
    monkeypatch.setattr(mimic_tables, "_CHUNK", rows)
    pd.testing.assert_frame_equal(read(folder).modalities["labs"], whole)


def test_the_released_layout_reads_the_same(folder, tmp_path):
    write(tmp_path / "release" / "hosp", ".csv.gz")
    flat, released = read(folder), read(tmp_path / "release")
    for name, table in flat.modalities.items():
        pd.testing.assert_frame_equal(released.modalities[name], table)
    pd.testing.assert_frame_equal(released.clinical, flat.clinical)
    pd.testing.assert_series_equal(released.label, flat.label)


def test_notes_of_either_form_are_those_of_the_labelled_stays(folder, tmp_path):
    (tmp_path / "notes.csv").write_text(
        "hadm_id,subject_id,0,1\n401,4,.5,-1\n999,9,7,7\n101,1,2,3\n"
    )
    np.savez(
        tmp_path / "notes.npz",
        hadm_id=[401, 999, 101],
        embedding=np.array([[0.5, -1], [7, 7], [2, 3]]),
    )
    expected = pd.DataFrame({"0": [2, 0.5], "1": [3, -1.0]}, pd.Index([101, 401], name="hadm_id"))
    for name in ("notes.csv", "notes.npz"):
        cohort = read(folder, notes=tmp_path / name)
        pd.testing.assert_frame_equal(cohort.modalities["notes"], expected)
        assert cohort.kinds["notes"] == "continuous"


NOTES = {
    "hadm_id,note_id,a\n101,101-DS-1,2\n": r"'101-DS-1' in column 'note_id', hadm_id 101; keep hadm_id and",
    "hadm_id,a\n101,\n102,1\n": "nan in column 'a', hadm_id 101; .* no row for a stay without a note",
    "hadm_id,a\n101,inf\n": "inf in column 'a', hadm_id 101",
    "hadm_id,a\n101,2\n102,2\n101,3\n": "several rows of hadm_id 101; keep one",
    "stay,a\n101,2\n": "no column hadm_id, but stay, a",
    "hadm_id,a\n7,2\n": r"no note is of a stay with a label \(7\)",
    "hadm_id,subject_id\n101,1\n": "no column beside hadm_id",
}


@pytest.mark.parametrize("text", NOTES)
def test_bad_notes_are_refused(folder, tmp_path, text):
    (tmp_path / "notes.csv").write_text(text)
    with pytest.raises(InputError, match=rf"notes.csv: .*{NOTES[text]}"):
        read(folder, notes=tmp_path / "notes.csv")


def test_arrays_that_do_not_fit_are_refused(folder, tmp_path):
    path = tmp_path / "notes.npz"
    np.savez(path, hadm_id=[101, 102], embedding=np.zeros((3, 2)))
    with pytest.raises(InputError, match=r"hadm_id \[2\] and embedding \[3, 2\] must be"):
        read(folder, notes=path)
    np.savez(path, stay=[101], embedding=np.zeros((1, 2)))
    with pytest.raises(InputError, match=r"notes.npz: no column hadm_id, but stay, embedding"):
        read(folder, notes=path)
    np.savez(path, hadm_id=[101], embedding=np.array([[0.0, np.nan]]))
    with pytest.raises(InputError, match="nan in column 1, hadm_id 101"):
        read(folder, notes=path)


def swapped(name, old, new):
    assert old in TABLES[name]
    return {name: TABLES[name].replace(old, new, 1)}


BAD = {
    "missing table": (
        {"labevents": None},
        r"there is none of .*/labevents.csv, .*hosp/labevents.csv, ",
    ),
    "missing column": (
        swapped("admissions", "insurance", "payer"),
        "admissions.csv: no column insurance, but subject_id, hadm_id",
    ),
    "repeated stay": (swapped("admissions", "1,103", "1,102"), "several rows of hadm_id 102"),
    "repeated patient": (swapped("patients", "2,M", "1,M"), "several rows of subject_id 1"),
    "unknown patient": (
        swapped("patients", "2,M", "7,M"),
        "admissions.csv: subject_id 2 is not in the table of patients",
    ),
    "stay without a name": (
        swapped("admissions", "4,400", "4,"),
        "the stay nan in column 'hadm_id', subject_id 4",
    ),
    "unparsable admission": (
        swapped("admissions", "2150-02-04 12:00:00", "04/02/2150"),
        "the time '04/02/2150' in column 'admittime', subject_id 1; write it as 2150-01-31 13:45:00",
    ),
    "missing discharge": (
        swapped("admissions", "2150-02-06 12:00:00", ""),
        "the time nan in column 'dischtime', subject_id 1",
    ),
    "unparsable death": (
        swapped("patients", "2131-03-01", "March"),
        "patients.csv: .*'March' in column 'dod', subject_id 4; write it as 2150-01-31$",
    ),
    "unparsable lab": (
        swapped("labevents", "2130-02-28 19:00:00", "noon"),
        "labevents.csv: .*'noon' in column 'charttime', subject_id 4",
    ),
    "lab that is text": (
        swapped("labevents", "10,10\n", "10,high\n"),
        "labevents.csv: .*'high' in column 'valuenum', subject_id 4",
    ),
    "no row": (
        {"labevents": TABLES["labevents"].split("\n", 2)[1]},
        "labevents.csv: has a header and no row; fill or remove it",
    ),
    "unknown version": (
        swapped("diagnoses_icd", "0380,9", "0380,11"),
        "the version '11' .*ject_id 1",
    ),
    "missing code": (swapped("diagnoses_icd", "0380", ""), "the code nan .*subject_id 1"),
}


@pytest.mark.parametrize("case", BAD)
@pytest.mark.filterwarnings("ignore::jaxsurv.data.DataWarning")
def test_bad_tables_are_refused(tmp_path, case):
    changed, message = BAD[case]
    with pytest.raises(InputError, match=message):
        read_mimic(write(tmp_path, **changed), task="mortality", min_patients=1, min_share=0)


def test_a_table_that_is_there_twice_is_refused(folder):
    write(folder / "hosp", ".csv.gz")
    with pytest.raises(InputError, match=r"patients.csv, .*hosp/patients.csv.gz; keep one"):
        read_mimic(folder, task="mortality")


def test_settings_that_leave_nothing_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match=r"there is no task 'death', but readmission, length_of_"):
        read_mimic(folder, task="death")
    with pytest.raises(InputError, match="no code in 50 patients, but at most in 2; lower min_pat"):
        read(folder, min_patients=50)
    lines = TABLES["admissions"].strip().split("\n")
    once = write(tmp_path / "once", admissions="\n".join([lines[0], lines[-1], lines[6]]))
    with pytest.raises(
        InputError, match=r"admissions.csv: no stay has a label for 'length_of_stay'"
    ):
        read_mimic(once, task="length_of_stay")
