"""Table 2 of the EmotionNet Nano paper: speed, published and measured side by side.

Networks of ``genomes/``, the published Nano-B, and networks to compare with, in ONNX Runtime with
one thread, one image at a time. They run in turns, so that what else the machine does meets all of
them alike, and a speed is compared with Nano-B's turn by turn. Weights are drawn: they change no
time. It needs the extra ``onnx`` and runs the same on a Raspberry Pi or a Jetson.

    python -m benchmarks.paper.table2
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.markdown import markdown
from benchmarks.options import positive, selected
from gensynth import config, prototype
from gensynth import genome as genomes
from gensynth.cost import cost
from gensynth.device import measure, untrained
from gensynth.device.onnx_graph import core_graph, session_of
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.task.published import SOURCE
from gensynth.training import Recipe

ROOT = Path(__file__).parents[2]
REFERENCE = "emotionnet_nano_b"
PEERS = ("micro_expnet", "mini_xception", "mobilenet_v1", "efficientnet_b0", "resnet50")
FACE_API = Path(__file__).with_name("face_api.yaml")
"""Not among the prototypes: without its weights it does not train."""
WHOLE = ("mobilenet_v1", (3, 224, 224))
"""The network that is also run at the size that it was published for."""
TURN = 0.02
"""Seconds of one network's turn, and at least one run."""
SPEEDS = {"EmotionNet Nano-A": (25.8, 70.1), REFERENCE: (32.8, 72.9)}
EFFICIENCY = {"EmotionNet Nano-A": (1.72, 2.34), REFERENCE: (2.19, 2.43)}
"""Published: FPS and images a second and watt at 15 and 30 W (Lee, Wang, Wong 2021, Table 2)."""
HEADS = (
    "network",
    "input",
    "parameters",
    "M MACs",
    "p50 (ms)",
    "p95 (ms)",
    "FPS",
    "times the FPS of Nano-B [95 %]",
    "memory (MB)",
    "FPS at 15 / 30 W, published",
    "images/s/W at 15 / 30 W, published",
)
NONE = "–"


@dataclass(frozen=True)
class Speed:
    """What was measured of a network.

    Attributes:
        runs: Milliseconds of each run.
        turns: Median milliseconds of each turn.
    """

    runs: NDArray[np.float64]
    turns: NDArray[np.float64]


def networks(found: Path = ROOT / "genomes") -> Mapping[str, Genome]:
    """The rows: what searches have found, the published Nano-B, peers; by name.

    Peers read 48×48 gray as Nano-B does, except those that are made for another size.
    """
    rows = {file.stem: genomes.load(file) for file in sorted(found.glob("*.json"))}
    for name in (REFERENCE, *PEERS):
        rows[name] = _prototype(name)
    rows[FACE_API.stem] = prototype.load(FACE_API)
    name, image = WHOLE
    rows[f"{name}-{image[-1]}"] = _prototype(name, image)
    return rows


def _prototype(name: str, image: tuple[int, int, int] | None = None) -> Genome:
    file = config.find("prototype", name)
    assert file is not None
    return prototype.load(file, image=image)


def race(rows: Mapping[str, Genome], turns: int) -> Mapping[str, Speed]:
    """Runs networks in turns, each in a session of its own with one thread.

    Args:
        rows: Networks.
        turns: Of each network; a turn is some runs in a row, of which the first is not counted.
    """
    entrants = {}
    for name, genome in rows.items():
        graph = core_graph(untrained(genome, Recipe())).SerializeToString()
        image = np.random.default_rng(0).random((1, *genome.input.shape), dtype=np.float32)
        entrants[name] = session_of(graph), {"pixels": image}
    took: dict[str, list[list[float]]] = {name: [] for name in rows}
    for _ in range(turns):
        for name, (session, given) in entrants.items():
            session.run(None, given)
            took[name].append(list(_turn(session, given)))
    return {
        name: Speed(np.concatenate(lists), np.array([np.median(one) for one in lists]))
        for name, lists in took.items()
    }


def _turn(session: object, given: Mapping[str, NDArray[np.float32]]) -> Iterator[float]:
    begun = now = time.perf_counter()
    while now - begun < TURN:
        session.run(None, given)  # type: ignore[attr-defined]
        before, now = now, time.perf_counter()
        yield 1000 * (now - before)


def ratio(speed: Speed, reference: Speed, resamples: int = 2000) -> tuple[float, float, float]:
    """How many times as fast as a reference: the median over turns and its 95 % interval.

    A ratio belongs to a turn, in which both ran; the interval resamples turns (percentile
    bootstrap, Efron 1979).
    """
    ratios = reference.turns / speed.turns
    random = np.random.default_rng(0)
    drawn = ratios[random.integers(0, len(ratios), (resamples, len(ratios)))]
    low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
    return float(np.median(ratios)), float(low), float(high)


def printed(rows: Mapping[str, Genome], turns: int) -> str:
    """Measures and gives the table as Markdown."""
    speeds = race(rows, turns)
    lines = [_cells(name, genome, speeds) for name, genome in rows.items()]
    lines.append(
        ["EmotionNet Nano-A", *[NONE] * (len(HEADS) - 3), *_published("EmotionNet Nano-A")]
    )
    return "\n\n".join(
        [
            markdown(HEADS, lines),
            "ONNX Runtime, float32, one thread, one image at a time, the network alone: without "
            f"resizing and local contrast. {turns} turns of {1000 * TURN:.0f} ms in rotation.",
            f"Published on an ARM v8.2 processor: {SOURCE.replace('Table 1', 'Table 2')}.",
        ]
    )


def _cells(name: str, genome: Genome, speeds: Mapping[str, Speed]) -> list[str]:
    found = cost(genome)
    speed = speeds[name]
    median, late = np.quantile(speed.runs, (0.5, 0.95))
    times, low, high = ratio(speed, speeds[REFERENCE])
    memory = measure(untrained(genome, Recipe()), ("memory.onnx",))["memory.onnx"].value
    return [
        f"`{name}`",
        "×".join(map(str, genome.input.shape)),
        f"{found.params:,}".replace(",", " "),
        f"{found.macs / 1e6:.2f}",
        f"{median:.3f}",
        f"{late:.3f}",
        f"{1000 / median:,.0f}".replace(",", " "),
        "1" if name == REFERENCE else f"{times:.2f} [{low:.2f}, {high:.2f}]",
        f"{memory / 1e6:.1f}",
        *_published(name),
    ]


def _published(name: str) -> list[str]:
    if name not in SPEEDS:
        return [NONE, NONE]
    return ["{} / {}".format(*SPEEDS[name]), "{} / {}".format(*EFFICIENCY[name])]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper.table2", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rows", metavar="A,B", help="these rows beside the published Nano-B")
    parser.add_argument("--turns", type=positive, default=100, help="of each network (100)")
    options = parser.parse_args(arguments)
    try:
        every = networks()
        named = {REFERENCE, *selected(sorted(every), options.rows, what="row")}
        print(printed({name: every[name] for name in every if name in named}, options.turns))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
