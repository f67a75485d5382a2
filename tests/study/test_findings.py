"""Findings of a study: among which settings it may choose, and what it refuses to compare."""

import pytest

from jaxsurv.models import Model
from jaxsurv.study.execute import Method
from jaxsurv.study.findings import Comparison, check_criteria
from jaxsurv.types import InputError, Objective


def method(name, criterion, *settings):
    """A method that is never trained."""
    objective = Objective(*[lambda *_: None] * 4, criterion=criterion)
    model = Model(name, lambda config: objective, None)
    return Method(name, model, dict.fromkeys(settings), None)


COX = method("VAE", "cox", "beta 0", "beta 1")
OTHER = method("Cox-nnet", "cox", "small", "large")
WEIBULL = method("Weibull", "Weibull likelihood", "shape")
UNSAID = method("mine", "", "one", "two")


def choosing(*settings, **more):
    return Comparison("beta 0", {"chosen": settings, **more}, "chosen")


@pytest.mark.parametrize(
    ("settings", "listed"),
    [
        (("beta 0", "shape"), r"VAE: cox, Weibull: Weibull likelihood"),
        (("beta 1", "one"), r"VAE: cox, mine: not said"),
        (("shape", "two"), r"Weibull: Weibull likelihood, mine: not said"),
        (
            ("beta 0", "small", "shape"),
            r"VAE: cox, Cox-nnet: cox, Weibull: Weibull likelihood",
        ),
    ],
)
def test_a_choice_among_unlike_losses_is_refused(settings, listed):
    with pytest.raises(InputError) as error:
        check_criteria(choosing(*settings), [COX, OTHER, WEIBULL, UNSAID])
    assert f"'chosen' would choose by early-stopping losses that do not compare ({listed})" in str(
        error.value
    )
    assert "choose within each model, or by held-out scores" in str(error.value)
    assert "Objective.criterion" in str(error.value)


def test_two_that_do_not_say_do_not_compare_either():
    again = method("yours", "", "three")
    with pytest.raises(InputError, match=r"do not compare \(mine: not said, yours: not said\)"):
        check_criteria(choosing("one", "three"), [UNSAID, again])


def test_the_refused_choice_is_named_among_others():
    comparison = choosing("beta 0", "beta 1", bad=("small", "shape"))
    with pytest.raises(InputError, match="'bad' would choose by early-stopping losses"):
        check_criteria(comparison, [COX, OTHER, WEIBULL])


@pytest.mark.parametrize(
    "settings",
    [("beta 0", "beta 1"), ("beta 0", "small", "large"), ("one", "two"), ("shape",)],
    ids=["one method", "equal criteria", "one that does not say", "one setting"],
)
def test_equal_losses_are_chosen_by(settings):
    check_criteria(choosing(*settings), [COX, OTHER, WEIBULL, UNSAID])


def test_without_a_choice_all_may_be_shown_together():
    check_criteria(Comparison("beta 0", {}, "beta 0"), [COX, OTHER, WEIBULL, UNSAID])
