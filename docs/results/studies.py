"""Commands whose results the pages show."""

from typing import NamedTuple


class Study(NamedTuple):
    """Results of one command, or of one command on several cohorts.

    Attributes:
        command: module and options of the experiment. A word that begins with ``$JAXSURV_COHORTS/`` is a
            folder in the one that this environment variable names.
        files: tables to keep.
        uses: parts of ``NUMERICS`` on which they depend.
        hours: expected hours on two cores.
        cohorts: folders of cohorts on which the command is run; none = without ``--cohort``. Their tables
            are one with a column ``cohort``, and a second one has means over cohorts.
    """

    command: str
    files: tuple[str, ...]
    uses: tuple[str, ...]
    hours: float
    cohorts: tuple[str, ...] = ()


_RECIPE = ("random", "survival", "statistics", "recipe")
_VAE = (*_RECIPE, "SurvivalVAE")
_SEVEN = tuple(f"tcga_{c}" for c in ("acc", "blca", "brca", "hnsc", "luad", "lusc", "skcm"))
_OVARIAN = (
    "--train $JAXSURV_COHORTS/ovarian/study16 --external $JAXSURV_COHORTS/ovarian/study04 "
    "$JAXSURV_COHORTS/ovarian/study09 $JAXSURV_COHORTS/ovarian/study13"
)
_TWO = ("tcga_acc", "tcga_luad")
_STRUCTURE = (
    "alignment.csv", "hazard_ratios.csv", "subtypes.csv", "summary.csv", "temperatures.csv"
)  # fmt: skip
_LATENT = "experiments.latent_structure --categories 4 --temperatures 0.1 0.5 --seeds 3"
_COX_MT = (*_RECIPE, "CoxMT", "CoxNnet")
_FEW = "--seeds 1 --weights 3 --alphas 0.9 --noises 0 --unlabelled 0 --l2 -3 -1 1"  # settings
STUDIES = {
    "default": Study(
        "experiments.sweep_beta --seeds 5 --repeats 3 --endpoint os", ("summary.csv",), _VAE, 0.2, _SEVEN
    ),
    "recipe": Study(
        "experiments.recipe --seeds 3 --endpoint os", ("summary.csv",), (*_VAE, "MORiskVAE", "coxnet"),
        0.2, _SEVEN,
    ),
    "many_cohorts": Study(
        "experiments.many_cohorts --cohorts $JAXSURV_COHORTS/tcga_blca $JAXSURV_COHORTS/tcga_brca "
        "$JAXSURV_COHORTS/tcga_hnsc $JAXSURV_COHORTS/tcga_luad $JAXSURV_COHORTS/tcga_lusc "
        "$JAXSURV_COHORTS/tcga_skcm --modality rna --endpoint os --folds 3 --repeats 2 --seeds 2",
        ("shared.csv", "summary.csv", "worth.csv"), _VAE, 0.3,
    ),
    "regularizers": Study(
        "experiments.regularizers --seeds 3 --endpoint os",
        ("magnitudes.csv", "summary.csv"), _VAE, 0.2, _SEVEN,
    ),
    "regularizers_alone": Study(
        "experiments.regularizers --seeds 3 --endpoint os --offset none",
        ("magnitudes.csv", "summary.csv"), _VAE, 0.2, _SEVEN,
    ),
    "latent_structure": Study(
        f"{_LATENT} --endpoint os", _STRUCTURE, (*_VAE, "MORiskVAE"), 0.1, _SEVEN
    ),
    "latent_structure_alone": Study(
        f"{_LATENT} --endpoint os --offset none", _STRUCTURE, (*_VAE, "MORiskVAE"), 0.1, _SEVEN
    ),
    "mo_riskvae": Study(
        "experiments.mo_riskvae --seeds 3 --endpoint os", ("summary.csv",),
        (*_VAE, "MORiskVAE", "MyeVAE", "CoxNnet", "coxnet"), 0.3, _SEVEN,
    ),
    "mo_riskvae_alone": Study(
        "experiments.mo_riskvae --seeds 3 --endpoint os --offset none", ("summary.csv",),
        (*_VAE, "MORiskVAE", "MyeVAE", "CoxNnet", "coxnet"), 0.3, _SEVEN,
    ),
    "paper": Study(
        "experiments.sweep_beta --preset paper --seeds 3 --endpoint os", ("summary.csv",),
        (*_RECIPE, "MyeVAE", "coxnet"), 0.4, _SEVEN,
    ),
    "paper_single_split": Study(
        "experiments.sweep_beta --preset paper --protocol single-split --seeds 10 --endpoint os",
        ("summary.csv",), (*_RECIPE, "MyeVAE", "coxnet"), 0.1, _TWO,
    ),
    "external_ovarian_clinical": Study(
        f"experiments.external_validation {_OVARIAN} --recalibrate 0.3",
        ("external.csv", "recalibrated.csv", "turned.csv"), (*_VAE, "MORiskVAE", "coxnet"), 0.1,
    ),
    "external_ovarian": Study(
        f"experiments.external_validation {_OVARIAN} --without clinical",
        ("external.csv",), (*_VAE, "MORiskVAE", "coxnet"), 0.1,
    ),
    "heads": Study(
        "experiments.heads --endpoint os", ("calibration.csv", "summary.csv"),
        (*_VAE, "heads"), 0.3, _SEVEN,
    ),
    "cox_mt": Study(
        "experiments.cox_mt --seeds 1 --endpoint pfi", ("differences.csv", "summary.csv"),
        _COX_MT, 0.5,
        ("tcga_brca", "tcga_luad", "tcga_lusc"),
    ),
    "cox_mt_two": Study(
        "experiments.cox_mt --second cnv --complete-only --endpoint os "
        f"{_FEW} --learning-rates 2e-4 --weight-decays 1e-4",
        ("differences.csv", "summary.csv"), _COX_MT, 0.6, _TWO,
    ),
    "cox_mt_recidivism": Study(
        f"experiments.cox_mt --cohort $JAXSURV_COHORTS/recidivism --modality covariates {_FEW}",
        ("differences.csv", "summary.csv"), _COX_MT, 0.1,
    ),
    "cox_mt_platform": Study(
        "experiments.cox_mt --cohort $JAXSURV_COHORTS/ovarian/study04 --modality expression --platform "
        f"$JAXSURV_COHORTS/ovarian/study16 {_FEW}",
        ("differences.csv", "summary.csv"), _COX_MT, 0.1,
    ),
    "cox_mt_shift": Study(
        f"experiments.cox_mt.shift {_OVARIAN} --modality expression --seeds 10",
        ("summary.csv",), _COX_MT, 0.1,
    ),
    "hcl_survival": Study(
        "experiments.hcl_survival --seeds 3 --endpoint os", ("importance.csv", "summary.csv"),
        (*_RECIPE, "factors", "HCL", "MORiskVAE"), 0.3, ("tcga_acc", "tcga_brca"),
    ),
    "coverage": Study(
        "experiments.coverage --learners ridge", ("small_sets.csv", "summary.csv"), _RECIPE, 0.2
    ),
    "coverage_networks": Study(
        "experiments.coverage --learners network --replicates 2", ("summary.csv",),
        ("random", "statistics", "CoxNnet"), 0.4,
    ),
    "unlabelled": Study(
        "experiments.unlabelled", ("summary.csv",), ("random", "survival", "statistics", "CoxMT"), 0.1
    ),
    "hsic_source": Study(
        "experiments.hsic_source --cohorts $JAXSURV_COHORTS/tcga_blca $JAXSURV_COHORTS/tcga_brca "
        "$JAXSURV_COHORTS/tcga_hnsc $JAXSURV_COHORTS/tcga_luad --endpoint os --weights 10 100 1000 "
        "--folds 3 --seeds 2",
        ("removal.csv",), _VAE, 0.3,
    ),
    "inva": Study(
        "experiments.inva --replicates 12", ("beside_summary.csv", "summary.csv"),
        ("random", "statistics", "InVA"), 0.5,
    ),
    "hcl": Study(
        "experiments.hcl --replicates 20 --many 500 8000",
        ("labels_summary.csv", "slopes.csv", "summary.csv"),
        ("random", "statistics", "factors"), 0.8,
    ),
}  # fmt: skip
