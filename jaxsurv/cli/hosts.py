"""Several hosts that share one experiment: each runs its part of every sweep, the first one writes."""

import json
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.experimental.multihost_utils import process_allgather

from jaxsurv.artifacts.results import as_json, comparable, differences
from jaxsurv.cli.options import Execution
from jaxsurv.types import InputError


def join_hosts(options: Execution) -> None:
    """Make this process one of several, by JAX's own distributed runtime; call before JAX is used.

    Raises:
        InputError: a coordinator that does not answer, or processes that cannot be identified.
    """
    address, count, index = options.coordinator, options.processes, options.process
    if address is None:
        if count is not None or index is not None:
            raise InputError("--processes and --process need --coordinator HOST:PORT")
        return
    if address == "auto":
        try:
            jax.distributed.initialize(initialization_timeout=options.patience_seconds)
        except ValueError as error:
            raise InputError(
                f"--coordinator auto: no SLURM, MPI, Kubernetes or TPU pod found ({error}); "
                "give HOST:PORT with --processes and --process"
            ) from error
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or count is None or index is None or not 0 <= index < count:
        raise InputError(
            "give --coordinator HOST:PORT, --processes N and --process from 0 to N - 1, got "
            f"{address}, {count}, {index}"
        )
    if index > 0:
        _await(host, int(port), options.patience_seconds)
    else:
        others = f"{count - 1} other processes at {address}"
        print(
            f"waiting up to {options.patience_seconds} s for {others}", file=sys.stderr, flush=True
        )
    jax.distributed.initialize(
        address, count, index, initialization_timeout=options.patience_seconds
    )


def _await(host: str, port: int, seconds: int) -> None:
    """Wait until the address answers; the runtime itself would end the process without a clear message."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > end:
                raise InputError(
                    f"the coordinator {host}:{port} did not answer within {seconds} s ({error}); start "
                    "--process 0 there, and let the port through"
                ) from error
            time.sleep(0.5)


def devices() -> str:
    """Number and kind of this host's devices, on which plans depend."""
    return f"{jax.local_device_count()} x {jax.devices()[0].device_kind}"


def agree(facts: Mapping[str, Any]) -> None:
    """Check that all hosts have the same versions, options and data.

    Raises:
        InputError: hosts that differ; raised on every host, with the first host that differs and how.
    """
    if jax.process_count() == 1:
        return
    text = np.frombuffer(json.dumps(comparable(as_json(facts))).encode(), np.uint8)
    sizes = process_allgather(np.int32(text.size))
    texts = process_allgather(np.pad(text, (0, max(sizes) - text.size)))
    first, *rest = (json.loads(bytes(t[:n])) for t, n in zip(texts, sizes, strict=True))
    for host, other in enumerate(rest, start=1):
        if different := differences(first, other):
            raise InputError(f"host {host} differs from host 0: {'; '.join(different)}")
