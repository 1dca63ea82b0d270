"""``gensynth evaluate``: the whole cross-validation of one network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.sources import naming, read_genome

if TYPE_CHECKING:
    from gensynth.config import Base

PROTOCOL = (
    "data",
    "folds",
    "training",
    "fidelity",
    "confirm",
    "constraint",
    "performance",
    "seed",
)
"""What a run directory decides of its best network's evaluation; overrides change it."""


@app.command()
def evaluate(
    genome: Annotated[
        str,
        typer.Argument(
            metavar="GENOME",
            help="A genome (.json), a prototype by name or YAML file, or a run directory.",
        ),
    ],
    overrides: Overrides = None,
    *,
    fold: Annotated[int | None, typer.Option(min=0, help="Only this fold.")] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Base seed as in results.json (fold i is trained with seed + i); with --fold the "
            "training seed itself, as in journal.jsonl.",
        ),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs; those of the confirmation when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train and test one network on all folds; the figures come with their interval.

    The data and the recipe of a run directory are those of its search, unless overridden.
    """
    from gensynth import config
    from gensynth.cli.progress import Display
    from gensynth.search import Experiment, evaluate_network

    chosen = naming(genome, overrides or ())
    network = read_genome(genome, chosen)
    experiment = config.load(Experiment, chosen, base=_protocol(Path(genome)))
    with Display() as display:
        figures = evaluate_network(
            network, experiment, fold=fold, seed=seed, epochs=epochs, watcher=display
        )
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        _print(figures)


def _protocol(path: Path) -> Base | None:
    """What decides a run's figures, if the path is a run."""
    if not path.is_dir():
        return None
    from gensynth.config import Base
    from gensynth.export import Run

    written = Run(path).config
    values = {key: written[key] for key in PROTOCOL if key in written}
    return Base(str(path / "config.yaml"), values)


def _print(figures: dict[str, Any]) -> None:
    low, high = figures["interval"]
    drawn = " (synthetic faces)" if figures["synthetic"] else ""
    recall = ", ".join(f"{name} {value:.1%}" for name, value in figures["recall"].items())
    seeds = ", ".join(map(str, figures["seeds"]))
    for text in (
        f"{figures['name']} on {figures['data']}{drawn}: "
        f"{figures['params']} parameters, {figures['macs'] / 1e6:.1f} M MACs",
        f"  accuracy           {figures['accuracy']:.2%} of {figures['images']} images "
        f"(95 % interval {low:.1%} to {high:.1%}, by {figures['sequences']} sequences)",
        f"  mean over folds    {figures['fold_mean']:.2%}",
        f"  sequences          {figures['sequence_accuracy']:.2%}",
        f"  recall             {recall}",
        f"  {figures['epochs']} epochs, seeds {seeds}",
        f"  satisfies {figures['constraint']}: {'yes' if figures['feasible'] else 'no'}",
    ):
        typer.echo(text)
