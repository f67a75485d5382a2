"""From options to a study that is ready to train."""

from dataclasses import replace

import numpy as np
import pytest

from jaxsurv.cli.options import RecipeOptions
from jaxsurv.cli.setup import open_study, refuse_entry
from jaxsurv.data import Cohort, landmark_cohort, write_cohort
from jaxsurv.recipe import Recipe, selection_table
from jaxsurv.types import InputError
from tests.data.several_rows import OUTCOME, changing
from tests.recipe.cohorts import small_cohort


@pytest.mark.filterwarnings("ignore::jaxsurv.data.DataWarning")
def test_selection_is_reported_and_leaves_the_baselines_alone(tmp_path):
    write_cohort(small_cohort(), tmp_path / "cohort")
    options = {"cohort": str(tmp_path / "cohort"), "folds": 2, "components": 0}
    plain = open_study(RecipeOptions(**options, out=tmp_path / "a"))
    assert not plain.data.fitted.chosen
    study = open_study(RecipeOptions(**options, out=tmp_path / "b", select="variance"))
    table = selection_table(study.data)
    assert len(table) == 12
    assert (table["frequency"] == 1).all()  # of no more than 200
    for name, model in plain.baselines.items():
        np.testing.assert_array_equal(model.log_hazard, study.baselines[name].log_hazard)


def test_delayed_entry_is_refused_until_the_scores_know_it(tmp_path):
    cohort = small_cohort()
    late = replace(cohort, survival=cohort.survival.assign(os_entry=0.0))
    with pytest.raises(InputError, match=r"'os' has delayed entry \(os_entry\)"):
        refuse_entry(late, "os")
    refuse_entry(cohort, "os")
    write_cohort(late, tmp_path / "cohort")
    options = RecipeOptions(cohort=str(tmp_path / "cohort"), folds=2, out=tmp_path / "r")
    with pytest.raises(InputError, match=r"'os' has delayed entry \(os_entry\)"):
        open_study(options)


def test_patients_with_several_rows_are_refused_by_what_takes_them(tmp_path):
    cohort = Cohort(changing(0), OUTCOME, name="changing")
    write_cohort(cohort, tmp_path / "cohort")
    options = RecipeOptions(cohort=str(tmp_path / "cohort"), folds=2, out=tmp_path / "r")
    told = (
        r"patients of 'changing' have several rows.* jaxsurv.estimators .* jaxsurv.metrics.landmark"
    )
    with pytest.raises(InputError, match=told):
        open_study(options)
    write_cohort(landmark_cohort(cohort, "os", 2), tmp_path / "later")
    later = replace(options, cohort=str(tmp_path / "later"), out=tmp_path / "s")
    assert open_study(later).data.splits.test.any()


def test_options_are_the_recipe(tmp_path):
    write_cohort(small_cohort(), tmp_path / "cohort")
    options = {"cohort": str(tmp_path / "cohort"), "folds": 2}
    default = open_study(RecipeOptions(**options, out=tmp_path / "a"))
    assert default.data.recipe == Recipe()
    assert not default.config.head_reads_clinical  # the offset has it
    other = open_study(
        RecipeOptions(**options, out=tmp_path / "b", components=0, offset="none", impute="mean")
    )
    assert other.data.recipe == Recipe(components=None, offset="none", impute="mean")
    assert other.config.head_reads_clinical
    for name, model in default.baselines.items():
        np.testing.assert_array_equal(model.log_hazard, other.baselines[name].log_hazard)
