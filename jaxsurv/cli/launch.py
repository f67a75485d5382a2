"""Start an experiment: devices, the compilation cache, and errors that people can read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

from jaxsurv.cli.hosts import join_hosts
from jaxsurv.cli.options import Execution
from jaxsurv.cli.status import exit_status
from jaxsurv.training import one_device_per_core


def cache_folder() -> Path:
    """Folder of the compilation cache: ``$XDG_CACHE_HOME/jaxsurv`` or ``~/.cache/jaxsurv``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxsurv"


def launch(experiment: Callable[[Any], None], options: Any) -> int:
    """Run ``experiment(options)`` with one host device per core and the persistent compilation cache.

    Options that are an :class:`jaxsurv.cli.options.Execution` may make it one of several hosts.

    Returns:
        exit status, as ``exit_status`` gives it.
    """
    one_device_per_core()
    if not jax.config.jax_compilation_cache_dir:  # JAX_COMPILATION_CACHE_DIR has precedence
        jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

    def run() -> None:
        if isinstance(options, Execution):
            join_hosts(options)
        experiment(options)

    return exit_status(run)
