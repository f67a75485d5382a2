"""Build the data and baselines of an experiment from its options, with everything checked on the way."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from jaxsurv.cli.cohorts import load_cohort, make_splits, only, outcome_cohort
from jaxsurv.cli.options import RecipeOptions
from jaxsurv.cli.workplace import Workplace, open_workplace
from jaxsurv.data import Cohort, concat_cohorts
from jaxsurv.data.consistency import MIN_CARRIERS
from jaxsurv.data.tables import few, warn
from jaxsurv.models import HParams, SurvivalVAEConfig
from jaxsurv.recipe import (
    CrossFitted,
    PenalisedCox,
    Prepared,
    Recipe,
    clinical_cox,
    cox_members,
    prepare,
    ridge_cox,
    stack,
)
from jaxsurv.types import InputError


class Opened(NamedTuple):
    """A study that is ready to train.

    Attributes:
        cohort: patients, as they were read.
        data: the patients under the splits, as networks read them; ``data.plain`` is what Cox models read.
        config: static choices of the survival VAE: its head reads the clinical block unless that is the
            offset.
        hparams: hyper-parameters that the options give.
        baselines: name to model.
        members: Cox models to stack networks with, see `with_stack`.
        workplace: destination of results and progress.
    """

    cohort: Cohort
    data: Prepared
    config: SurvivalVAEConfig
    hparams: HParams
    baselines: dict[str, CrossFitted]
    workplace: Workplace
    members: dict[str, PenalisedCox] = {}  # noqa: RUF012

    @property
    def head(self) -> dict[str, Any]:
        """Settings of the outcome head that the options give, for the config of any network."""
        return head_settings(self.cohort, self.config.head)

    @property
    def title(self) -> str:
        """Title of the cohort."""
        return self.cohort.title or self.cohort.name


def check_grid(name: str, values: tuple[float, ...]) -> None:
    """Refuse an empty grid, negative values and repeats."""
    if not values or min(values) < 0 or len(set(values)) < len(values):
        raise InputError(f"{name} must be given, >= 0 and different, got {values}")


def refuse_several_rows(cohort: Cohort) -> None:
    """Refuse patients with several rows, whom no study scores, and say what takes them."""
    if cohort.patients is not None:
        raise InputError(
            f"patients of {cohort.name!r} have several rows, as values of theirs change; scores then go by "
            "landmark, which no study does yet. These take such a cohort: python -m jaxsurv.data describe "
            "and convert, jaxsurv.estimators (fit, predict, score, predict_conditional_survival), "
            "jaxsurv.survival.cox_fit and coxnet_path, jaxsurv.metrics.landmark. A study takes the patients "
            "at risk at a time, write_cohort(landmark_cohort(cohort, endpoint, time), folder)"
        )


def refuse_entry(cohort: Cohort, endpoint: str) -> None:
    """Refuse delayed entry, which losses and estimators know, but no score of a study yet."""
    refuse_several_rows(cohort)
    if f"{endpoint}_entry" in cohort.survival:
        raise InputError(
            f"endpoint {endpoint!r} has delayed entry ({endpoint}_entry), which studies cannot score "
            "yet; use jaxsurv.estimators, or drop the column if all enter at 0"
        )


def require_poolable(cohort: Cohort, modality: str, endpoint: str) -> None:
    """Refuse a cohort that cannot be one stratum of a pool.

    Raises:
        InputError: no such modality or endpoint, strata of its own, or delayed entry.
    """
    if modality not in cohort.modalities or endpoint not in cohort.endpoints:
        raise InputError(
            f"cohort {cohort.name!r} has {few(list(cohort.modalities), 10)} and the endpoints "
            f"{few(list(cohort.endpoints))}; all need the modality {modality!r} and {endpoint!r}"
        )
    if cohort.strata is not None:
        raise InputError(f"cohort {cohort.name!r} has strata; give each stratum as a cohort")
    refuse_entry(cohort, endpoint)


def pool_modality(
    cohorts: Sequence[Cohort], modality: str, endpoint: str | None
) -> tuple[Cohort, str]:
    """Cohorts as one, each a stratum, of the patients who have a modality and an outcome.

    Args:
        cohorts: two or more.
        modality: name of the only modality that is kept.
        endpoint: name of the outcome; None = the first one of the first cohort.

    Returns:
        the cohort, with measurements as they were, and the endpoint.

    Raises:
        InputError: a cohort without the modality or the endpoint, with delayed entry, or with strata of its
            own; see :func:`jaxsurv.data.concat_cohorts`.
    """
    endpoint, parts = endpoint or cohorts[0].endpoints[0], []
    for cohort in cohorts:
        require_poolable(cohort, modality, endpoint)
        own = only(cohort, [modality]).for_endpoint(endpoint)
        tables, kinds = ({modality: part[modality]} for part in (own.modalities, own.kinds))
        parts.append(replace(own, modalities=tables, kinds=kinds))
    return concat_cohorts(parts), endpoint


def head_settings(cohort: Cohort, head: str) -> dict[str, Any]:
    """Settings of an outcome head in the config of any network, for the cause that a study is of.

    Raises:
        InputError: a head of all causes, and an endpoint without causes, or ``--cause any``.
    """
    if head != "competing":
        return {"head": head}
    if cohort.competing is None:
        raise InputError(
            "--head competing is of all causes of an endpoint, and this one has none: name the causes of the "
            "codes 1, 2, ... (causes in cohort.json), and take --cause"
        )
    causes = cohort.competing
    return {"head": head, "causes": len(causes.names), "cause": causes.number}


def open_study(options: RecipeOptions) -> Opened:
    """Check the options, take the folder, read the cohort, prepare every fold, fit the baselines."""
    if not 0 <= options.dropout < 1:
        raise InputError(f"dropout must be at least 0 and below 1, got {options.dropout}")
    if options.learning_rate <= 0 or options.survival_weight < 0:
        raise InputError("learning_rate must be positive and survival_weight at least 0")
    workplace = open_workplace(options)
    with workplace.console.status(
        "reading the cohort, preprocessing every fold, fitting the baselines"
    ):
        cohort, endpoint = outcome_cohort(load_cohort(options.cohort), options)
        refuse_entry(cohort, endpoint)
        splits = make_splits(cohort, endpoint, options)
        choices = {
            name: getattr(options, name) for name in ("unknown", "select", "impute", "offset")
        }
        recipe = Recipe(components=options.components or None, **choices)
        data = prepare(cohort, endpoint, splits, recipe)
        if data.unused:
            warn(
                f"no feature of {few(data.unused)} is used in any split: constant, or two-valued with fewer "
                f"than {MIN_CARRIERS} patients on one side",
            )
        baselines: dict[str, CrossFitted] = {"ridge Cox": ridge_cox(data)}
        if clinical := clinical_cox(data):
            baselines["clinical Cox"] = clinical
    head = head_settings(cohort, options.head)
    config = SurvivalVAEConfig(head_reads_clinical=data.offset_model is None, **head)
    given = ("survival_weight", "learning_rate", "dropout")
    hparams = HParams(**{name: getattr(options, name) for name in given})
    return Opened(cohort, data, config, hparams, baselines, workplace)


def with_stack(study: Opened) -> Opened:
    """The study with the Cox members of a stack, and with the block ridge and their stack as baselines.

    Unchanged if early stopping watches test rows: that holds out no rows to fit a stack's weights to.
    """
    if study.data.splits.protocol == "two-way":
        return study
    with study.workplace.console.status("fitting the Cox models of the stack"):
        members = cox_members(study.data)
        more: dict[str, CrossFitted] = {"block ridge Cox": members["block ridge"]}
        more["stacked Cox"] = stack(study.data, members)
    return study._replace(members=members, baselines=study.baselines | more)
