"""``gensynth verify``: whether a network keeps its bounds, measured again."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import Overrides, app
from gensynth.cli.sources import naming, protocol, read_genome
from gensynth.cli.terminal import say

if TYPE_CHECKING:
    from gensynth.device import BoundCheck
    from gensynth.genome import Genome

FAILED = 1
DATA = ("data", "experiment")
"""Keys that say which images there are to train on."""


@app.command("verify")
def verify_network(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|GENOME", help="A model folder, a genome (.json), a run, or a prototype."
        ),
    ],
    overrides: Overrides = None,
    *,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Training seeds: whole cross-validations; 3 when not given."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, help="What the training seeds follow from; drawn when not given."),
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Epochs; those of the confirmation when not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure a network again: status 0 only if every bound of its indicator function holds.

    Sizes are counted, files are written, run and timed, and a model's outputs are compared in
    ONNX Runtime. Where data are named (data=…, experiment=…), or the source is a run, the network
    is trained anew with fresh seeds. The constraint is the one that the network was found for,
    unless another one is named.
    """
    from gensynth import config
    from gensynth.cli.progress import Display
    from gensynth.config.overrides import parse
    from gensynth.device import is_model, load_model, verify
    from gensynth.experiment import Experiment

    words = list(overrides or ())
    subject = load_model(source) if is_model(source) else read_genome(source)
    genome: Genome = subject.genome if is_model(source) else subject  # type: ignore[union-attr,assignment]
    base = protocol(Path(source))
    keys = [parse(word).key for word in words]
    given = [key.partition(".")[0] for key in keys]
    known = genome.provenance.get("constraint")
    if "constraint" not in keys and base is None and known in config.options("constraint"):
        words.insert(0, f"constraint={known}")
    drawn = seed if seed is not None else secrets.randbelow(2**31)
    experiment = config.load(Experiment, [*naming(source, words), f"seed={drawn}"], base=base)
    retrain = base is not None or any(key in DATA for key in given)
    with Display() as display:
        found = verify(
            subject,
            experiment.constraint,
            experiment,
            retrain=retrain,
            seeds=seeds,
            epochs=epochs,
            watcher=display,
            tell=lambda line: say(line, err=True),
        )
    if as_json:
        facts = {
            "name": found.name,
            "hash": genome.hash,
            "constraint": experiment.constraint.name,
            "holds": found.holds,
            "seed": found.seed,
            "bounds": [_facts(one) for one in found.verdicts],
        }
        typer.echo(json.dumps(facts))
    else:
        say(f"{found.name}, {experiment.constraint.name}:")
        for one in found.verdicts:
            say(_line(one))
        if found.seed is not None:
            say(f"  trained anew; the same again with --seed {found.seed}")
    raise typer.Exit(0 if found.holds else FAILED)


def _facts(verdict: BoundCheck) -> dict[str, Any]:
    estimate = verdict.estimate
    return {
        "bound": verdict.bound,
        "limit": verdict.limit,
        "value": None if estimate is None else estimate.value,
        "interval": None if estimate is None else estimate.interval,
        "how": verdict.how,
        "holds": verdict.holds,
        "by_the_whole_interval": verdict.surely,
    }


def _line(verdict: BoundCheck) -> str:
    name, _, end = verdict.bound.rpartition(".")
    asked = f"  {name} at {'least' if end == 'min' else 'most'} {verdict.limit:g}"
    if verdict.estimate is None:
        return f"{asked}: not measured; name the data to train on: data=…"
    value, interval = verdict.estimate.value, verdict.estimate.interval
    between = ""
    if interval is not None and interval[0] < interval[1]:
        between = f" ({interval[0]:.4g} to {interval[1]:.4g})"
    return f"{asked}: {value:.6g}{between}, {verdict.how}: {verdict.words}"
