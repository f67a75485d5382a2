"""The bundled cohort is the one that its README describes."""

from importlib import resources

from jaxsurv.data import load_tcga_acc


def test_tcga_acc_is_as_described():
    cohort = load_tcga_acc()
    assert len(cohort.survival) == 92
    assert cohort.complete.sum() == 43
    assert cohort.outcome("os").event.sum() == 34
    assert {m: t.shape for m, t in cohort.modalities.items()} == {
        "clinical": (92, 10),
        "cnv": (90, 198),
        "mirna": (80, 471),
        "mutation": (90, 97),
        "protein": (46, 33),
        "rna": (79, 198),
    }
    assert cohort.kinds["mirna"] == "counts"
    assert cohort.time_unit == "days"
    outcome = cohort.outcome("os")
    assert outcome.event[outcome.time == 0].sum() == 1


def test_attribution_travels_with_the_data():
    cohort = load_tcga_acc()
    assert "Zheng" in cohort.source
    assert "TCGA" in cohort.licence
    readme = (resources.files("jaxsurv.data") / "tcga_acc" / "README.md").read_text("utf-8")
    assert "TCGA Research Network" in readme
