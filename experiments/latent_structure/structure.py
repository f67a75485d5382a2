"""Structure of the latent variables of a study's runs: alignment with risk, stability of subtypes.

The methods collect :func:`jaxsurv.models.latents`; a run without ``pi`` has no subtypes.
"""

from collections.abc import Iterator
from itertools import combinations

import jax
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.manifold import TSNE
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

from jaxsurv.metrics import latent_alignment
from jaxsurv.recipe import Prepared
from jaxsurv.study.execute import Trained
from jaxsurv.study.findings import SPLIT, Findings, with_choices
from jaxsurv.study.statistics import paired, summarise

ENOUGH = 30  # patients; with fewer, rank correlations and agreement are mostly noise
IN_USE = 0.05  # share of the patients that makes a category count

# scikit-learn's threads spin while they wait for each other: minutes on a machine with other work
_one_thread = threadpool_limits.wrap(limits=1)

_alignments = jax.jit(jax.vmap(latent_alignment))


def judged(data: Prepared) -> tuple[np.ndarray, str]:
    """Patients on whom latents are judged, ``[splits, n]`` booleans, and a description of them.

    They are the test set of each split, or all patients if a test set has fewer than 30.
    """
    test = data.splits.test
    if test.sum(axis=1).min() >= ENOUGH:
        return test, "the test patients of each split"
    return np.ones_like(test), "all patients, since test folds are small"


def alignment(findings: Findings) -> pd.DataFrame:
    """Table of runs with :class:`jaxsurv.metrics.LatentAlignment` of mu and predicted log hazard."""
    rows, _ = judged(findings.data)
    mu = np.concatenate([t.arrays.collected["mu"] for t in findings.trained])
    risk = np.concatenate([t.arrays.prediction for t in findings.trained])
    split = np.concatenate([t.arrays.split for t in findings.trained])
    values = np.zeros((len(split), 2))
    for s in np.unique(split):
        runs = np.flatnonzero(split == s)
        here = np.ix_(runs, np.flatnonzero(rows[s]))
        values[runs] = np.stack(_alignments(mu[here], risk[here]), axis=1)
    return findings.runs.assign(first_component=values[:, 0], mean_dimension=values[:, 1])


def chance_correlation(data: Prepared) -> float:
    """Mean |Spearman correlation| of unrelated numbers, ``sqrt(2 / (pi (n - 1)))`` for large n."""
    n = judged(data)[0].sum(axis=1)
    return float(np.mean(np.sqrt(2 / (np.pi * (n - 1)))))


def contrast(findings: Findings, runs: pd.DataFrame, score: str) -> pd.DataFrame:
    """Mean and interval of a score in [0, 1] per setting and choice, and the paired difference."""
    runs = with_choices(runs, findings.comparison)
    how = {"by": "setting", "split": SPLIT, "test_fraction": findings.data.test_fraction}
    table = summarise(runs, score=score, **how)
    difference = paired(runs, findings.comparison.reference, score=score, **how)
    return table.join(difference.set_index("setting").add_prefix("reference_"), on="setting")


def agreement(labels: np.ndarray) -> np.ndarray:
    """Adjusted Rand index of every pair of labellings.

    The index is 1 for labellings that are equal up to renaming, and 0 in expectation for unrelated ones. It
    is NaN if both put all patients into one class, where scikit-learn gives 1: there are no subtypes to
    compare.

    Args:
        labels: ``[runs, n]``.

    Returns:
        Index ``[pairs]``, pairs in the order of ``itertools.combinations``.

    >>> agreement(np.array([[0, 0, 1, 1], [2, 2, 0, 0], [0, 0, 0, 0]])).tolist()
    [1.0, 0.0, 0.0]
    """
    one_class = np.ptp(labels, axis=1) == 0
    return np.array(
        [
            np.nan if one_class[a] and one_class[b] else adjusted_rand_score(labels[a], labels[b])
            for a, b in combinations(range(len(labels)), 2)
        ]
    )


def _k_means(data: Prepared, mu: np.ndarray, split: int, k: int) -> np.ndarray:
    """Clusters ``[runs, n]`` of all patients, fitted on the development patients, like the networks."""
    develop = data.splits.develop[split]
    return np.stack(
        [
            KMeans(k, n_init=3, random_state=seed).fit(z[develop]).predict(z)
            for seed, z in enumerate(mu)
        ]
    )


def _labellings(
    findings: Findings,
) -> Iterator[tuple[str, int, np.ndarray, np.ndarray]]:
    """Setting, split, classes ``[seeds, n]`` and the probability ``[seeds, n]`` of the chosen one."""
    sizes = {t.arrays.collected["pi"].shape[-1] for t in findings.trained if _hybrid(t)}
    for t in findings.trained:
        for (setting, *_), group in t.rows.groupby(["setting", *SPLIT], sort=False):
            runs = group.index.to_numpy()
            split = int(t.arrays.split[runs[0]])
            if _hybrid(t):
                pi = t.arrays.collected["pi"][runs]
                yield setting, split, pi.argmax(-1), pi.max(-1)
                continue
            mu = t.arrays.collected["mu"][runs]
            for k in sorted(sizes):
                clusters = _k_means(findings.data, mu, split, k)
                yield (
                    f"k-means on {setting} μ, K = {k}",
                    split,
                    clusters,
                    np.full(mu.shape[:2], np.nan),
                )


def _hybrid(trained: Trained) -> bool:
    return "pi" in trained.arrays.collected


@_one_thread
def subtypes(findings: Findings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Discrete subtypes by run, and their agreement by pair of seeds on the same split.

    The subtype of a patient is the most probable category. For comparison, k-means finds the same
    numbers of clusters in mu of the runs without categories.

    Returns:
        one row per run: setting, repeat, fold, ``categories_in_use`` (more than 5 % of the patients),
        ``largest_probability`` (mean over patients; 1/K = no information, NaN for k-means);
        one row per pair: setting, repeat, fold, ``ari``.
    """
    design, (judge, _) = findings.data.splits, judged(findings.data)
    by_run, by_pair = [], []
    for setting, split, labels, probability in _labellings(findings):
        rows = judge[split]
        where = {"setting": setting, "repeat": design.repeat[split], "fold": design.fold[split]}
        for classes, largest in zip(
            labels[:, rows], probability[:, rows].mean(axis=1), strict=True
        ):
            used = int(np.sum(np.bincount(classes) > IN_USE * len(classes)))
            by_run.append({**where, "categories_in_use": used, "largest_probability": largest})
        by_pair += [{**where, "ari": ari} for ari in agreement(labels[:, rows])]
    return pd.DataFrame(by_run), pd.DataFrame(by_pair)


def stability(findings: Findings, by_run: pd.DataFrame, by_pair: pd.DataFrame) -> pd.DataFrame:
    """Mean agreement with its interval over splits, and categories in use, one row per setting."""
    table = summarise(
        by_pair,
        score="ari",
        by="setting",
        split=SPLIT,
        test_fraction=findings.data.test_fraction,
        bounds=(-0.5, 1.0),
    )
    names = {"runs": "pairs", "best_run": "best_pair", "worst_run": "worst_pair"}
    table = table.rename(columns=names)
    undefined = by_pair["ari"].isna().groupby(by_pair["setting"]).mean()
    means = by_run.groupby("setting")[["categories_in_use", "largest_probability"]].mean()
    table["undefined_pairs"] = table["setting"].map(undefined)
    return table.join(means, on="setting")


def temperatures(findings: Findings) -> pd.DataFrame:
    """Gumbel-Softmax temperature in the epoch that each hybrid run kept, one row per setting.

    Returns:
        columns setting, runs, ``improved`` (share of runs that got better than their initial network, of
        which alone the rest is), ``kept_epoch`` and ``temperature`` (medians), ``temperature_end``,
        ``reached_end`` (share of runs that had got there).
    """
    rows = []
    for t in filter(_hybrid, findings.trained):
        epochs = t.method.training.epochs
        progress = np.linspace(0, 1, epochs)[np.maximum(t.arrays.best_epoch - 1, 0)]
        annealed = t.method.objective.anneal(t.arrays.hparams, progress)
        runs = t.rows.assign(
            temperature=np.asarray(annealed.temperature),
            temperature_end=np.asarray(t.arrays.hparams.temperature_end),
        )
        for setting, group in runs.groupby("setting", sort=False):
            better = group[group["best_epoch"] > 0]
            rows.append(
                {
                    "setting": setting, "runs": len(group), "improved": len(better) / len(group),
                    "kept_epoch": better["best_epoch"].median(),
                    "temperature": better["temperature"].median(),
                    "temperature_end": group["temperature_end"].iloc[0],
                    "reached_end": (better["temperature"] == better["temperature_end"]).mean(),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


@_one_thread
def embed(mu: np.ndarray) -> np.ndarray:
    """t-SNE of ``[n, d]`` to ``[n, 2]``, with fixed settings, started at the principal components."""
    perplexity = min(30.0, (len(mu) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(mu)
