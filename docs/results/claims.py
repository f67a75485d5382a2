"""Claims of the four papers, each with the row of a result that judges it."""

from typing import Any

from docs.results.verdicts import Claim


def _vae(
    claim: str,
    published: str,
    study: str,
    setting: str,
    value: str = "reference_mean",
    *,
    file: str = "pooled_summary.csv",
    measure: str | None = None,
    **judged: Any,
) -> Claim:
    """Claim on a row of MO-RiskVAE's family, as a mean over cohorts."""
    row = f"setting == {setting!r}" + (f" and measure == {measure!r}" if measure else "")
    return Claim("MO-RiskVAE", claim, published, study, file, row, value, **judged)


def _image(
    claim: str, method: str, *, n: int = 200, file: str = "summary.csv", **judged: Any
) -> Claim:
    """Claim on a difference from InVA in the base condition: SNR 5, half of the variance shared."""
    base = "snr == 5 and private == 0.5 and shift == 0 and kernel == 'matern52'"
    row = f"method == {method!r} and n == {n} and {base}"
    return Claim("InVA", claim, "", "inva", file, row, "difference_mean", **judged)


def _recovery(method: str, sizes: str = "100 / 100 / 100", noise: int = 1, n: int = 5000) -> Claim:
    """Claim on the error of a method's loading blocks minus that of HCL."""
    row = f"method == {method!r} and sizes == {sizes!r} and noise == {noise} and n == {n}"
    claim = (
        f"error of loading blocks: {method} minus HCL, {sizes} features, noise {noise}, n = {n:,}"
    )
    return Claim("HCL", claim, "", "hcl", "summary.csv", row, "difference_mean")


def _label(method: str, n: int, m: int, claim: str = "") -> Claim:
    """Claim on the excess risk of a method minus that of HCL."""
    row = f"method == {method!r} and n == {n} and m == {m}"
    claim = f"excess risk: {method} minus HCL, {n} patients without a label, {m:,} with{claim}"
    return Claim("HCL", claim, "", "hcl", "labels_summary.csv", row, "difference_mean")


def _teacher(claim: str, published: str, setting: str, cohort: str, **judged: Any) -> Claim:
    """Claim on a difference of Cox-MT on one cohort."""
    row = f"setting == {setting!r} and cohort == {cohort!r}"
    named = f"{claim}, {cohort}"
    return Claim("Cox-MT", named, published, "cox_mt", "differences.csv", row, "mean", **judged)


_HYBRID = "hybrid, K = 4, τ = 0.5"
CLAIMS: tuple[Claim, ...] = (
    _vae("β < 1 is better than β = 1, network alone, β chosen per fold", "+0.028", "mo_riskvae_alone",
         "β-KL: chosen per fold", size=0.028),
    _vae("the same with the block ridge as offset", "", "mo_riskvae", "β-KL: chosen per fold", size=0.028),
    _vae("the same in the released code: w = 0.01 minus w = 1", "+0.028", "paper", "β = 0.01", size=0.028),
    _vae("the same in the released code: w = 0.5 minus w = 1", "", "paper", "β = 0.5"),
    _vae("MMD in place of KL brings nothing, network alone", "-0.002", "mo_riskvae_alone",
         "MMD: chosen per fold", expected=0),
    _vae("MMD and HSIC bring nothing, network alone", "+0.000", "mo_riskvae_alone",
         "MMD + HSIC: chosen per fold", expected=0),
    _vae("MO-RiskVAE is better than KL, network alone", "+0.065", "mo_riskvae_alone",
         "MO-RiskVAE: chosen per fold", size=0.065),
    _vae("the same with the block ridge as offset", "", "mo_riskvae", "MO-RiskVAE: chosen per fold",
         size=0.065),
    _vae("a hybrid latent raises C, network alone", "+0.047", "latent_structure_alone", _HYBRID, size=0.047),
    _vae("the first component of μ follows the risk better in a hybrid latent", "+0.121",
         "latent_structure_alone", _HYBRID, file="pooled_alignment.csv", measure="first_component",
         size=0.121),
    _vae("so do the dimensions of μ on average", "+0.049", "latent_structure_alone", _HYBRID,
         file="pooled_alignment.csv", measure="mean_dimension", size=0.049),
    _vae("the categories are no stable subtypes (adjusted Rand index between seeds)", "",
         "latent_structure_alone", _HYBRID, "mean", file="pooled_subtypes.csv", expected=None, style=".2f"),
    *(Claim("MO-RiskVAE", f"HSIC of {penalty}, weight 100, takes the cohort out of the latent: accuracy of a "
            "classifier", "", "hsic_source", "removal.csv",
            f"measurements == 'as measured' and penalty == {penalty!r} and weight == 100",
            "accuracy_minus_mean", -1)
      for penalty in ("residuals", "the latent")),
    _vae("MO-RiskVAE is better than ridge Cox (no baseline of the paper), network alone", "",
         "mo_riskvae_alone", "MO-RiskVAE: chosen per fold", "ridge_mean"),
    _vae("the same, stacked, with the block ridge as offset", "", "mo_riskvae", "MO-RiskVAE, stacked",
         "ridge_mean"),
    _vae("MyeVAE as released is better than ridge Cox (no baseline of the paper)", "", "mo_riskvae_alone",
         "MyeVAE as released", "ridge_mean"),
    *(_teacher("Cox-MT minus Cox-nnet, both chosen per fold", published,
               "Cox-MT: chosen per fold minus Cox-nnet: chosen per fold", cohort, size=0.09)
      for cohort, published in (("BRCA", "+0.09"), ("LUAD", "+0.09 to +0.18"), ("LUSC", "+0.09 to +0.18"))),
    *(_teacher("Cox-MT minus the same network without a teacher (not in the paper)", "",
               "Cox-MT: chosen per fold minus network: chosen per fold", cohort)
      for cohort in ("BRCA", "LUAD", "LUSC")),
    *(_teacher("more unlabelled patients help: three quarters minus none, a quarter labelled", "",
               "25% labelled, 75% unlabelled: Cox-MT minus 25% labelled, 0% unlabelled: Cox-MT", cohort)
      for cohort in ("BRCA", "LUAD", "LUSC")),
    *(_teacher("the censored part of the consistency loss helps", "",
               "25% labelled, 75% unlabelled: Cox-MT minus 25% labelled, 75% unlabelled: no censored part",
               cohort) for cohort in ("BRCA", "LUAD", "LUSC")),
    *(Claim("Cox-MT", f"the teacher is robust to a shift: minus its network, ovarian {cohort}, {training}",
            "", "cox_mt_shift", "summary.csv",
            f"method == 'Cox-MT' and cohort == {cohort!r} and training == {training!r}", "difference_mean")
      for training in ("early stopping", "100 epochs") for cohort in ("study04", "study09", "study13")),
    *(Claim("Cox-MT", f"a second source helps: RNA and copy numbers minus RNA alone, {cohort}", "+0.02",
            "cox_mt_two", "differences.csv",
            "setting == 'Cox-MT, learning rate 0.0002, decay 0.0001 minus Cox-MT, rna alone' and "
            f"cohort == {cohort!r}", "mean") for cohort in ("ACC", "LUAD")),
    Claim("Cox-MT", "unlabelled patients of another platform help, ovarian study04, 100 epochs", "",
          "cox_mt_platform", "differences.csv",
          "setting == 'Cox-MT, 100 epochs minus Cox-MT, labelled patients alone, 100 epochs'", "mean"),
    *(Claim("Cox-MT", "the teacher helps where patients form clusters of equal risk (simulated): minus its "
            f"network, {training}", "", "unlabelled", "summary.csv",
            "separation == 16 and signal == 1 and event_rate == 0.1 and unlabelled == 1000 and "
            f"{row}", "mean")
      for training, row in (("60 epochs", "not early_stopping"), ("early stopping", "early_stopping"))),
    Claim("Cox-MT", "the teacher serves other fields: Cox-MT minus its network, recidivism", "",
          "cox_mt_recidivism", "differences.csv",
          "setting == 'Cox-MT: chosen per fold minus network: chosen per fold'", "mean"),
    _image("error of one VAE of both images minus InVA", "VAE, images joined"),
    _image("error of a VAE of image 1 minus InVA", "VAE, image 1 alone"),
    _image("error of tensor regression minus InVA", "tensor regression"),
    _image("error of BART of single pixels minus InVA, 16 pixels", "pixel-wise BART",
           file="beside_summary.csv"),
    _image("error of ridge of single pixels minus InVA (not in the paper), n = 200", "pixel-wise ridge"),
    _image("the same, n = 50", "pixel-wise ridge", n=50),
    _image("the shared encoder helps: error without it minus InVA", "no shared encoder"),
    _image("training jointly helps: error of features that only reconstruct minus InVA",
           "reconstruction only"),
    _image("reconstruction helps: error without it minus InVA", "prediction only"),
    _image("standard deviations help: error without them minus InVA", "no standard deviations"),
    *(_recovery(method) for method in ("HCL-SVD", "JIVE", "SVD")),
    *(_recovery(method, "100 / 500 / 800", 6) for method in ("HCL-SVD", "SVD")),
    _label("SVD", 60, 140),
    _label("JIVE", 60, 140),
    _label("ridge on all features", 60, 140, " (not in the paper)"),
    _label("ridge on all features", 8000, 10000, " (not in the paper)"),
    *(Claim("HCL", f"contrast helps survival: HCL minus the same network without it, {cohort}", "",
            "hcl_survival", "summary.csv", f"setting == 'HCL: chosen per fold' and cohort == {cohort!r}",
            "reference_mean") for cohort in ("ACC", "BRCA")),
)  # fmt: skip
