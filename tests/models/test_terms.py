"""The terms against their definitions, on the rows of the mask taken out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from jaxsurv.models import SurvivalVAEConfig
from jaxsurv.models.backbone import Forward
from jaxsurv.models.terms import mmd_to_prior, residual_dependence, terms
from jaxsurv.nets import Posterior
from jaxsurv.survival import neg_log_partial_likelihood

from .patients import SIZES, N, in_double, make_batch

WHERE = np.arange(N) % 4 > 0
RNG = np.random.default_rng(3)


def outputs():
    log_hazard = RNG.normal(size=N)
    reconstructions = {m: jnp.asarray(RNG.normal(size=(N, d))) for m, d in SIZES.items()}
    mu, logvar, z = (jnp.asarray(RNG.normal(size=(N, 3))) for _ in range(3))
    logits = jnp.asarray(RNG.normal(size=(N, 4)))
    x = jnp.asarray(log_hazard)
    return Forward(x, x, None, Posterior(mu, logvar, logits), z, reconstructions)


def test_mmd_to_the_prior(x64):
    z = RNG.normal(1.0, 0.5, (N, 5))
    got = mmd_to_prior(SurvivalVAEConfig(), jnp.asarray(z), jnp.asarray(WHERE))
    z, s = z[WHERE], 5**2 / 2  # InfoVAE's kernel is exp(-|x - y|² / d²)
    within = np.exp(-cdist(z, z, "sqeuclidean") / (2 * s)).mean()
    between = (s / (s + 1)) ** 2.5 * np.exp(-(z**2).sum(axis=1) / (2 * (s + 1))).mean()
    np.testing.assert_allclose(got, within + (s / (s + 2)) ** 2.5 - 2 * between, rtol=1e-10)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("regulariser", ["kl", "mmd", "mmd_hsic", "none"])
def test_each_term_reads_its_own_part_of_the_pass(regulariser, reduction, x64):
    """KL the posterior, MMD the draws, Cox the log hazard; of the rows of the mask."""
    config = SurvivalVAEConfig(regulariser=regulariser, reduction=reduction, categories=4)
    batch, out = in_double(make_batch()).restrict(jnp.asarray(WHERE)), outputs()
    got = terms(config, batch, out)
    mu, logvar, logits = (np.asarray(a)[WHERE] for a in out.posterior)
    total = {"mean": np.mean, "sum": np.sum}[reduction]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    x = np.asarray(out.log_hazard)
    cox = neg_log_partial_likelihood(
        x[WHERE], *(np.asarray(a)[WHERE] for a in batch.outcome[:2]), reduction=reduction
    )
    expected = {
        "kl": total(0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)),
        "mmd": mmd_to_prior(config, out.z, jnp.asarray(WHERE)),
        "hsic": residual_dependence(config, batch, out),
        "categorical_kl": total((p * np.log(4 * p)).sum(axis=1)),
        "cox": cox,
    }
    names = {"kl": {"kl"}, "mmd": {"mmd"}, "mmd_hsic": {"mmd", "hsic"}, "none": set()}[regulariser]
    assert set(got) == names | {"reconstruction", "categorical_kl", "cox"}
    for name in set(got) - {"reconstruction"}:
        np.testing.assert_allclose(got[name], expected[name], rtol=1e-9, err_msg=name)


def naive_hsic(x, y):
    """tr(K H L H) / n² at the root mean square distances."""
    kernels = []
    for a in (x, y):
        square = cdist(a, a, "sqeuclidean")
        kernels.append(np.exp(-square / (2 * square.mean())))
    centre = np.eye(len(x)) - 1 / len(x)
    return np.trace(kernels[0] @ centre @ kernels[1] @ centre) / len(x) ** 2


def naive_martingale(log_hazard, event, time):
    """Event minus expected events under Efron's baseline, straight from the sums."""
    hazard, expected = np.exp(log_hazard), np.zeros(len(time))
    for t in np.unique(time[event > 0]):
        at_risk, died = time >= t, (time == t) & (event > 0)
        for k in range(died.sum()):
            share = k / died.sum()
            jump = 1 / (hazard[at_risk].sum() - share * hazard[died].sum())
            expected += hazard * jump * (at_risk - share * died)
    return event - expected


@pytest.mark.parametrize("kind", ["martingale", "source"])
def test_dependence_of_residuals(kind, x64):
    batch, out = in_double(make_batch()), outputs()
    source = np.eye(3)[RNG.integers(3, size=N)]
    batch = batch._replace(source=jnp.asarray(source)).restrict(jnp.asarray(WHERE))
    got = residual_dependence(SurvivalVAEConfig(hsic=kind), batch, out)

    event, time = (np.asarray(a)[WHERE] for a in batch.outcome[:2])
    present = {m: np.asarray(batch.presence[m])[WHERE][:, None] for m in SIZES}
    x = np.hstack([present[m] * np.asarray(batch.inputs[m])[WHERE] for m in SIZES])
    residuals = naive_martingale(np.asarray(out.log_hazard)[WHERE], event, time)[:, None]
    other = source[WHERE] if kind == "source" else x
    np.testing.assert_allclose(got, naive_hsic(residuals, other), rtol=1e-6)


def test_dependence_does_not_pull_on_the_level_of_the_log_hazard(x64):
    config, out = SurvivalVAEConfig(), outputs()
    batch = in_double(make_batch()).restrict(jnp.asarray(WHERE))

    def by_log_hazard(x):
        return residual_dependence(config, batch, out._replace(log_hazard=x))

    gradient = np.asarray(jax.grad(by_log_hazard)(out.log_hazard))
    assert np.abs(gradient).max() > 1e-6
    assert abs(gradient.sum()) < 1e-12
    assert not gradient[~WHERE].any()


def test_residuals_without_an_event_are_independent(x64):
    batch = in_double(make_batch())
    censored = batch.restrict(batch.outcome.event == 0)
    assert abs(residual_dependence(SurvivalVAEConfig(), censored, outputs())) < 1e-12


def test_features_that_are_not_used_are_not_reconstructed(x64):
    batch, out = in_double(make_batch()), outputs()
    batch = batch.restrict(jnp.asarray(WHERE))
    mask = {m: jnp.asarray(np.arange(d) % 2 == 0, float) for m, d in SIZES.items()}
    inputs = {m: x * mask[m][None, :] for m, x in batch.inputs.items()}
    batch = batch._replace(inputs=inputs, feature_mask=mask)
    config = SurvivalVAEConfig()
    got = terms(config, batch, out)["reconstruction"]
    expected = 0
    for m, x in inputs.items():
        rows = WHERE & (np.asarray(batch.presence[m]) > 0)
        square = np.asarray((x - out.reconstructions[m]) ** 2)[rows][:, ::2]
        expected += square.mean()
    np.testing.assert_allclose(got, expected, rtol=1e-12)
    none = batch._replace(feature_mask=jax.tree.map(jnp.zeros_like, mask))
    assert terms(config, none, out)["reconstruction"] >= 0


def test_a_mask_of_ones_is_no_mask():
    batch, out, config = make_batch(), outputs(), SurvivalVAEConfig()
    ones = {m: jnp.ones(d) for m, d in SIZES.items()}
    plain, masked = (
        terms(config, b, out)["reconstruction"] for b in (batch, batch._replace(feature_mask=ones))
    )
    assert plain == masked
    kept = batch._replace(feature_mask=ones).take(jnp.arange(5)).feature_mask
    assert kept is not None
    assert kept["rna"].shape == (SIZES["rna"],)
