"""Table 1 as Markdown: what is published and what is measured in columns of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.markdown import markdown
from gensynth.cost import cost
from gensynth.genome import Genome
from gensynth.task.published import Published

HEADS = (
    "network",
    "input",
    "parameters, published",
    "parameters",
    "M MACs as tested",
    "accuracy, published (%)",
    "accuracy, measured (%) [95 %]",
    "on folds that its search did not see [95 %]",
    "sequences (%)",
    "least recall (%)",
    "training seeds (±)",
    "epochs",
    "remarks",
)
NONE = "–"


@dataclass(frozen=True)
class Line:
    """A row of the table with what is measured of it.

    Attributes:
        name: How ``--rows`` calls it.
        published: What is published of the network.
        genome: The network; None where its layers are not published.
        measured: What ``evaluation.json`` holds; None where nothing is measured.
    """

    name: str
    published: Published | None
    genome: Genome | None
    measured: Mapping[str, Any] | None

    @property
    def label(self) -> str:
        """What the table calls it."""
        if self.published is None or self.genome is None:
            return self.name
        return f"{self.published.name} (`{self.name}`)"


def printed(lines: Sequence[Line], *, seeds: int, epochs: int, protocol: Mapping[str, Any]) -> str:
    """The table, its sources and its protocol.

    Args:
        lines: Rows.
        seeds: Training seeds wanted; a row that has fewer says so.
        epochs: Epochs wanted; a row that has others says so.
        protocol: ``folds`` and ``training`` wanted; a row says in what it differs.
    """
    measured = {line.name: line.measured for line in lines if line.measured is not None}
    synthetic = any(figures["synthetic"] for figures in measured.values())
    sources = list(dict.fromkeys(line.published.source for line in lines if line.published))
    wanted = {"epochs": epochs, **protocol}
    cells = [[*_cells(line, sources, synthetic), _remarks(line, seeds, wanted)] for line in lines]
    table = markdown(HEADS, cells)
    notes = [*_protocol(measured), *_sources(sources)]
    if synthetic:
        notes.insert(0, "SYNTHETIC faces: no published accuracy compares with these.")
    return "\n\n".join([table, *notes])


def _cells(line: Line, sources: Sequence[str], synthetic: bool) -> list[str]:
    known, genome = line.published, line.genome
    cited = "" if known is None else f" [{sources.index(known.source) + 1}]"
    size = accuracy = NONE
    if known is not None:
        size = f"{_grouped(known.params)}{cited}"
    if known is not None and known.accuracy is not None and not synthetic:
        accuracy = f"{known.percent:.1f}{cited}"
    if genome is None:
        return [line.label, NONE, size, NONE, NONE, accuracy, *[NONE] * 6]
    shape = "×".join(map(str, (genome.input.height, genome.input.width, genome.input.channels)))
    costs = cost(genome)
    return [
        line.label,
        shape,
        size,
        _grouped(costs.params),
        f"{_passes(line.measured) * costs.macs / 1e6:.1f}",
        accuracy,
        *_measured(line.measured),
    ]


def _passes(figures: Mapping[str, Any] | None) -> int:
    """Forward passes an image at test: two with the mirror image."""
    told = {} if figures is None else figures["protocol"]["training"]
    return 2 if told.get("flip_test") else 1


def _measured(figures: Mapping[str, Any] | None) -> list[str]:
    if figures is None:
        return [NONE] * 6
    (network,) = [one for one in figures["chosen"] if one["what"] == "network"]
    spread = "" if figures["spread"] is None else f" (± {100 * figures['spread']:.1f})"
    return [
        _accuracy(figures),
        _accuracy(network["unseen"]) if network["seen"] and network["unseen"] else NONE,
        f"{100 * figures['sequence_accuracy']:.1f}",
        f"{100 * min(figures['recall'].values()):.1f}",
        f"{len(figures['seeds'])}{spread}",
        str(figures["epochs"]),
    ]


def _remarks(line: Line, seeds: int, wanted: Mapping[str, Any]) -> str:
    if line.genome is None:
        return "not trained: the source does not publish its layers"
    found = [line.published.note] if line.published and line.published.note else []
    if line.measured is None:
        return "; ".join([*found, "not measured yet"])
    if len(line.measured["seeds"]) < seeds:
        found.append(f"{len(line.measured['seeds'])} of {seeds} training seeds")
    told = {"epochs": line.measured["epochs"], **line.measured["protocol"]}
    return "; ".join([*found, *_differences(wanted, {name: told[name] for name in wanted})])


def _protocol(measured: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """How the rows were measured, and by what they were chosen; which rows, where not all were."""
    if not measured:
        return
    first = next(iter(measured.values()))
    folds = first["protocol"]["folds"]
    yield (
        f"Measured on {first['data']}: {first['images']} images of {first['sequences']} sequences, "
        f"{folds['count']} folds by {folds['by']}; accuracy pooled over the folds, mean over the "
        "training seeds, ± their standard deviation; Wilson 95 % interval over the sequences."
    )
    chosen: dict[str, list[str]] = {}
    for name, figures in measured.items():
        for one in figures["chosen"]:
            if one["seen"]:
                chosen.setdefault(one["words"], []).append(name)
    for words, names in chosen.items():
        yield words if len(names) == len(measured) else f"{', '.join(names)}: {words}"


def _sources(sources: Sequence[str]) -> Iterator[str]:
    if sources:
        yield "Published: " + "; ".join(f"[{n}] {text}" for n, text in enumerate(sources, 1)) + "."


CHOSEN_BY_MACHINE = ("training.engine", "training.device")
"""Keys that a recipe leaves out where the machine chooses."""


def _differences(usual: Any, now: Any, key: str = "") -> Iterator[str]:
    """What is not as usual: ``training.learning_rate 0.002 instead of 0.02``."""
    if isinstance(usual, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys((*usual, *now)):
            yield from _differences(usual.get(name), now.get(name), f"{key}.{name}".strip("."))
    elif usual not in (now, "auto") and not (usual is None and key in CHOSEN_BY_MACHINE):
        yield f"{key} {now} instead of {usual}"


def _accuracy(figures: Mapping[str, Any]) -> str:
    low, high = figures["interval"]
    return f"{100 * figures['accuracy']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _grouped(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
