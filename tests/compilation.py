"""How programs of the tests are compiled."""

from contextlib import contextmanager

import jax


@contextmanager
def compiled_quickly():
    """Without most optimisations: whole training runs take longer to compile than to run."""
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
