"""The real cohort that comes with the package."""

import warnings
from importlib import resources

from jaxsurv.data.cohort import Cohort
from jaxsurv.data.readers import read_cohort
from jaxsurv.data.tables import DataWarning


def load_tcga_acc() -> Cohort:
    """TCGA adrenocortical carcinoma: 92 patients, 34 deaths, five omics and clinical data.

    RNA 79 x 198 and miRNA 80 x 471 (counts), CNV 90 x 198 (five states), protein 46 x 33, mutation
    90 x 97; 43 patients have everything. Endpoint ``os`` in days; one patient died on day 0. Real
    missingness, small enough for tests, far too small to rank methods.

    24 of the mutation columns are constant, which is known here and gives no ``DataWarning``.

    Source: The Cancer Genome Atlas (Zheng et al. 2016, Cancer Cell 29:723), as ``miniACC`` of the
    Bioconductor package MultiAssayExperiment; open-access data, see the README beside the files.
    """
    bundle = resources.files("jaxsurv.data") / "tcga_acc"
    with resources.as_file(bundle) as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return read_cohort(folder)
