"""Cohorts: checked tables, folders on disk, a bundled cohort, hospital stays, images, simulators, splits."""

from jaxsurv.data.bundled import load_tcga_acc
from jaxsurv.data.cohort import Cohort
from jaxsurv.data.copy_number import five_states
from jaxsurv.data.deaths import competing_deaths
from jaxsurv.data.grouped_splits import grouped_kfold, leave_one_group_out
from jaxsurv.data.images import Images, read_images
from jaxsurv.data.landmarks import landmark_cohort
from jaxsurv.data.mimic import MimicCohort, read_mimic
from jaxsurv.data.pooling import concat_cohorts, read_cohorts
from jaxsurv.data.readers import read_cohort, read_features, write_cohort
from jaxsurv.data.simulate import Simulation, simulate_cohort
from jaxsurv.data.split_files import read_splits
from jaxsurv.data.splits import Splits, single_split, stratified_kfold, without_test
from jaxsurv.data.stored_rows import StoredRows, open_rows
from jaxsurv.data.tables import DataWarning

__all__ = [
    "Cohort",
    "DataWarning",
    "Images",
    "MimicCohort",
    "Simulation",
    "Splits",
    "StoredRows",
    "competing_deaths",
    "concat_cohorts",
    "five_states",
    "grouped_kfold",
    "landmark_cohort",
    "leave_one_group_out",
    "load_tcga_acc",
    "open_rows",
    "read_cohort",
    "read_cohorts",
    "read_features",
    "read_images",
    "read_mimic",
    "read_splits",
    "simulate_cohort",
    "single_split",
    "stratified_kfold",
    "without_test",
    "write_cohort",
]
