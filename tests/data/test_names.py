"""Two spellings of one name, in every place where tables are joined by names; genes turned into dates."""

import re
import unicodedata
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.exceptions import ConvergenceWarning

from jaxsurv.data import Cohort, DataWarning, read_cohort
from jaxsurv.data.formats import read_any
from jaxsurv.data.identifiers import patients_of
from jaxsurv.data.names import alike, dates_for_names, name_key, shown
from jaxsurv.estimators import Coxnet
from jaxsurv.types import InputError

N = 60
RNG = np.random.default_rng(0)
NAMES = [f"Pé-{i:02d}" for i in range(N)]
OUTCOME = pd.DataFrame({"os_time": RNG.exponential(9, N), "os_event": RNG.integers(0, 2, N)}, NAMES)
RNA = pd.DataFrame(RNG.normal(size=(N, 4)), NAMES).add_prefix("gene")
CLINICAL = pd.DataFrame({"age": RNG.normal(60, 9, N), "sex": ["f", "m"] * (N // 2)}, NAMES)

SPELLINGS = {
    "blank": "{} ".format,
    "inner blank": lambda n: n.replace("é", "é "),
    "no-break space": "{}\N{NO-BREAK SPACE}".format,
    "zero width": "{}\N{ZERO WIDTH SPACE}".format,
    "byte order mark": "\N{ZERO WIDTH NO-BREAK SPACE}{}".format,
    "tab": "{}\t".format,
    "quotes": '"{}"'.format,
    "capitals": str.upper,
    "NFD": lambda n: unicodedata.normalize("NFD", n),
    "dots": lambda n: n.replace("-", "."),
    "en dash": lambda n: n.replace("-", "\N{EN DASH}"),
    "slash": lambda n: n.replace("-", "/"),
    "number sign": lambda n: n.replace("-", " #"),
    "blank for hyphen": lambda n: n.replace("-", " "),
    "no separator": lambda n: n.replace("-", ""),
    "leading zeros": lambda n: n.replace("-0", "-"),
    "Cyrillic": lambda n: n.replace("P", "\N{CYRILLIC CAPITAL LETTER ER}"),
    "Greek": lambda n: n.replace("P", "\N{GREEK CAPITAL LETTER RHO}"),
    "full width": lambda n: n.replace("0", "\N{FULLWIDTH DIGIT ZERO}"),
}


@pytest.mark.parametrize(
    "numbers", [["7", "007", "7.0", "07.00", " 7"], ["100000", "1e+05", "1E5"]]
)
def test_spellings_of_numbers_have_one_key(numbers):
    assert len(set(map(name_key, numbers))) == 1
    assert len(set(map(name_key, ["7", "70", "700", "7.5", "7.05", "0.7"]))) == 6


@pytest.mark.parametrize("name", ["CARS1", "capex", "BETA-1", "MKX", "pOt"])
@pytest.mark.parametrize("case", [str, str.upper, str.lower])
def test_letters_of_other_alphabets_that_look_alike_have_one_key(name, case):
    cyrillic = case(name).translate(str.maketrans("ABCEHKMOPTXYaceopxy", "АВСЕНКМОРТХУасеорху"))
    greek = case(name).translate(str.maketrans("ABEHIKMNOPTXYZo", "ΑΒΕΗΙΚΜΝΟΡΤΧΥΖο"))
    assert {name_key(n) for n in (name, cyrillic, greek)} == {name_key(name)}
    assert name_key(cyrillic.upper()) == name_key(cyrillic.lower())
    if cyrillic != case(name):
        assert shown([(case(name), cyrillic)]).isascii()  # so that the difference is seen


def test_other_names_have_other_keys():
    assert len(set(map(name_key, ["TNFα", "TNFγ", "Ж1", "Д1", "муж", "жен"]))) == 6
    names = ["P-1", "P-10", "P-1-1", "P-11", "Q-1", "1-P", "P+1", "10e99"]
    assert len(set(map(name_key, names))) == len(names)
    assert name_key("1e999999") == "1e999999"  # not written out
    assert alike(["tp53 ", "MYC"], ["TP53", "MYC"]) == [("tp53 ", "TP53")]


@given(st.text(max_size=12))
def test_a_key_knows_no_unicode_form_blanks_or_capitals(name):
    key = name_key(name)
    assert key == name_key(f" {name}\N{ZERO WIDTH SPACE}\u00a0")
    assert key == name_key(unicodedata.normalize("NFD", name))


def respelled(table, how, rows=slice(None, None, 2)):
    names = {n: SPELLINGS[how](n) for n in table.index[rows]}
    return table.rename(index=names)


def pair(how):
    """Message that names the first patient in both spellings."""
    names = NAMES[0], SPELLINGS[how](NAMES[0])
    return "|".join(re.escape(shown([group])) for group in (names, names[::-1]))


@pytest.fixture(scope="module")
def fitted():
    y = OUTCOME.set_axis(["time", "event"], axis=1)
    with pytest.warns(ConvergenceWarning, match="no feature has a coefficient"):  # noise
        return Coxnet(n_lambdas=5, folds=3).fit({"rna": RNA, "clinical": CLINICAL}, y)


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("rows", [slice(1), slice(None, None, 2), slice(None)], ids=str)
def test_no_join_loses_a_patient_who_is_spelled_in_two_ways(how, rows, fitted, tmp_path):
    rna = respelled(RNA, how, rows)
    outcome = OUTCOME.set_axis(["time", "event"], axis=1)
    joins = {
        "survival": lambda: Cohort({"rna": rna}, OUTCOME),
        "modalities": lambda: Cohort({"rna": rna, "clinical": CLINICAL}, OUTCOME),
        "new patients": lambda: fitted.predict({"rna": rna, "clinical": CLINICAL}),
        "estimator": lambda: Coxnet().fit({"rna": rna, "clinical": CLINICAL}, outcome),
    }
    for join in joins.values():
        with pytest.raises(InputError, match=pair(how)):
            join()


READ = {
    "quotes",
    "tab",
    "blank",
    "byte order mark",
    "no-break space",
}  # taken off, some with a warning


@pytest.mark.parametrize("how", sorted(set(SPELLINGS) - READ))
@pytest.mark.parametrize("semi_supervised", [False, True])
def test_nor_does_a_cohort_in_files(how, semi_supervised, tmp_path):
    OUTCOME.to_csv(tmp_path / "survival.csv")
    CLINICAL.to_csv(tmp_path / "clinical.csv")
    respelled(RNA, how).to_csv(tmp_path / "rna.csv")
    with pytest.raises(InputError, match=pair(how)):
        read_cohort(tmp_path, semi_supervised=semi_supervised)


@pytest.mark.parametrize("how", SPELLINGS)
def test_nor_does_a_list_of_samples(how):
    samples = pd.Index([f"{n}-T" for n in NAMES])
    listed = {SPELLINGS[how](s): n for s, n in zip(samples, NAMES, strict=True)}
    with pytest.raises(InputError, match=r"between rna\.txt, list of samples: "):
        patients_of(samples, "rna.txt", patients=listed)


def test_tumour_samples_of_one_patient_are_no_two_patients_but_normal_tissue_is_apart():
    names = [f"TCGA-AA-{i:04d}-01" for i in range(N)]
    outcome, rna = OUTCOME.set_axis(names), RNA.set_axis(names)
    other = rna.rename(index={names[0]: names[0][:-2] + "06"})
    with pytest.raises(
        InputError, match="'TCGA-AA-0000-01' and 'TCGA-AA-0000-06' are names of one"
    ):
        Cohort({"rna": rna, "cnv": other}, outcome)
    normal = rna.rename(index={names[0]: names[0][:-2] + "11"})
    assert Cohort({"rna": rna, "cnv": normal}, outcome).presence["cnv"].sum() == N - 1


def test_names_that_only_a_separator_keeps_apart_are_two_patients_of_one_table():
    names = {NAMES[1]: "Pé3"}
    both = RNA.rename(index=names)
    assert Cohort({"rna": both}, OUTCOME.rename(index=names)).complete.all()


@pytest.mark.filterwarnings("ignore:.* have no modality at all:jaxsurv.data.DataWarning")
def test_two_patients_in_one_table_are_two_and_told_of_where_another_has_one():
    names = {NAMES[1]: NAMES[3].lower()}
    both = RNA.rename(index=names)
    assert Cohort({"rna": both}, OUTCOME.rename(index=names)).complete.all()
    with pytest.warns(DataWarning, match="1 names look alike and are not in all tables: 'P"):
        Cohort({"rna": both}, OUTCOME)


@pytest.mark.parametrize("how", SPELLINGS)
def test_columns_and_categories_in_two_spellings_are_told(how, fitted):
    known = NAMES[0]
    new = SPELLINGS[how](known)
    rna = RNA.assign(**{known: RNA["gene0"] + 1, new: RNA["gene1"]})
    with pytest.warns(DataWarning, match="names look alike stay apart.*in 'rna'"):
        Cohort({"rna": rna}, OUTCOME)
    if new.strip() == known:
        return  # blanks around a category are taken off
    table = CLINICAL.assign(stage=[known, new] * (N // 2))
    with pytest.warns(DataWarning, match="categories that look alike stay apart.*'stage' in 'clin"):
        Cohort({"clinical": table}, OUTCOME)


def test_new_patients_columns_in_two_spellings_are_told_or_refused(fitted):
    tables = {"rna": RNA, "clinical": CLINICAL}
    with pytest.warns(DataWarning, match="look like features that it reads: 'Gene0 ' and 'gene0'"):
        risk = fitted.predict({**tables, "rna": RNA.assign(**{"Gene0 ": 9.0})})
    np.testing.assert_array_equal(risk, fitted.predict(tables))

    needed = fitted.model_.preprocessing.features_read(("rna",))["rna"]
    assert "gene0" in needed
    with pytest.raises(InputError, match=r"lacks 1 .*names that look alike: 'Gene0 ' and 'gene0'"):
        fitted.predict({**tables, "rna": RNA.rename(columns={"gene0": "Gene0 "})})


DATES = [
    "1-Mar",
    "2-Sep",
    "Mar-01",
    "01-Mrz",
    "1. Mär",
    "10-Sep-21",
    "4-Oct",
    "2021-09-02 00:00:00",
]
DATES += ["2021-09-02", "02/09/2021", "44256", "44256.0", "2.31E+13", "1-DEC", "5-août"]
GENES = [
    "TP53",
    "MARCH1",
    "MARCHF1",
    "SEPT2",
    "DEC1",
    "OCT4",
    "SEP15",
    "HLA-DRB1",
    "NKX2-1",
    "1-marker",
]
GENES += [
    "ENSG00000141510",
    "cg00000029",
    "RP11-206L10.1",
    "hsa-let-7a",
    "17q21.31",
    "12345",
    "7157",
]


def test_dates_for_genes_are_known():
    assert dates_for_names([*GENES, *DATES]) == DATES
    entrez = [str(i) for i in range(44000, 44500)]
    assert dates_for_names([*entrez, "TP53"]) == []


@pytest.mark.parametrize("name", DATES)
def test_a_cohort_names_genes_that_became_dates(name):
    with pytest.warns(
        DataWarning, match=f"genes that a spreadsheet .*: {re.escape(name)} in 'rna'"
    ):
        Cohort({"rna": RNA.rename(columns={"gene2": name})}, OUTCOME)


def test_readers_of_other_formats_do_too(tmp_path):
    cells = {f"P{i}": [i + 0.25, (3 * i) % 7 + 0.5, (5 * i) % 11 - 1.0] for i in range(9)}
    rna = pd.DataFrame(cells, pd.Index(["1-Mar", "1-Mar", "KRAS"], name="Hugo_Symbol"))
    patients = pd.DataFrame({"PATIENT_ID": list(cells), "OS_MONTHS": np.arange(9) + 1.5})
    patients["OS_STATUS"] = ["1:DECEASED", "0:LIVING", "0:LIVING"] * 3
    samples = pd.DataFrame({"PATIENT_ID": list(cells), "SAMPLE_ID": list(cells)})
    rna.to_csv(tmp_path / "data_mrna_seq_v2_rsem.txt", sep="\t")
    patients.to_csv(tmp_path / "data_clinical_patient.txt", sep="\t", index=False)
    samples.to_csv(tmp_path / "data_clinical_sample.txt", sep="\t", index=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read_any(tmp_path)
    assert any("a spreadsheet made dates" in str(w.message) for w in caught)
