"""Texts of an external validation: sentences, and tables about the models themselves."""

from collections.abc import Mapping

import pandas as pd

from jaxsurv.data.tables import few
from jaxsurv.estimators import SurvivalStack
from jaxsurv.models import CLINICAL
from jaxsurv.preprocess.schema import NARROW

from .cohorts import Cohorts
from .columns import BEYOND, BY_CHANCE
from .judge import ONE_RISK
from .models import Frozen


def inverted(table: pd.DataFrame) -> list[str]:
    """A sentence for each model that ranks external patients the wrong way round, beyond chance.

    A C of 0 has no interval.
    """
    wrong = table[table["c_upper"].fillna(table["c"]) < 0.5]
    return [
        f"'{model}' ranks the patients of {' and of '.join(rows['cohort'])} the wrong way round (C "
        f"{', '.join(rows['c'].map('{:.3f}'.format))}, intervals below 0.5): is a feature that it reads "
        "coded the other way there?"
        for model, rows in wrong.groupby("model", sort=False)
    ]


def hindered(table: pd.DataFrame) -> list[str]:
    """A sentence for each model that could not read all of a cohort, or told nobody from another there."""
    return [
        f"'{row.model}' on {row.cohort}: {row.note}."
        + " Its C and its slope do not exist there." * (ONE_RISK in row.note)
        for row in table[table["note"] != ""].itertuples()
    ]


def harmful(slopes: pd.DataFrame) -> list[str]:
    """A sentence for each member of a stack whose calibration slope is negative or undefined on a cohort."""
    bad = slopes[~(slopes["slope"] >= 0)]
    return [
        f"The member '{member}' of '{model}' has the calibration slope {_listed(rows)}: it adds nothing "
        "there, or the wrong way round. The row without it knows the outcomes of these cohorts: it shows "
        "what the member costs, and is no validation."
        for (model, member), rows in bad.groupby(["model", "member"], sort=False)
    ]


def _listed(rows: pd.DataFrame) -> str:
    each = [
        f"{'undefined' if pd.isna(r.slope) else f'{r.slope:.2f}'} on {r.cohort}"
        for r in rows.itertuples()
    ]
    return " and ".join(each)


def other_way_round(turned: pd.DataFrame) -> list[str]:
    """A sentence for each column that acts the other way round; of a wide table, one for all of them."""
    told = []
    for (cohort, modality), rows in turned.groupby(["cohort", "modality"], sort=False):
        compared = int(rows["columns"].iloc[0])
        if compared < NARROW:
            told += [
                f"'{r.column}' of '{modality}' acts the other way round on {cohort}: z {r.z_train:+.1f} in "
                f"training and {r.z_external:+.1f} there. Is it coded the other way, or does it mean "
                f"something else? --without {modality} leaves the table out."
                for r in rows.itertuples()
            ]
            continue
        told.append(
            f"{len(rows)} of {compared} columns of '{modality}' act the other way round on {cohort} (|z| "
            f"above {BEYOND:g} in both; by chance alone some {compared * BY_CHANCE:.1f}): "
            f"{few(rows['column'])}."
        )
    return told


def about_models(models: Mapping[str, Frozen]) -> pd.DataFrame:
    """Table of the models: name, estimator, training set, chosen settings and file, as strings.

    What none of them has, such as a file, has no column.
    """
    rows = []
    for name, (estimator, file) in models.items():
        training = estimator.fitted().cohort
        choice = getattr(estimator, "choice_", {})
        rows.append({
            "model": name,
            "estimator": type(estimator).__name__,
            "patients": str(training.patients),
            "events": str(training.events),
            "chosen": ", ".join(f"{k} {v:g}" for k, v in choice.items()),
            "loaded from": file,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    return table.loc[:, (table != "").any()]


def weights_of(models: Mapping[str, Frozen]) -> pd.DataFrame:
    """Weights of the stacks of several members, as strings: a row per member, a column per stack."""
    stacks = {
        name: model.estimator.weights_.map("{:.2f}".format)
        for name, model in models.items()
        if isinstance(model.estimator, SurvivalStack) and len(model.estimator.weights_) > 1
    }
    if not stacks:
        return pd.DataFrame()
    return pd.DataFrame(stacks).fillna("").rename_axis("member").reset_index()


_MAPPED = (
    "Measured values of each external cohort were mapped to the {} of the training cohort, without a look at "
    "an outcome (--harmonise)."
)
_HARMONISED = {
    "z-score": _MAPPED.format("means and standard deviations"),
    "quantile": _MAPPED.format("quantiles"),
    "none": "Nothing was harmonised: values of the external cohorts are read as they are.",
}


def sentences(
    models: Mapping[str, Frozen], table: pd.DataFrame, cohorts: Cohorts, about: str
) -> list[str]:
    """Conclusions, one sentence each; the last of the models is the headline."""
    loaded = [f"'{name}' ({model.file})" for name, model in models.items() if model.file]
    told = [f"{about[:1].upper()}{about[1:]}. {len(models)} models, frozen."]
    if loaded:
        told.append(f"Loaded as they were saved: {few(loaded, 20)}.")
    told.append(_HARMONISED[cohorts.harmonised])
    if cohorts.train is not None and CLINICAL not in cohorts.train.modalities:
        told.append(f"The training cohort has no modality '{CLINICAL}', so no model is clinical.")
    headline = list(models)[-1]
    told += [
        f"On {r.cohort} ({r.patients} patients, {r.events} events) '{headline}' has a C of {r.c:.3f} "
        f"({r.c_lower:.2f} to {r.c_upper:.2f}) and a calibration slope of {r.slope:.2f}."
        for r in table[(table["model"] == headline) & table["c"].notna()].itertuples()
    ]
    return told + hindered(table) + inverted(table)
