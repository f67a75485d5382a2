"""Elastic-net selection, round-robin imputation and scaling in repeated folds: time and peak memory.

python -m benchmarks.preprocessing FOLDER ENDPOINT
"""

import resource
import sys
import time

import numpy as np

from jaxsurv.data import read_cohort, stratified_kfold
from jaxsurv.recipe import Recipe, prepare
from jaxsurv.training import one_device_per_core


def main(folder: str, endpoint: str) -> None:
    one_device_per_core()
    cohort = read_cohort(folder).for_endpoint(endpoint)
    splits = stratified_kfold(cohort.outcome(endpoint).event, folds=5, repeats=5)
    start = time.perf_counter()
    recipe = Recipe(select="elastic-net", impute="round-robin", components=None, offset="none")
    data = prepare(cohort, endpoint, splits, recipe)
    wall = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    used = (np.asarray(data.fitted.gain) > 0).sum(axis=1)
    n, d = data.encoded.x.shape
    print(
        f"{n} patients, {d} features, {len(used)} splits: {wall:.0f} s, peak {peak:.1f} GB, "
        f"{used.min()}-{used.max()} features selected"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
