"""Kernel statistics written as their definitions, in NumPy."""

import numpy as np


def kernel(x, y, bandwidth):
    distance = ((x[:, None] - y[None]) ** 2).sum(-1)
    return np.mean([np.exp(-distance / (2 * s**2)) for s in np.atleast_1d(bandwidth)], axis=0)


def off_diagonal_mean(k):
    return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))


def mmd2(x, y, bandwidth, estimator):
    mean = np.mean if estimator == "biased" else off_diagonal_mean
    within = mean(kernel(x, x, bandwidth)) + mean(kernel(y, y, bandwidth))
    return within - 2 * kernel(x, y, bandwidth).mean()


def hsic(x, y, bandwidth_x, bandwidth_y, estimator):
    n, k, l = len(x), kernel(x, x, bandwidth_x), kernel(y, y, bandwidth_y)
    if estimator == "biased":
        h = np.eye(n) - 1 / n
        return np.trace(k @ h @ l @ h) / n**2
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    one = np.ones(n)
    product = (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ l) + product - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))
