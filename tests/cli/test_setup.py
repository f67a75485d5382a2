import numpy as np
import pytest

from jaxsurv.cli.options import RecipeOptions
from jaxsurv.cli.setup import open_study
from jaxsurv.data import write_cohort
from jaxsurv.recipe import selection_table

from .test_baselines import small_cohort


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
