"""Every public function reads its arguments by their names: one that is added later cannot forget."""

import inspect
from importlib import import_module

import pytest

from jaxsurv.arguments.reading import READERS, read_arguments

PACKAGES = ("survival", "metrics", "divergences", "factors", "plots", "data")
READING = read_arguments(lambda: None).__code__


def public_functions():
    for package in PACKAGES:
        module = import_module(f"jaxsurv.{package}")
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                yield f"{package}.{name}", thing
            elif inspect.isclass(thing):
                for method, function in vars(thing).items():
                    if inspect.isfunction(function) and (method[0] != "_" or method == "__call__"):
                        yield f"{package}.{name}.{method}", function


def names_read(function):
    """Those that are text, such as the name of a cause, are no columns and no numbers."""
    parameters = inspect.signature(function).parameters.items()
    return [n for n, p in parameters if n in READERS and "str" not in str(p.annotation)]


FUNCTIONS = dict(public_functions())
WITH_ARGUMENTS = [name for name, function in FUNCTIONS.items() if names_read(function)]


def test_the_walk_finds_them():
    assert {"survival.cox_fit", "metrics.brier_score", "survival.KaplanMeier.quantile"} <= set(
        WITH_ARGUMENTS
    )
    assert len(WITH_ARGUMENTS) > 40
    # keywords behind **columns and behind another function's signature count as well
    assert "strata" in names_read(FUNCTIONS["survival.coxnet_cv"])
    assert "train_time" in names_read(FUNCTIONS["metrics.integrated_brier_score"])


@pytest.mark.parametrize("name", WITH_ARGUMENTS)
def test_arguments_are_read(name):
    function = FUNCTIONS[name]
    assert getattr(function, "__code__", None) is READING, (
        f"{name} takes {names_read(function)}: decorate it with read_arguments"
    )
