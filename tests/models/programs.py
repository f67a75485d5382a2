"""Models whose functions are one program each, where each operation by itself would be compiled."""

import jax


def compiled(objective):
    functions = {f: jax.jit(getattr(objective, f)) for f in ("init", "loss", "predict", "score")}
    return objective._replace(**functions)
