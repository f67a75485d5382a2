"""Simulated patients whose laboratory values change."""

import numpy as np
import pandas as pd

_RNG = np.random.default_rng(0)
N = 60
_NAMES = [f"p{i}" for i in range(N)]
_AGE = _RNG.normal(60, 10, N)
_TIME, _END = _RNG.exponential(10, N), _RNG.uniform(4, 30, N)
OUTCOME = pd.DataFrame(
    {"os_time": np.minimum(_TIME, _END), "os_event": (_TIME <= _END).astype(int)},
    index=pd.Index(_NAMES, name="patient"),
)


def changing(seed):
    """Tables by modality: age, and values of a laboratory from 0 and from two later times."""
    rng, lab = np.random.default_rng(seed), []
    for p, time in zip(_NAMES, OUTCOME["os_time"], strict=True):
        for start in (0.0, *np.sort(rng.uniform(0, 0.999 * time, 2))):
            lab.append((p, start, *rng.normal(size=2)))
    table = pd.DataFrame(lab, columns=["patient", "from", "ldh", "crp"]).set_index("patient")
    clinical = pd.DataFrame({"age": _AGE, "sex": np.arange(N) % 2 * 1.0}, OUTCOME.index)
    return {"lab": table, "clinical": clinical}


def cut(survival, rng):
    """Rows ``(os_entry, os_time]`` cut at random times inside them, index = patients."""
    made = []
    for p, row in survival.iterrows():
        edges = [
            row["os_entry"],
            *np.sort(rng.uniform(row["os_entry"], row["os_time"], rng.integers(4))),
        ]
        for a, b in zip(edges, [*edges[1:], row["os_time"]], strict=True):
            if a < b:
                made.append((p, a, b, row["os_event"] if b == row["os_time"] else 0))
    columns = ["patient", "os_entry", "os_time", "os_event"]
    return pd.DataFrame(made, columns=columns).set_index("patient")


def long_table(seed):
    """One table as users of other packages have it: a row per interval with its values."""
    rows = []
    for p, own in changing(seed)["lab"].groupby(level=0, sort=False):
        ends = [*own["from"].tolist()[1:], OUTCOME.loc[p, "os_time"]]
        for (_, v), end in zip(own.iterrows(), ends, strict=True):
            last = end == OUTCOME.loc[p, "os_time"]
            rows.append((p, v["from"], end, OUTCOME.loc[p, "os_event"] * last, v["ldh"], v["crp"]))
    columns = ["patient", "os_entry", "os_time", "os_event", "ldh", "crp"]
    return pd.DataFrame(rows, columns=columns).set_index("patient")


LONG = long_table(0)
