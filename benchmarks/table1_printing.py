"""Table 1 as Markdown: what is published and what is measured in columns of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.printing import markdown
from gensynth.cost import cost
from gensynth.genome import Genome
from gensynth.report.published import Published

HEADS = (
    "network",
    "input",
    "parameters, published",
    "parameters",
    "M MACs",
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


def printed(lines: Sequence[Line], *, seeds: int) -> str:
    """The table, its sources and its protocol.

    Args:
        lines: Rows.
        seeds: Training seeds wanted; a row that has fewer says so.
    """
    measured = [line.measured for line in lines if line.measured is not None]
    synthetic = any(figures["synthetic"] for figures in measured)
    sources = list(dict.fromkeys(line.published.source for line in lines if line.published))
    table = markdown(HEADS, [_cells(line, sources, seeds, synthetic) for line in lines])
    notes = [*_protocol(measured), *_sources(sources), *_strangers(lines)]
    if synthetic:
        notes.insert(0, "SYNTHETIC faces: no published accuracy compares with these.")
    return "\n\n".join([table, *notes])


def _cells(line: Line, sources: Sequence[str], seeds: int, synthetic: bool) -> list[str]:
    known, genome = line.published, line.genome
    cited = "" if known is None else f" [{sources.index(known.source) + 1}]"
    size = accuracy = NONE
    if known is not None:
        size = f"{_grouped(known.params)}{cited}"
    if known is not None and known.accuracy is not None and not synthetic:
        accuracy = f"{known.percent:.1f}{cited}"
    if genome is None:
        remark = "not trained: the source does not publish its layers"
        return [line.label, NONE, size, NONE, NONE, accuracy, *[NONE] * 6, remark]
    shape = "×".join(map(str, (genome.input.height, genome.input.width, genome.input.channels)))
    costs = cost(genome)
    return [
        line.label,
        shape,
        size,
        _grouped(costs.params),
        f"{costs.macs / 1e6:.1f}",
        accuracy,
        *_measured(line.measured),
        _remarks(line, seeds),
    ]


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


def _remarks(line: Line, seeds: int) -> str:
    found = [line.published.note] if line.published and line.published.note else []
    if line.measured is None:
        found.append("not measured yet")
    elif len(line.measured["seeds"]) < seeds:
        found.append(f"{len(line.measured['seeds'])} of {seeds} training seeds")
    return "; ".join(found)


def _protocol(measured: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not measured:
        return
    first = measured[0]
    folds = first["protocol"]["folds"]
    yield (
        f"Measured on {first['data']}: {first['images']} images of {first['sequences']} sequences, "
        f"{folds['count']} folds by {folds['by']}; accuracy pooled over the folds, mean over the "
        "training seeds, ± their standard deviation; Wilson 95 % interval over the sequences."
    )
    words = [one["words"] for figures in measured for one in figures["chosen"] if one["seen"]]
    yield from dict.fromkeys(words)


def _sources(sources: Sequence[str]) -> Iterator[str]:
    if sources:
        yield "Published: " + "; ".join(f"[{n}] {text}" for n, text in enumerate(sources, 1)) + "."


def _strangers(lines: Sequence[Line]) -> Iterator[str]:
    """Says which rows were measured by another recipe or on other data than most."""
    known = [(line.name, _way(line.measured)) for line in lines if line.measured is not None]
    ways = [way for _, way in known]
    usual = max(ways, key=ways.count, default=None)
    others = [name for name, way in known if way != usual]
    if others:
        yield (
            f"NOT BY THE SAME PROTOCOL as the others: {', '.join(others)}. Remove their results "
            "and measure them again."
        )


def _way(figures: Mapping[str, Any]) -> tuple[Any, ...]:
    told = figures["protocol"], figures["images"], figures["sequences"]
    return (*told, figures["data"], figures["epochs"])


def _accuracy(figures: Mapping[str, Any]) -> str:
    low, high = figures["interval"]
    return f"{100 * figures['accuracy']:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def _grouped(number: float) -> str:
    return f"{number:,.0f}".replace(",", " ")
