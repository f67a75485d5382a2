"""Model card: what a model file holds, for people, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from jaxsurv.artifacts import StoredModel
from jaxsurv.data.safe_text import printable
from jaxsurv.data.tables import few


def card_of(stored: StoredModel) -> str:
    """The model card, in Markdown: use, training patients, held-out scores, limits, settings, files.

    Args:
        stored: what a model file holds, see :func:`jaxsurv.artifacts.read_model`.
    """
    entries = stored.entries
    of_images = "images" in entries
    parts = {
        "Intended use": _use(entries, of_images),
        "Training": _of_images(entries) if of_images else _of_survival(entries),
        "Held-out scores": _scores(entries, of_images),
        "Limits": [] if of_images else _limits(entries),
        "Members and their weights": _members(stored),
        "Settings": [f"{part}: {_listed(entries[part])}" for part in _CHOICES if entries.get(part)],
        "Files": [
            f"versions: {', '.join(f'{k} {v}' for k, v in entries['versions'].items())}",
            f"schema: {entries['schema']}" if "schema" in entries else "",
            *[
                f"{name}: {f['bytes']} bytes, SHA-256 {f['sha256']}"
                for name, f in entries.get("files", {}).items()
            ],
        ],
    }
    blocks = [f"# {entries['model']}", *filter(None, [_printable(entries.get("notes", ""))])]
    for title, lines in parts.items():
        if lines := [_printable(line) for line in lines if line]:
            blocks.append("\n".join([f"## {title}", "", *[f"- {line}" for line in lines]]))
    return "\n\n".join(blocks) + "\n"


def _use(entries: Mapping[str, Any], of_images: bool) -> list[str]:
    predicts = (
        f"Predicts an image of {_pixels(entries['outcome'])}."
        if of_images
        else "Predicts a log hazard (0 = the mean of the training patients, higher is worse) and a survival "
        "curve."
    )
    return [predicts, "For research; it has not been validated for the care of patients."]


def _scores(entries: Mapping[str, Any], of_images: bool) -> list[str]:
    told = [] if of_images else [f"C held out: {_held_out(entries)}"]
    return told + [
        f"{name}: {_interval(m['value'], m['lower'], m['upper'])}"
        for name, m in entries["metrics"].items()
    ]


def _limits(entries: Mapping[str, Any]) -> list[str]:
    """Limits of the model that follow from the entries."""
    cohort = entries["cohort"]
    unit = f" {cohort['time_unit']}".rstrip()
    few_events = cohort["events"] < FEW_EVENTS
    return [
        f"With {cohort['events']} events its C on new patients cannot be told within 0.05."
        * few_events,
        f"Survival is not known beyond {cohort['longest_time']:g}{unit}.",
        "No interval comes with a single patient's risk; `predict_lower_bound` has one for the time.",
        "Patients of another hospital or platform may differ: judge it on some of them first (`python -m "
        "experiments.external_validation`).",
    ]


def _members(stored: StoredModel) -> list[str]:
    """Weights of a stack."""
    members = (stored.entries.get("terms") or {}).get("members", ())
    if len(members) < 2:
        return []
    weights = zip(members, stored.weights["weights"], strict=True)
    return [f"{name}: {w:.2f}" for name, w in weights]


FEW_EVENTS = 100  # the standard error of C is near 0.03 there
_CHOICES = ("hparams", "config", "recipe", "settings")
_STACK = "by cross-fitted members, on the rows that their weights were fitted to: a little too high"
_NETWORKS = "by single networks, on the rows that stopped them: not that of the ensemble"


def _held_out(entries: Mapping[str, Any]) -> str:
    if not entries["cohort"]["c"]:
        return "no two patients compare"
    stack = len((entries.get("terms") or {}).get("members", ())) > 1
    whose = "on the folds that chose the penalty" if entries["hparams"] is None else _NETWORKS
    return f"{entries['cohort']['c'][0]:.3f}, {_STACK if stack else whose}"


def _of_survival(entries: Mapping[str, Any]) -> list[str]:
    cohort, schema = entries["cohort"], entries["preprocessing"]["schema"]
    unit = f" {cohort['time_unit']}".rstrip()
    trained = f"{cohort['patients']} patients, {cohort['events']} events"
    if causes := cohort.get("causes"):
        trained += f" of one of the causes {few(causes, 20)} (see cause in the config)"
    if cohort["unlabelled"]:
        trained += f", and {cohort['unlabelled']} patients without an outcome"
    return [
        f"trained on: {trained}",
        f"follow-up: median {cohort['median_time']:g}, longest {cohort['longest_time']:g}{unit}",
        f"high risk: log hazard above {cohort['threshold']:.3g}, the training cohort's median",
        *[
            f"reads {m}: {len(names)} features ({schema['kinds'][m]}): {few(names, 4)}"
            for m, names in schema["features"].items()
        ],
    ]


def _of_images(entries: Mapping[str, Any]) -> list[str]:
    patients, held_out = (entries["training"][k] for k in ("patients", "held_out"))
    return [
        f"trained on: {patients - held_out} patients",
        f"held out: {held_out} patients, who stopped the training and calibrate the intervals",
        *[f"reads {m}: {_pixels(shape)}" for m, shape in entries["images"].items()],
        *[f"intervals for patients with {', '.join(p)}" for p in entries["patterns"]],
    ]


def _printable(text: str) -> str:
    """On one line, so that no name in a file makes a heading or an entry of its own."""
    return " ".join(printable(text).split())


def _pixels(shape: Sequence[int]) -> str:
    return f"{' × '.join(map(str, shape))} pixels"


def _interval(value: float, lower: float, upper: float) -> str:
    return f"{value:.3f} ({lower:.3f} to {upper:.3f})"


def _listed(entries: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{k} {v:g}" if type(v) is float else f"{k} {v}"
        for k, v in entries.items()
        if k != "modalities"  # whose columns are the features above
    )
