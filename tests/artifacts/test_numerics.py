"""Numbers of every method and model beside golden ones, so that none moves without its version.

python -m tests.artifacts.test_numerics         # golden numbers of the versions that were raised
"""

import json
from functools import partial
from pathlib import Path

import jax
import numpy as np
import pytest

from jaxsurv.artifacts import NUMERICS
from jaxsurv.data import simulate_cohort, stratified_kfold
from jaxsurv.factors import Structure, simulate_factors, simulate_loadings
from jaxsurv.metrics import bootstrap, brier_score, compare_concordance, concordance_index
from jaxsurv.models import (
    CoxNnetConfig,
    CoxNnetHParams,
    InVAConfig,
    InVAHParams,
    Model,
    cox_nnet,
    find_model,
    hcl_linear,
    inva,
    registered,
)
from jaxsurv.models.heads import HEADS
from jaxsurv.recipe import cox_members, prepare
from jaxsurv.study.statistics import corrected_t
from jaxsurv.survival import breslow_baseline, cox_fit, coxnet_path, kaplan_meier
from jaxsurv.training import FitConfig, Masks, fit
from tests.models.patients import N, make_batch

GOLDEN = Path(__file__).parents[1] / "reference" / "numerics.json"
COMMAND = "tests.artifacts.test_numerics"
INVA = Model("InVA", inva, InVAHParams(), InVAConfig((8,), 4, 2, (4,), outcome="survival"))


def patients(n=80, p=4):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, p))
    return x, rng.random(n) < 0.7, rng.exponential(np.exp(-x[:, 0])).round(1) + 0.1


def draws():
    key, numpy = jax.random.key(3), np.random.default_rng(3)
    yield jax.random.normal(key, 3), jax.random.gumbel(key, 3), jax.random.permutation(key, 5)
    yield numpy.normal(size=3), numpy.permutation(5)
    simulation = simulate_cohort(seed=1, n=60, n_genes=5, n_cnv=5)
    event, time = simulation.cohort.outcome("os")[:2]
    yield simulation.log_hazard[:5], time[:5], simulation.cohort.modalities["rna"].iloc[:2]
    yield np.flatnonzero(stratified_kfold(event, folds=3, seed=1).test[0])


def survival():
    x, event, time = patients()
    for ties in ("efron", "breslow"):
        model = cox_fit(x, event, time, ties=ties)
        yield model.coef, model.covariance[0], model.log_likelihood
    yield breslow_baseline(x[:, 0], event, time).values[:5]
    yield kaplan_meier(event, time).lower[:5]


def coxnet():
    path = coxnet_path(*patients(), n_lambdas=5)
    return path.lambdas, path.coef[-1]


def factors():
    structure = Structure.of({"a": 8, "b": 6}, 1)
    loadings = simulate_loadings(jax.random.key(0), structure)
    inputs, _ = simulate_factors(jax.random.key(1), loadings, structure, n=200)
    fitted = jax.jit(partial(hcl_linear, structure))(inputs)
    return (fitted.loadings @ fitted.loadings.T)[0], fitted.noise


def statistics():
    x, event, time = patients()
    one, two = (concordance_index(x[:, j], event, time) for j in (0, 1))
    yield one.interval(), two.standard_error, compare_concordance(one, two).p_value
    curves, times = np.exp(-np.outer(np.exp(x[:, 0]), [0.2, 0.5])), np.array([0.2, 0.5])
    yield brier_score(curves, times, event, time, train_event=event, train_time=time)
    drawn = bootstrap(lambda r, e, t: concordance_index(r, e, t).index, jax.random.key(0), x[:, 0],
                      event, time, n_samples=20)  # fmt: skip
    yield drawn.lower, drawn.upper, corrected_t(x[:10, 0], 0.25, repeat=np.arange(10) // 5)


def recipe():
    cohort = simulate_cohort(seed=1, n=80, n_genes=12, n_cnv=5).cohort
    data = prepare(cohort, "os", stratified_kfold(cohort.outcome("os").event, folds=2))
    for member in cox_members(data).values():
        yield np.asarray(member.log_hazard)[:, :4]
    yield jax.tree.leaves(data.fitted.projection["rna"])[0][0, :2]


def heads():
    batch = make_batch()
    for head in HEADS:
        if head == "competing":
            codes = batch.outcome.event * (1 + np.arange(N) % 2)
            batch = batch._replace(outcome=batch.outcome._replace(code=codes))
        objective = cox_nnet(CoxNnetConfig(head=head, intervals=4))
        params = jax.tree.map(lambda p: p + 0.05, objective.init(jax.random.key(0), batch))
        key, hparams = jax.random.key(1), CoxNnetHParams()
        yield jax.jit(objective.loss)(params, batch, key, hparams)
        yield objective.predict(params, batch)[:4]


def trained(model):
    """Losses and predictions of twelve epochs."""
    batch, train = make_batch(), np.arange(N) < 30
    masks = Masks(train, ~train, train | ~train)
    run = jax.jit(
        lambda key, hparams: fit(
            key, model.objective(model.config), hparams, batch, masks, FitConfig(epochs=12),
            optimizer=model.optimizer,
        )
    )(jax.random.key(0), model.hparams)  # fmt: skip
    predict = model.objective(model.config).predict
    return list(run.history.values()), np.ravel(predict(run.params, batch))[:8]


COMPUTE = {
    "random": draws, "survival": survival, "coxnet": coxnet, "factors": factors,
    "statistics": statistics, "recipe": recipe, "heads": heads,
    **{name: partial(trained, find_model(name)) for name in NUMERICS if name in registered()},
    "InVA": partial(trained, INVA),
}  # fmt: skip


def numbers(part):
    leaves = jax.tree.leaves(list(COMPUTE[part]()))
    return np.concatenate([np.ravel(np.asarray(leaf, float)) for leaf in leaves])


def golden():
    return json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}


def agree(now, entry):
    """True for numbers that are equal but for the rounding of another processor."""
    known = np.array(entry["numbers"], float)
    return now.shape == known.shape and np.allclose(now, known, 1e-4, 1e-5, equal_nan=True)


def refusal(part, now, entry):
    """What is wrong with the version of these numbers; None if nothing is."""
    if entry is None or entry["version"] != NUMERICS[part]:
        return f"no golden numbers of version {NUMERICS[part]} of {part!r}: python -m {COMMAND}"
    if agree(now, entry):
        return None
    return (
        f"the numbers of {part!r} moved: raise NUMERICS[{part!r}] in jaxsurv/artifacts/numerics.py, then "
        f"python -m {COMMAND}, then redo the results that python -m docs.check names"
    )


@pytest.mark.parametrize("part", NUMERICS)
def test_numbers_are_those_of_their_version(part):
    assert (message := refusal(part, numbers(part), golden().get(part))) is None, message


def test_moved_numbers_need_a_new_version():
    now, entry = np.array([1.0, np.nan]), {"version": NUMERICS["random"], "numbers": [1.0, np.nan]}
    assert refusal("random", now, entry) is None
    assert refusal("random", now * (1 + 1e-5), entry) is None
    assert "raise NUMERICS['random']" in str(refusal("random", now * (1 + 1e-3), entry))
    assert "raise NUMERICS['random']" in str(refusal("random", now[:1], entry))
    assert "no golden numbers" in str(refusal("random", now, {**entry, "version": 0}))


def test_every_registered_model_has_a_version():
    ours = {n for n, m in registered().items() if m.objective.__module__.startswith("jaxsurv.")}
    assert ours <= set(NUMERICS)
    assert set(COMPUTE) == set(NUMERICS)


def write():
    """Golden numbers of new versions; those of old versions stay as they are."""
    entries = golden()
    for part in NUMERICS:
        if entries.get(part, {}).get("version") != NUMERICS[part]:
            now = [float(f"{x:.7g}") for x in numbers(part)]
            entries[part] = {"version": NUMERICS[part], "numbers": now}
            print("new golden numbers:", part)
    lines = [f"{json.dumps(part)}: {json.dumps(entries[part])}" for part in NUMERICS]
    GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write()
