"""Cox-MT's study from the command line, and the sentences about its claims."""

from types import SimpleNamespace

import pandas as pd
import pytest

from experiments.cox_mt import command as cox_mt
from experiments.cox_mt.claims import RowNames, differences, told
from jaxsurv.study.statistics import Estimate


@pytest.mark.slow
@pytest.mark.parametrize("second", [[], ["--second", "protein"]], ids=["rna", "rna and protein"])
def test_the_study(second, tmp_path, capsys):
    arguments = ["--preset", "smoke", *second, "--out", str(tmp_path / "r")]
    assert cox_mt.main(arguments) == 0
    summary = pd.read_csv(tmp_path / "r" / "summary.csv").set_index("setting")
    for name in (
        "Cox-nnet, log λ = -2", "network, learning rate 0.002, decay 0.0001",
        "Cox-MT, learning rate 0.002, decay 0.0001",
        "Cox-MT, w = 3", "Cox-MT, α = 0.9", "Cox-MT, σ = 0", "pseudo-risk", "network, 4 epochs",
        "Cox-MT, 4 epochs", "50% labelled: network", "50% labelled, 0% unlabelled: Cox-MT",
        "50% labelled, 50% unlabelled: Cox-MT", "50% labelled, 50% unlabelled: no censored part",
        "Cox-nnet: chosen per fold", "Cox-MT: chosen per fold", "ridge Cox", "clinical Cox",
        *(("Cox-MT, rna alone", "network, rna alone") if second else ()),
    ):  # fmt: skip
        assert 0 < summary.loc[name, "ibs_mean"] < 0.4
        assert summary.loc[name, "mean"] > 0
    runs = pd.read_csv(tmp_path / "r" / "runs.csv")
    taught = runs["teacher_test_c"].notna()
    assert set(runs.loc[taught, "method"]) == {"Cox-MT", "few labels"}
    assert runs.loc[runs["setting"] == "Cox-MT, 4 epochs", "epochs"].eq(4).all()
    gain = pd.read_csv(tmp_path / "r" / "differences.csv").set_index("setting")["mean"]
    splits = runs[runs["setting"] == "pseudo-risk"].groupby(["repeat", "fold"])["test_c"].mean()
    mean = (
        splits
        - runs[runs["setting"] == "Cox-MT, learning rate 0.002, decay 0.0001"]
        .groupby(["repeat", "fold"])["test_c"]
        .mean()
    )
    told = gain.filter(regex="^pseudo-risk minus Cox-MT")
    assert told.tolist() == pytest.approx([mean.mean()], abs=1e-6)
    report = (tmp_path / "r" / "report.html").read_text()
    assert "published gain of 0.09 to 0.18" in report
    assert "Prediction error" in report
    assert (tmp_path / "r" / "figures" / "profiles.svg").stat().st_size > 1000
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--modality", "images"], "there is no modality ['images']"),
        (["--second", "clinical"], "the clinical table is a baseline here"),
        (["--protocol", "two-way"], "use --protocol three-way"),
        (["--labelled", "0.5"], "with the largest unlabelled, at most 1"),
        (["--l2", "0", "0"], "l2 must be given and different"),
    ],
)
def test_refusals(options, message, tmp_path, capsys):
    assert cox_mt.main([*options, "--out", str(tmp_path / "r")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lower", "upper", "verdict", "absent"),
    [
        (-0.01, 0.10, "leaves open", set()),
        (-0.01, 0.05, "rules out", {"labelled", "labelled_all"}),
        (0.1, 0.2, "supports", {"first", "first_network"}),
    ],
)
def test_the_published_gain_is_judged_by_the_interval(lower, upper, verdict, absent):
    rows = RowNames(**{f: f for f in RowNames._fields} | {"growing": ("fewest", "most")})
    findings = SimpleNamespace(
        difference=lambda *_: Estimate(0.02, lower, upper, 0.5),
        runs=pd.DataFrame({"teacher_test_c": [0.7, None, 0.6], "test_c": [0.6, 0.1, 0.6]}),
        summary=pd.DataFrame({"setting": [*(set(rows._fields) - absent), "fewest"]}),
    )
    judged = differences(findings, rows)
    assert judged["setting"].tolist()[:2] == ["mt minus nnet", "mt minus network"]
    more = [
        "centre minus labelled", "mt_all minus labelled_all", "centre minus first",
        "plain minus first_network",
    ]  # fmt: skip
    there = [name for name in more if name.split()[-1] not in absent]
    assert judged["setting"].tolist()[8:] == there
    sentences = told(findings, rows, judged)
    assert f"which {verdict} the published gain" in sentences
    assert "Teacher minus student: +0.0500" in sentences
    assert "'most' minus the supervised network" in sentences
    assert sentences.count("': +0.020") == len(there)
