"""External validation from the command line: trained here, loaded from files, or both."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.external_validation import command as external_validation
from experiments.external_validation.command import ROWS
from experiments.external_validation.models import file_of, named_estimators
from jaxsurv.data import read_cohort, simulate_cohort, write_cohort
from jaxsurv.estimators import HCL, Coxnet, Network, SurvivalStack, load
from jaxsurv.types import InputError

# three epochs teach a network nothing
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.* have no modality at all:jaxsurv.data.DataWarning"),
]
SMALL = ("--epochs", "3", "--seeds", "2", "--betas", "0.1", "--components", "4")


def run(*arguments) -> int:
    return external_validation.main([str(a) for a in arguments])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A training cohort, one like it, one without the clinical table, one in other units, one of nothing."""
    folder = tmp_path_factory.mktemp("cohorts")
    whole = simulate_cohort(n=360, n_genes=20, n_cnv=10).cohort
    kept = {m: whole.modalities[m] for m in ("clinical", "rna", "cnv")}
    kinds = {m: whole.kinds[m] for m in kept}

    def write(name, rows, kinds=kinds, **changes):
        part = replace(
            whole, modalities={m: kept[m] for m in kinds}, kinds=kinds, name=name,
            survival=whole.survival.iloc[rows], **changes,
        )  # fmt: skip
        write_cohort(part, folder / name)

    write("first", slice(0, 150))
    write("second", slice(150, 260))
    write("molecular", slice(260, 360), {"rna": "counts", "cnv": "five_state"})
    write("years", slice(260, 360), time_unit="years")
    survival = whole.survival.iloc[260:]
    strange = pd.DataFrame({"x": np.arange(100.0)}, index=survival.index)
    write_cohort(
        replace(
            whole, modalities={"protein": strange}, kinds={}, survival=survival, name="strange"
        ),
        folder / "strange",
    )
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """Two estimators, fitted to the first cohort and judged on the second."""
    out = folder / "trained"
    names = ("ridge Cox", "MO-RiskVAE, stacked")
    assert run(
        "--train", folder / "first", "--external", folder / "second", "--estimators", *names, *SMALL,
        "--out", out,
    ) == 0  # fmt: skip
    return out


def test_what_was_fitted_is_kept(trained, folder):
    table = pd.read_csv(trained / "external.csv")
    assert table["model"].tolist() == ["ridge Cox", "MO-RiskVAE, stacked"]
    assert set(table["cohort"]) == {"second"}
    assert table.drop(columns="note").notna().all(axis=None)
    model = load(trained / "model.zip")
    assert isinstance(model, SurvivalStack)
    assert model.fitted().cohort.patients == 150
    with_tables = load(trained / file_of("MO-RiskVAE, stacked"))
    pd.testing.assert_series_equal(model.weights_, with_tables.weights_)
    notes = json.dumps(json.loads((trained / "manifest.json").read_text()))
    assert "models/mo_riskvae_stacked.zip" in notes
    page = (trained / "report.html").read_text()
    for text in (
        "mapped to the means and standard deviations of the training cohort",
        "Weights",
        "beta 0.1",
        "Features found",
        "trained on first: 150 patients",
    ):
        assert text in page
    risks = pd.read_csv(trained / "risks.csv")
    patients = read_cohort(folder / "second").survival.index
    assert risks["patient"].tolist() == patients.tolist()


def test_a_resumed_run_fits_only_what_is_not_there(trained, folder, tmp_path, capsys):
    shutil.copytree(trained, tmp_path / "again")
    again = tmp_path / "again"
    table = pd.read_csv(again / "external.csv")
    ridge, stack = (again / file_of(name) for name in table["model"])
    stack.unlink()
    (again / "report.html").unlink()
    before = ridge.stat().st_mtime_ns
    arguments = (
        "--train",
        folder / "first",
        "--external",
        folder / "second",
        "--estimators",
        *table["model"],
    )
    assert run(*arguments, *SMALL, "--out", again, "--resume") == 0
    assert ridge.stat().st_mtime_ns == before
    assert stack.read_bytes() == (trained / file_of("MO-RiskVAE, stacked")).read_bytes()
    assert (again / "report.html").exists()
    pd.testing.assert_frame_equal(pd.read_csv(again / "external.csv"), table)


@pytest.mark.filterwarnings(
    "ignore::jaxsurv.data.DataWarning"
)  # which the note in the table repeats
def test_saved_models_alone(trained, folder, tmp_path):
    models = (trained / "model.zip", trained / file_of("ridge Cox"))
    external = (folder / "second", folder / "molecular")
    assert run("--model", *models, "--external", *external, "--out", tmp_path / "r") == 0
    table = pd.read_csv(tmp_path / "r" / "external.csv").set_index(["model", "cohort"])
    assert len(table) == 4
    assert "clinical" in table.loc[("trained/model", "molecular"), "note"]
    assert table["c"].notna().all()
    page = (tmp_path / "r" / "report.html").read_text()
    assert "Loaded as they were saved" in page
    assert "SHA-256" in page
    assert "Nothing was harmonised" in page
    assert not (tmp_path / "r" / "models").exists()
    found = pd.read_csv(tmp_path / "r" / "features_found.csv")
    assert found.query("modality == 'clinical' and cohort == 'molecular'")["found"].tolist() == [
        0,
        0,
    ]
    # counts on disk, and a model that was trained on their logarithms
    risks = pd.read_csv(tmp_path / "r" / "risks.csv").query("cohort == 'second'")
    second = read_cohort(folder / "second")
    tables = dict(second.modalities) | {"rna": np.log2(second.modalities["rna"] + 1)}
    expected = load(trained / "model.zip").risk_table(tables)["risk"]
    found = risks.set_index("patient")["trained/model"]
    np.testing.assert_allclose(found[expected.index], expected, rtol=1e-5, atol=1e-6)


def test_saved_models_beside_trained_ones(trained, folder, tmp_path):
    """Externals are harmonised to the training cohort: a model judged twice has one row twice."""
    assert run(
        "--train", folder / "first", "--external", folder / "second", "--estimators", "ridge Cox",
        "--model", trained / file_of("ridge Cox"), "--out", tmp_path / "r",
    ) == 0  # fmt: skip
    table = pd.read_csv(tmp_path / "r" / "external.csv").set_index("model")
    loaded, fitted = table.loc["models/ridge_cox"], table.loc["ridge Cox"]
    pd.testing.assert_series_equal(loaded, fitted, check_names=False)
    same = pd.read_csv(trained / "external.csv").set_index("model").loc["ridge Cox"]
    pd.testing.assert_series_equal(fitted, same)


@pytest.mark.filterwarnings("ignore::jaxsurv.data.DataWarning")
def test_a_model_that_a_cohort_has_nothing_for_does_not_end_the_run(folder, tmp_path, capsys):
    assert run(
        "--train", folder / "first", "--external", folder / "molecular",
        "--estimators", "clinical Cox", "ridge Cox", "--out", tmp_path / "r",
    ) == 0  # fmt: skip
    table = pd.read_csv(tmp_path / "r" / "external.csv").set_index("model")
    assert table.loc["clinical Cox", ["c", "slope", "ibs"]].isna().all()
    assert table.loc["ridge Cox", ["c", "slope", "ibs"]].notna().all()
    assert "'clinical Cox' on molecular: no member can score it" in capsys.readouterr().out


REFUSALS = {
    "no external": (("--train", "first"), "--external"),
    "model without external": (("--model", "trained/model.zip"), "--external"),
    "external alone": (("--external", "second"), "--train, the cohort to train on, or --model"),
    "nothing to harmonise to": (
        ("--model", "trained/model.zip", "--external", "second", "--harmonise", "z-score"),
        "--harmonise z-score needs --train",
    ),
    "nothing to fit to": (
        ("--model", "trained/model.zip", "--external", "second", "--estimators", "HCL"),
        "--estimators needs --train",
    ),
    "unknown estimator": (("--estimators", "Cox-net"), "no estimator 'Cox-net'; --estimators takes ridge"),
    "same estimator twice": (("--estimators", "HCL", "CoxMT", "HCL"), "different, got HCL, HCL"),
    "unit": (
        ("--model", "trained/model.zip", "--external", "years"),
        "was trained on times in days, and cohort 'years' has them in years; convert the times",
    ),
    "no modality": (
        ("--model", "trained/model.zip", "--external", "strange"),
        "cohort 'strange': no member can score it",
    ),
    "no model": (("--model", "first", "--external", "second"), "is missing; a model is a folder with"),
    "same model twice": (
        ("--model", "trained/model.zip", "trained/model.zip", "--external", "second"), "twice",
    ),
    "plan": (("--plan", "1x1x1"), "leave out --plan"),
    "seeds": (("--seeds", "0"), "seeds must be at least 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals(case, trained, folder, tmp_path, capsys):
    arguments, message = REFUSALS[case]
    made = [folder / a if (folder / a).exists() else a for a in arguments]
    assert run(*made, "--out", tmp_path / "r") == 2
    assert message in capsys.readouterr().err


def test_a_cohort_without_an_event_is_refused(folder, tmp_path, capsys):
    second = read_cohort(folder / "second")
    endpoint = second.endpoints[0]
    alive = second.take((second.survival[f"{endpoint}_event"] == 0).to_numpy())
    write_cohort(alive.renamed("alive"), tmp_path / "alive")
    arguments = ("--train", folder / "first", "--external", tmp_path / "alive")
    assert run(*arguments, "--out", tmp_path / "r") == 2
    assert (
        f"cohort 'alive' has {len(alive.survival)} patients and no event" in capsys.readouterr().err
    )


def test_names_of_estimators():
    settings = {"betas": (0.1, 1.0), "seeds": 3, "components": 5, "epochs": 7}
    made = named_estimators([*ROWS, "HCL", "SurvivalVAE", "Coxnet"], **settings)
    headline, hcl, vae = (made[n] for n in ("MO-RiskVAE, stacked", "HCL", "SurvivalVAE"))
    assert headline.grid == {"beta": (0.1, 1.0)}
    assert (headline.recipe.components, headline.n_seeds, headline.epochs) == (5, 3, 7)
    assert isinstance(hcl, HCL)
    assert hcl.n_seeds == 3
    assert isinstance(vae, Network)
    assert vae.model == "SurvivalVAE"
    assert isinstance(made["Coxnet"], Coxnet)
    with pytest.raises(InputError, match="no estimator 'InVA'"):  # which predicts images
        named_estimators(["InVA"], **settings)


@pytest.mark.slow
def test_smoke(tmp_path, capsys):
    assert run("--preset", "smoke", "--out", tmp_path / "r") == 0
    printed = capsys.readouterr().out
    folder = tmp_path / "r"
    table = pd.read_csv(folder / "external.csv")
    assert set(table["cohort"]) == {"external A", "external B"}
    assert table["model"].iloc[-1] == "MO-RiskVAE, stacked"
    assert "MO-RiskVAE, stacked" in printed
    assert (table["c"] > 0.5).mean() > 0.8  # the simulated truth is there to be found
    assert (pd.read_csv(folder / "features_found.csv").eval("features == found")).all()
    for name in ("external_c", "kaplan_meier"):
        assert (folder / "figures" / f"{name}.svg").stat().st_size > 1000
    assert "Features found" in (folder / "report.html").read_text()
    models = {p.name: p.stat().st_mtime_ns for p in (folder / "models").iterdir()}
    assert len(models) == 6
    (folder / "report.html").unlink()
    assert run("--preset", "smoke", "--out", folder, "--resume") == 0
    pd.testing.assert_frame_equal(pd.read_csv(folder / "external.csv"), table)
    assert {p.name: p.stat().st_mtime_ns for p in (folder / "models").iterdir()} == models
    assert (folder / "report.html").exists()
