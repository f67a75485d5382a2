"""Model card: a human-readable description of a model file."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from jaxsurv.artifacts import StoredModel, read_model
from jaxsurv.data.safe_text import literal
from jaxsurv.data.tables import few


def print_card(path: str | os.PathLike, console: Console) -> None:
    """The model card of a file that ``save`` wrote.

    Raises:
        InputError: see :func:`jaxsurv.artifacts.read_model`.
    """
    stored = read_model(path)
    entries = stored.entries
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in [*_members(stored), *_lines(entries)]:
        table.add_row(literal(name), literal(text))
    title = literal(f"{os.fspath(path)}: {entries['model']}")
    console.print(title, style="bold", highlight=False)
    console.print(table, highlight=False)


def _lines(entries: Mapping[str, Any]) -> list[tuple[str, str]]:
    metrics = {name: (m["value"], m["lower"], m["upper"]) for name, m in entries["metrics"].items()}
    return [
        *(_of_images(entries) if "images" in entries else _of_survival(entries)),
        *[(name, _interval(*values)) for name, values in metrics.items()],
        *[(part, _listed(entries[part])) for part in _CHOICES if entries.get(part)],
        ("schema", str(entries["schema"])),
        ("versions", ", ".join(f"{k} {v}" for k, v in entries["versions"].items())),
        *[(name, f"{f['bytes']} bytes, SHA-256 {f['sha256']}") for name, f in entries["files"].items()],
    ]  # fmt: skip


def _members(stored: StoredModel) -> list[tuple[str, str]]:
    """Weights of a stack, and what its file says of where it comes from."""
    told, members = [], (stored.entries.get("terms") or {}).get("members", ())
    if len(members) > 1:
        weights = zip(members, stored.weights["weights"], strict=True)
        told.append(("members", "; ".join(f"{name} {w:.2f}" for name, w in weights)))
    return [*[("notes", note) for note in [stored.entries.get("notes")] if note], *told]


_CHOICES = ("hparams", "config", "recipe", "settings")
_STACK = "of cross-fitted members, on the rows that their weights were fitted to: a little too high"
_NETWORKS = (
    "of single networks, on rows that stopped them: some 0.05 above what new patients would show if "
    "nothing can be learned, some 0.05 below the ensemble's if much can"
)


def _of_survival(entries: Mapping[str, Any]) -> list[tuple[str, str]]:
    cohort, schema = entries["cohort"], entries["preprocessing"]["schema"]
    unit = f" {cohort['time_unit']}".rstrip()
    trained = f"{cohort['patients']} patients, {cohort['events']} events"
    if cohort["unlabelled"]:
        trained += f", and {cohort['unlabelled']} patients without an outcome"
    reads = [
        f"{m}: {len(names)} features ({schema['kinds'][m]}): {few(names, 4)}"
        for m, names in schema["features"].items()
    ]
    held_out = "no two patients compare"
    if cohort["c"]:
        stack = len((entries.get("terms") or {}).get("members", ())) > 1
        whose = "on the folds that chose the penalty" if entries["hparams"] is None else _NETWORKS
        whose = _STACK if stack else whose
        held_out = f"{cohort['c'][0]:.3f}, {whose}"
    return [
        ("trained on", trained),
        ("follow-up", f"median {cohort['median_time']:g}, longest {cohort['longest_time']:g}{unit}"),
        *_titled("reads", reads),
        ("C held out", held_out),
        ("high risk", f"log hazard above {cohort['threshold']:.3g}, the training cohort's median"),
    ]  # fmt: skip


def _of_images(entries: Mapping[str, Any]) -> list[tuple[str, str]]:
    patients, held_out = (entries["training"][k] for k in ("patients", "held_out"))
    return [
        ("trained on", f"{patients - held_out} patients"),
        ("held out", f"{held_out} patients, who stopped the training and calibrate the intervals"),
        *_titled("reads", [f"{m}: {_pixels(shape)}" for m, shape in entries["images"].items()]),
        ("predicts", f"an image of {_pixels(entries['outcome'])}"),
        *_titled("intervals", [f"for patients with {', '.join(p)}" for p in entries["patterns"]]),
    ]


def _titled(title: str, texts: list[str]) -> list[tuple[str, str]]:
    return [(title if i == 0 else "", text) for i, text in enumerate(texts)]


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
