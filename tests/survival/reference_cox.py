"""What R computes of Cox models, as problems of one padded shape, so that few programs compile."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.survival import prepare_risk_sets

DATA = ["aml", "gbsg", "heart", "lung", "ovarian", "rats", "veteran"]
BY_HAND = ["therneau_test1", "therneau_test2", "therneau_testw1"]
ROWS, COLUMNS = 704, 9

# Programs that run once: unoptimised, they compile four times faster.
quick_jit = partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


def outcome_of(table, case):
    """Event, time and options of a reference case."""
    options = {k: table[case[k]].to_numpy() for k in ("entry", "weights", "strata") if case.get(k)}
    if "strata" in options:
        options["strata"] = np.unique(options["strata"], return_inverse=True)[1]
    return (
        table["event"].to_numpy(),
        table["stop" if "stop" in table else "time"].to_numpy(),
        options,
    )


def pad(a, *shape):
    return np.pad(a, [(0, s - k) for s, k in zip(shape, a.shape, strict=True)])


def problem(table, case, *, rows=ROWS):
    """``x [rows, COLUMNS]``, padded by 0, and the risk sets, padded by rows that are not there."""
    event, time, options = outcome_of(table, case)
    n = len(time)
    options = {k: pad(v, rows) for k, v in options.items()}
    options |= {"where": np.arange(rows) < n, "exact": case["ties"] == "exact"}
    time = np.pad(time.astype(float), (0, rows - n), constant_values=1)  # entry 0 is before it
    risk_sets = prepare_risk_sets(pad(event, rows), time, **options)
    x = pad(table[case["covariates"]].to_numpy(float), rows, COLUMNS)
    return x.astype(jnp.result_type(float)), risk_sets


def points(case):
    """Coefficients ``[COLUMNS]``, and the log likelihood, score and information there, if known."""
    known = [e for e in case["evaluations"].values() if e["information"] is not None]
    for point in known + list(case.get("closed_form", {}).values()):
        p = len(point["beta"])
        score = np.array(point["score"]) if point.get("score") is not None else None
        information = point.get("information")
        if information is not None:
            information = np.array(information, float).reshape(p, p)
        yield pad(np.array(point["beta"], float), COLUMNS), point["loglik"], score, information


def baselines(table, case):
    """The number of the stratum, times and cumulative hazards of each of R's baselines."""
    labels = [str(v) for v in np.unique(table[case["strata"]])] if case["strata"] else ["all"]
    for label, curve in case.get("baseline_cumhaz_at_x0", {}).items():
        if curve["time"]:
            yield (
                labels.index(label.split("=")[-1]),
                np.array(curve["time"], float),
                curve["cumhaz"],
            )
