"""Which networks of ``genomes/`` the untrained generator draws.

Until some trials of a search have finished (eight when the files were exported, four since) its
sampler knows nothing: the inquisitor is not asked and θ is where φ put it. So an experiment's
sampler that is asked with the search's seed and told nothing repeats the first draws of the search.
A network among them owes nothing to learning.

    python -m benchmarks.paper.replay
    python -m benchmarks.paper.replay --write DIR    and the draws as genomes, to be evaluated
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna

from benchmarks.markdown import markdown
from gensynth import config
from gensynth import genome as genomes
from gensynth.cost import cost
from gensynth.experiment import Experiment
from gensynth.genome import Genome
from gensynth.search.preparation import prepare
from gensynth.search.samplers import named_sampler

ROOT = Path(__file__).parents[2]
FOUND = ROOT / "genomes"
ASKS = 12
"""More than any search asked for before something was learned: eight ended, two in training."""
FACES = ("data=synthetic", "data.subjects=20", "data.frames=1", "folds.by=subject")
"""Drawn faces in place of CK+48: draws depend on φ, space, bounds, price and seed, on no image."""


@dataclass(frozen=True)
class Draw:
    """A network that an untrained generator draws.

    Attributes:
        experiment: Name of the experiment.
        trial: Number of the trial.
        genome: The network.
    """

    experiment: str
    trial: int
    genome: Genome

    def __str__(self) -> str:
        return f"untrained generator, trial {self.trial} of `{self.experiment}`"


def draws(experiment: str, count: int = ASKS) -> Iterator[Draw]:
    """The networks that a search is given before anything is learned, φ apart.

    Args:
        experiment: Its name in ``experiments/``.
        count: Number of trials.
    """
    composed = config.load(Experiment, [f"experiment={experiment}", *FACES])
    setting = prepare(composed)
    study = optuna.create_study(sampler=named_sampler(setting))
    if composed.budget.prototype:
        study.enqueue_trial(dict(setting.space.start))
        study.ask()
    while (trial := study.ask()).number < count:
        yield Draw(experiment, trial.number, setting.space(trial))


def replayed(count: int = ASKS) -> dict[str, Draw]:
    """First draws of every experiment, by the hash of the network."""
    found: dict[str, Draw] = {}
    for experiment in config.options("experiment"):
        for draw in draws(experiment, count):
            found.setdefault(draw.genome.hash, draw)
    return found


def printed(drawn: Mapping[str, Draw], folder: Path = FOUND) -> str:
    """The table of networks that were found, and by what each was drawn."""
    rows = []
    for file in sorted(folder.glob("*.json")):
        genome = genomes.load(file)
        told = genome.provenance
        draw = drawn.get(genome.hash)
        words = f"none of the first {ASKS} draws" if draw is None else str(draw)
        rows.append([file.name, f"{told['study']}, trial {told['trial']}", words])
    return markdown(["file", "its search", "drawn by"], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper.replay", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the draws as genomes")
    options = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn = replayed()
    print(printed(drawn))
    if options.write is not None:
        options.write.mkdir(parents=True, exist_ok=True)
        rows = []
        for draw in drawn.values():
            path = options.write / f"{draw.experiment}-{draw.trial}.json"
            genomes.save(draw.genome, path)
            costs = cost(draw.genome)
            rows.append([path.name, f"{costs.params:,}", f"{costs.macs / 1e6:.2f}"])
        print(f"\n{markdown(['draw', 'parameters', 'M MACs'], rows)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
