"""Start an experiment: devices, the compilation cache, and errors that people can read."""

import os
from collections.abc import Callable
from pathlib import Path

import jax

from jaxsurv.study.command import exit_status
from jaxsurv.training import one_device_per_core


def cache_folder() -> Path:
    """Where compiled programs are kept: ``$XDG_CACHE_HOME/jaxsurv`` or ``~/.cache/jaxsurv``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxsurv"


def launch(experiment: Callable[[], None]) -> int:
    """Run ``experiment`` with one host device per core and the persistent compilation cache.

    Returns:
        exit status, as ``exit_status`` gives it.
    """
    one_device_per_core()
    if not jax.config.jax_compilation_cache_dir:  # JAX_COMPILATION_CACHE_DIR has precedence
        jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return exit_status(experiment)
