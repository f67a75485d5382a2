"""Fitted survival models as what model files hold, and back."""

from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import jax
import numpy as np

from jaxsurv.artifacts import StoredModel
from jaxsurv.data.tables import KINDS, few
from jaxsurv.estimators.file_entries import (
    check_entries,
    differing,
    named,
    structured,
    tuples,
)
from jaxsurv.estimators.fitted import FittedModel, functions_of
from jaxsurv.estimators.saved_baselines import pack_baselines, read_baselines
from jaxsurv.estimators.survival_entries import SurvivalEntries
from jaxsurv.estimators.training_cohort import TrainingCohort
from jaxsurv.models import CLINICAL, Model, registered
from jaxsurv.preprocess import Preprocessing, Scaler
from jaxsurv.preprocess._encode import encoded_columns
from jaxsurv.preprocess.round_robin import RoundRobin
from jaxsurv.preprocess.saved import pack, unpack
from jaxsurv.recipe import LinearCox, Rows, Terms
from jaxsurv.recipe.members import batch_of, tiled
from jaxsurv.types import InputError

_LINEAR = ("linear", "squares", "frequencies")
_VECTORS = ("cosine", "sine", "center")
MOST_MEMBERS = 10_000  # of an ensemble; the arrays of its Cox models are there for each


def write_fitted(
    fitted: FittedModel, settings: Mapping[str, Any], columns: Mapping[str, Any]
) -> StoredModel:
    """The fitted model in entries and arrays.

    Args:
        fitted: the model.
        settings: parameters of its estimator, config and hyper-parameters among them.
        columns: other attributes that the estimator shall have again.
    """
    settings = {k: v for k, v in settings.items() if k != "config"}
    hparams, recipe = settings.pop("hparams", None), settings.pop("recipe", None)
    if settings["modalities"] is not None:
        settings["modalities"] = {m: list(c) for m, c in settings["modalities"].items()}
    network = fitted.network
    if hparams is None and network is not None:
        hparams = network.hparams
    if hparams is not None:
        # of the fitted model: those given by name, and those that it has chosen
        by_name = {name: settings.pop(name, None) for name in hparams._fields}
        hparams = hparams._replace(**{k: v for k, v in by_name.items() if v is not None})
        hparams = hparams._replace(**columns.get("choice_", {}))
    for name, value in settings.items():
        if isinstance(value, Model):
            settings[name] = registered_name(value)
    header, arrays = pack(fitted.preprocessing)
    terms, weights = _pack_terms(fitted.params)
    entries = {
        "settings": settings,
        "config": _config_entries(fitted),
        "hparams": None if hparams is None else hparams._asdict(),
        "recipe": None if recipe is None else asdict(recipe),
        "columns": columns,
        "preprocessing": header,
        "terms": terms,
        "baseline": pack_baselines(fitted.baselines),
        "cohort": fitted.cohort._asdict(),
    }
    weights |= {"center": fitted.center} | named(fitted.params.network)
    return StoredModel(entries, weights, arrays)


def registered_name(model: Model) -> str:
    """The name by which a file can name ``model``.

    Raises:
        InputError: the model is not registered; the message gives the line to add.
    """
    if registered().get(model.name) != model:
        raise InputError(
            f"the model {model.name!r} is not registered, so a file could not name it; add the line "
            f"jaxsurv.models.register(...) around the Model({model.name!r}, ...) in its own file"
        )
    return model.name


def read_fitted(network: Model | None, config: Any, stored: StoredModel) -> FittedModel:
    """The fitted model; refuses entries of a wrong type, and parts that do not fit each other.

    A network that the members of a stack do not name was left out.
    """
    entries, weights = stored.entries, dict(stored.weights)
    check_entries(entries, SurvivalEntries, "manifest")
    terms = entries.get("terms")
    if terms is not None and "network" not in terms["members"]:
        network = None  # it added nothing
    cohort = TrainingCohort(**tuples(entries["cohort"]))
    _check_cohort(cohort)
    if unknown := set(entries["preprocessing"]["schema"]["kinds"].values()) - set(KINDS):
        raise InputError(f"there is no kind {few(sorted(unknown))}; there are {KINDS}")
    tables, schema = entries["settings"].get("modalities"), entries["preprocessing"]["schema"]
    for m, names in schema["features"].items() if tables else ():
        if absent := set(names) - set(tables.get(m, ())):
            raise InputError(f"settings.modalities.{m} lacks {few(sorted(absent))}")
    preprocessing = unpack(entries["preprocessing"], stored.preprocessing)
    _check_preprocessing(preprocessing, stored.preprocessing)
    if wrong := [n for n, a in weights.items() if a.dtype not in (np.float32, np.float64)]:
        raise InputError(f"the weights {few(wrong)} are {weights[wrong[0]].dtype}, not float32")
    center = weights.pop("center")
    n = len(center)
    if center.shape != (n,) or not 1 <= n <= MOST_MEMBERS:
        raise InputError(
            f"the weights 'center' must be one number per member, of which there are 1 to {MOST_MEMBERS}"
        )
    terms = _unpack_terms(entries.get("terms"), weights, preprocessing, n)
    if network is not None:
        params = _parameters(network, config, preprocessing, weights, n)
        terms = terms._replace(network=params)
    elif weights:
        raise InputError(f"the weights {few(list(weights))} belong to no member")
    baselines = read_baselines(entries["baseline"])
    return FittedModel(
        network, config, preprocessing, terms, center, baselines, cohort,
    )  # fmt: skip


def _pack_terms(terms: Terms) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Names of the Cox models' parts, and their arrays; all members of an ensemble share them."""
    arrays: dict[str, np.ndarray] = {}

    def pack_cox(prefix: str, model: LinearCox) -> dict[str, list[str]]:
        for part in _LINEAR:
            for m, a in getattr(model, part).items():
                arrays[f"{prefix}/{part}/{m}"] = np.asarray(a)[0]
        for part in _VECTORS:
            arrays[f"{prefix}/{part}"] = np.asarray(getattr(model, part))[0]
        return {part: list(getattr(model, part)) for part in _LINEAR}

    cox = [
        {"name": name, **pack_cox(f"cox/{i}", model)}
        for i, (name, model) in enumerate(terms.cox.items())
    ]
    offset = None if terms.offset is None else pack_cox("offset", terms.offset)
    members = list(terms.weights)
    arrays["weights"] = np.array([np.asarray(w)[0] for w in terms.weights.values()], np.float32)
    return {"cox": cox, "offset": offset, "members": members}, arrays


def _unpack_terms(
    header: Any, weights: dict[str, np.ndarray], fitted: Preprocessing, n: int
) -> Terms:
    """The terms without the network; takes their arrays out of ``weights``."""
    if header is None:  # schema 1: a network alone
        return Terms(None, None, {}, {"network": np.ones(n, np.float32)})
    widths = {m: c.stop - c.start for m, c in fitted.columns.items()}

    def unpack_cox(prefix: str, parts: Mapping[str, list[str]]) -> LinearCox:
        made: dict[str, Any] = {
            part: {m: weights.pop(f"{prefix}/{part}/{m}") for m in parts[part]} for part in _LINEAR
        }
        made |= {part: weights.pop(f"{prefix}/{part}") for part in _VECTORS}
        f = len(made["cosine"])
        found = {(p, m): a.shape for p in _LINEAR for m, a in made[p].items()}
        wanted = {(p, m): (widths.get(m, -1),) for p in _LINEAR[:2] for m in made[p]}
        wanted |= {("frequencies", m): (widths.get(m, -1), f) for m in made["frequencies"]}
        vectors = [made[p].shape for p in _VECTORS] == [(f,), (f,), ()]
        if differing(found, wanted) or not vectors or not found:
            raise InputError(f"the Cox model {prefix!r} does not fit the features")
        return tiled(LinearCox(**made), n)

    cox = {one["name"]: unpack_cox(f"cox/{i}", one) for i, one in enumerate(header["cox"])}
    offset = None if header["offset"] is None else unpack_cox("offset", header["offset"])
    values, members = weights.pop("weights"), header["members"]
    named_once = len(set(members)) == len(members) and len(cox) == len(header["cox"])
    if not named_once or set(members) - {"network"} != set(cox) or values.shape != (len(members),):
        raise InputError("the weights of the stack do not fit its members")
    each = {name: np.full(n, w, np.float32) for name, w in zip(members, values, strict=True)}
    return Terms(None, offset, cox, each)


def _config_entries(fitted: FittedModel) -> Any:
    """Widths that are a function become those that it gave."""
    if not is_dataclass(fitted.config):
        return None
    entries = {k: getattr(fitted.config, k) for k in asdict(fitted.config)}  # type: ignore[arg-type]
    if callable(widths := entries.get("widths")):
        sizes = nobody(fitted.preprocessing).inputs
        entries["widths"] = {m: widths(x.shape[1]) for m, x in sizes.items() if m != CLINICAL}
    return entries


def _parameters(
    network: Model, config: Any, fitted: Preprocessing, weights: dict[str, np.ndarray], members: int
) -> Any:
    """The weights in the structure that the model has for this config and these features."""
    init = functions_of(network, config).init
    batch = batch_of(nobody(fitted))
    batch = batch._replace(outcome=batch.outcome._replace(code=batch.outcome.event))
    wanted = jax.eval_shape(init, jax.random.key(0), batch)
    return structured(weights, wanted, leading=(members,))


def nobody(fitted: Preprocessing) -> Rows:
    """One patient who has nothing, as a network reads it; for its shapes."""
    widths = {m: c.stop - c.start for m, c in fitted.columns.items()}
    widths |= {m: len(c) for m, c in fitted.chosen.items()}
    widths |= {m: p.shape[1] for m, p in fitted.projection.items()}
    inputs = {m: np.zeros((1, w), np.float32) for m, w in widths.items()}
    return Rows(inputs, dict.fromkeys(inputs, np.zeros(1, np.float32)), {}, {})


def _check_preprocessing(fitted: Preprocessing, arrays: Mapping[str, np.ndarray]) -> None:
    size = sum(len(encoded_columns(fitted.schema, m)) for m in fitted.schema.features)
    wanted = {f"scaler/{part}": (size,) for part in Scaler._fields}
    columns = fitted.columns
    for m, p in fitted.projection.items():
        width = columns[m].stop - columns[m].start if m in columns else -1
        wanted[f"projection/{m}"] = (width, p.shape[-1])
    for m, c in fitted.chosen.items():
        width = columns[m].stop - columns[m].start if m in columns else 0
        wanted[f"chosen/{m}"] = c.shape if c.ndim == 1 and np.all((c >= 0) & (c < width)) else ()
    if fitted.selected is not None:
        wanted["selected"] = (size,)
    parts = ("scaler/", "projection/", "chosen/", "selected")
    found = {name: a.shape for name, a in arrays.items() if name.startswith(parts)}
    if wrong := differing(found, wanted):
        raise InputError(f"the preprocessing {few(wrong)} does not fit features and projection")
    if wrong := [n for n, a in arrays.items() if a.dtype.name not in _dtypes(n)]:
        raise InputError(
            f"the preprocessing {few(wrong)} has the type {arrays[wrong[0]].dtype}, which is not that of "
            f"such values: {_dtypes(wrong[0])}"
        )
    if fitted.imputation is None and len(found) < len(arrays):
        raise InputError(
            f"the preprocessing {few(sorted(set(arrays) - set(found)))} belongs to nothing"
        )
    if fitted.imputation is not None:
        model, imputed = fitted.imputation
        if imputed.ndim != 1 or np.any((imputed < 0) | (imputed >= size)):
            raise InputError(f"the imputed columns do not fit the {size} features")
        if model is not None and not _fits(model, columns, len(imputed)):
            raise InputError("the imputation does not fit the features")


def _fits(model: Any, columns: Mapping[str, slice], d: int) -> bool:
    """Whether an imputation has the shapes of the features, of which it imputes ``d``."""
    if isinstance(model, RoundRobin):
        k = model.neighbours.shape[-1]
        vectors = (*model.scaler, model.indicator, model.discrete, model.least, model.most)
        return (
            all(a.shape == (d,) for a in vectors)
            and model.neighbours.shape == (d, k)
            and bool(np.all((model.neighbours >= 0) & (model.neighbours < d)))
            and model.coef.shape[1:] == (d, k + 1)
        )
    widths = {m: c.stop - c.start for m, c in columns.items()}
    return all(
        {*r.present, r.missing} <= set(widths)
        and r.coef.shape == (sum(widths[m] for m in r.present), widths[r.missing])
        and r.intercept.shape == (widths[r.missing],)
        for r in model.regressions
    )


def _dtypes(name: str) -> tuple[str, ...]:
    """Types of numbers that an array of the preprocessing may have."""
    if name in ("selected", "chain/indicator", "chain/discrete"):
        return ("bool",)
    places = name in ("imputed", "chain/neighbours") or name.startswith("chosen/")
    return ("int32", "int64") if places else ("float32", "float64")


def _check_cohort(cohort: TrainingCohort) -> None:
    counts = (cohort.patients, cohort.events, cohort.unlabelled)
    p = np.asarray(cohort.percentiles)
    middle = p.shape == (101,) and np.isclose(cohort.threshold, p[50], rtol=1e-5, atol=1e-6)
    if min(counts) < 0 or cohort.events > cohort.patients:
        raise InputError(
            f"the cohort cannot have {counts} patients, events and unlabelled patients"
        )
    if not middle or np.any(np.diff(p) < 0):
        raise InputError(
            "the cohort's percentiles must be 101 ascending numbers around the threshold"
        )
