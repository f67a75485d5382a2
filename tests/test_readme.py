"""What the README says is run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from jaxsurv.data import load_tcga_acc, write_cohort
from jaxsurv.estimators import SurvivalStack

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


@pytest.mark.filterwarnings("ignore:no epoch of any network")
@pytest.mark.filterwarnings("ignore:constant features:jaxsurv.data.DataWarning")
@pytest.mark.filterwarnings(
    "ignore:categories that no row of the fit had"
)  # a rare one in a test fold
def test_python_block_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    few = {**SurvivalStack.__init__.__kwdefaults__, "epochs": 4, "n_seeds": 2}  # of each stack
    monkeypatch.setattr(SurvivalStack.__init__, "__kwdefaults__", few)
    write_cohort(load_tcga_acc(), "my_cohort")
    (block,) = BLOCKS
    exec(block, names := {})
    assert len(names["scores"]) == len(names["cohort"].survival)
    assert (tmp_path / "my_model.zip").exists()


def test_paths_and_pictures_exist():
    text = (ROOT / "README.md").read_text()
    for path in re.findall(r"\]\(((?!http)[^)]+)\)", text) + re.findall(
        r"`(jaxsurv/[\w/]+\.md)`", text
    ):
        assert (ROOT / path).exists(), path


def test_the_losses_load_without_the_rest():
    heavy = "['flax', 'optax', 'pandas', 'scipy', 'sklearn', 'lifelines', 'matplotlib', 'rich']"
    code = (
        "import sys; from jaxsurv.survival import neg_log_partial_likelihood; "
        "from jaxsurv.divergences import hsic, mmd2; from jaxsurv.latent import gumbel_softmax; "
        f"print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
