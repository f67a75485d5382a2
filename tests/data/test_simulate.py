"""The simulated cohort has the published shape, a known truth, and a signal that can be learned."""

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from lifelines.utils import concordance_index
from scipy.optimize import minimize

from jaxsurv.data import simulate_cohort, stratified_kfold
from jaxsurv.types import InputError


@pytest.fixture(scope="module")
def simulation():
    return simulate_cohort()


def test_the_published_numbers(simulation):
    cohort = simulation.cohort
    assert {m: t.shape for m, t in cohort.modalities.items()} == {
        "rna": (767, 500),
        "cnv": (877, 200),
        "sbs": (947, 10),
        "igh": (783, 8),
        "clinical": (1143, 3),
    }
    assert cohort.complete.sum() == 628
    assert cohort.outcome("os").event.sum() == 400
    assert cohort.kinds["rna"] == "counts"
    assert cohort.kinds["cnv"] == "five_state"
    np.testing.assert_allclose(cohort.modalities["sbs"].sum(axis=1), 1.0)
    clinical = cohort.modalities["clinical"]
    assert clinical["sex"].nunique() + clinical["iss"].nunique() == 5
    states = cohort.modalities["cnv"].to_numpy()
    assert {-2, -1, 0, 1, 2} == set(np.unique(states))
    assert 0.5 < (states == 0).mean() < 0.8


@pytest.mark.parametrize(("n", "seed"), [(50, 1), (97, 2), (300, 3), (2000, 4)])
def test_other_sizes_in_proportion_and_without_constant_columns(n, seed):
    cohort = simulate_cohort(
        seed, n, n_genes=20, n_cnv=10
    ).cohort  # a DataWarning would be an error
    sizes = {"rna": 767, "cnv": 877, "sbs": 947, "igh": 783, "clinical": 1143}
    assert {m: len(t) for m, t in cohort.modalities.items()} == {
        m: round(size * n / 1143) for m, size in sizes.items()
    }
    assert cohort.complete.sum() == round(628 * n / 1143)
    assert abs(cohort.outcome("os").event.mean() - 0.35) <= 1 / n


def test_a_seed_gives_one_cohort(simulation):
    assert simulate_cohort().cohort.fingerprint() == simulation.cohort.fingerprint()
    assert simulate_cohort(1).cohort.fingerprint() != simulation.cohort.fingerprint()


def test_the_truth_is_a_proportional_hazard(simulation):
    outcome = simulation.cohort.outcome("os")
    frame = pd.DataFrame({"x": simulation.log_hazard, "t": outcome.time, "e": outcome.event})
    fit = CoxPHFitter().fit(frame, "t", "e")
    assert abs(fit.params_["x"] - 1) < 3 * fit.standard_errors_["x"]
    # Censoring knows nothing of the hazard beyond what the time at risk explains.
    fit = CoxPHFitter().fit(frame.assign(e=1 - frame["e"]), "t", "e")
    assert abs(fit.params_["x"]) < 3 * fit.standard_errors_["x"]


def oracle(simulation):
    outcome = simulation.cohort.outcome("os")
    return concordance_index(outcome.time, -simulation.log_hazard, outcome.event)


def test_the_oracle_leaves_room():
    scores = [oracle(simulate_cohort(seed, n_genes=5, n_cnv=5)) for seed in range(5)]
    assert 0.75 < np.mean(scores) < 0.80


def ridge_cox(x, event, time, penalty):
    """Breslow likelihood per event, by L-BFGS."""
    order = np.argsort(-time)
    x, event = x[order], event[order]

    def loss(beta):
        eta = x @ beta
        risk = np.exp(eta - eta.max())
        total = np.cumsum(risk)
        value = -(event * (eta - eta.max() - np.log(total))).sum()
        gradient = x.T @ (risk * np.cumsum((event / total)[::-1])[::-1] - event)
        penalised = penalty * event.sum()
        return value + penalised * beta @ beta / 2, gradient + penalised * beta

    return minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x


def test_a_linear_model_learns_most_of_it(simulation):
    cohort, outcome = simulation.cohort, simulation.cohort.outcome("os")
    tables = dict(cohort.modalities)
    tables["rna"] = np.log1p(tables["rna"])
    tables["clinical"] = pd.get_dummies(tables["clinical"], dtype=float)
    x = pd.concat(tables, axis=1).reindex(cohort.survival.index).to_numpy()
    clinical = np.arange(x.shape[1]) >= x.shape[1] - tables["clinical"].shape[1]

    def cross_validated(columns, penalty):
        scores = []
        splits = stratified_kfold(outcome.event, validation_fraction=None)
        for train, test in zip(splits.develop, splits.test, strict=True):
            z = x[:, columns] - np.nanmean(x[train][:, columns], axis=0)
            z = np.nan_to_num(z / np.nanstd(x[train][:, columns], axis=0))
            beta = ridge_cox(z[train], outcome.event[train], outcome.time[train], penalty)
            scores.append(
                concordance_index(outcome.time[test], -z[test] @ beta, outcome.event[test])
            )
        return np.mean(scores)

    best = oracle(simulation) - 0.5
    assert 0.8 < (cross_validated(clinical | True, 4.0) - 0.5) / best < 0.95
    assert 0.2 < (cross_validated(clinical, 0.01) - 0.5) / best < 0.6


def test_refusals():
    with pytest.raises(InputError, match=r"n >= 50.* got 10, 500, 200 and 0\.65"):
        simulate_cohort(n=10)
    with pytest.raises(InputError, match=r"censored in \[0, 1\)"):
        simulate_cohort(censored=1.0)
