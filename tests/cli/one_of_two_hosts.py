"""Run by test_hosts.py as several processes: twelve items in calls of two, kept by the first process.

Arguments: index, port ("" = alone), folder, what happens: "", "old" (this host has another JAX), or the
number of the call after which this host is killed.
"""

import os
import signal
import sys

import jax
import jax.numpy as jnp
import numpy as np

from jaxsurv.artifacts import Chunks, ResultsFolder
from jaxsurv.cli.hosts import agree, join_hosts
from jaxsurv.cli.options import Execution
from jaxsurv.cli.status import exit_status
from jaxsurv.training import Plan, compile_map, map_chunks

ITEMS, WIDTH = 12, 2


def one(shared, item):
    def step(_, x):
        return jnp.tanh(shared @ x)

    return {"last": jax.lax.fori_loop(0, 5, step, item), "nothing": None, "odd": item[0] > 6}


def main():
    index, port, folder, event = sys.argv[1:]
    where = (
        {"coordinator": f"127.0.0.1:{port}", "processes": 2, "process": int(index)} if port else {}
    )
    join_hosts(Execution(**where, patience_seconds=60))
    agree({"versions": {"jax": "0.0.1" if event == "old" else jax.__version__}})
    results = ResultsFolder(folder, resume=True)
    results.manifest(status="running")
    plan = Plan(1, 1, WIDTH)
    program = compile_map(one, plan)
    shared = program.place(np.cos(np.arange(16, dtype=np.float32)).reshape(4, 4))
    items = np.arange(ITEMS * 4, dtype=np.float32).reshape(ITEMS, 4) / 7
    rows = []
    for part, (_, out) in enumerate(
        map_chunks(program, plan, shared, items, Chunks(results, "map"))
    ):
        rows.append(np.column_stack([out["last"], out["odd"]]))
        if event == str(part):
            os.kill(os.getpid(), signal.SIGKILL)
    np.save(os.path.join(folder, f"host{index}.npy"), np.concatenate(rows))


if __name__ == "__main__":
    sys.exit(exit_status(main))
