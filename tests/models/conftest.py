"""Whole training runs take longer to compile than to run."""

import jax
import pytest


@pytest.fixture
def quick_to_compile():
    """Compile without most optimisations."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)
