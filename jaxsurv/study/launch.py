"""Start an experiment: devices, the compilation cache, and errors that people can read."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import jax

from jaxsurv.training import one_device_per_core
from jaxsurv.types import InputError


def cache_folder() -> Path:
    """Where compiled programs are kept: ``$XDG_CACHE_HOME/jaxsurv`` or ``~/.cache/jaxsurv``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jaxsurv"


def launch(experiment: Callable[[], None]) -> int:
    """Run ``experiment`` with one host device per core and the persistent compilation cache.

    Returns:
        exit status: 0, 2 after an ``InputError`` (its message on stderr), 130 after Ctrl-C.
    """
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    one_device_per_core()
    if not jax.config.jax_compilation_cache_dir:  # JAX_COMPILATION_CACHE_DIR has precedence
        jax.config.update("jax_compilation_cache_dir", str(cache_folder()))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    try:
        experiment()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
