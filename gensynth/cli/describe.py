"""``gensynth describe``: what a network is and costs."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gensynth.cli.app import app
from gensynth.cli.sources import naming, read_genome
from gensynth.errors import UserError

if TYPE_CHECKING:
    from gensynth.cost import LayerCost
    from gensynth.genome import Genome

SCHEDULE = "one node after the other in the order listed, normalisation and activation in place"
PIPED_WIDTH = 160
HEAD = ("layer", "op", "reads", "settings", "output", "parameters", "MACs")
SHRINK = ("layer", "reads", "settings")


@app.command()
def describe(
    genome: Annotated[
        str,
        typer.Argument(
            metavar="GENOME",
            help="A genome (.json), a prototype by name or YAML file, or a run directory.",
        ),
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[prototype.KEY=VALUE]...",
            help="Changes of a prototype, such as prototype.input=[1,48,48], prototype.classes=7.",
            show_default=False,
        ),
    ] = None,
    *,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it to an SVG file.")
    ] = None,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it to a PNG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print a network's totals and layers, and draw it."""
    for text in overrides or ():
        if not text.startswith("prototype."):
            raise UserError("not a key of a prototype", where=text, remedy="leave it out")
    network = read_genome(genome, naming(genome, overrides or ()))
    if svg is not None or png is not None:
        from gensynth.report import draw

        picture = draw(network)
        if svg is not None:
            _write(svg, picture.svg().encode())
        if png is not None:
            _write(png, picture.png())
    if as_json:
        typer.echo(json.dumps(_facts(network), indent=1))
    else:
        _print(network)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error


def _facts(genome: Genome) -> dict[str, Any]:
    from gensynth.cost import cost, layer_table, params_with_statistics

    return {
        "name": genome.name,
        "hash": genome.hash,
        **asdict(cost(genome)),
        "params_with_statistics": params_with_statistics(genome),
        "peak_memory_schedule": SCHEDULE,
        "input": genome.input.model_dump(),
        "outputs": {name: genome.shapes[node] for name, node in genome.outputs.items()},
        "layers": [asdict(layer) for layer in layer_table(genome)],
        "provenance": genome.provenance,
    }


def _print(genome: Genome) -> None:
    from rich.table import Table

    from gensynth.cli.terminal import Terminal
    from gensynth.cost import cost, layer_table, params_with_statistics

    console = Terminal(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    found = cost(genome)
    shape = "×".join(map(str, genome.input.shape))
    console.print(genome.name, style="bold", end="")
    console.print(f"  input {shape}  hash {genome.hash[:16]}")
    with_statistics = grouped(params_with_statistics(genome))
    console.print(
        f"  parameters   {grouped(found.params)} ({with_statistics} with running statistics)"
    )
    console.print(f"  MACs         {grouped(found.macs)} ({found.macs / 1e6:.1f} M)")
    console.print(f"  peak memory  {_kib(found.peak_memory)} of float32 activations,")
    console.print(f"               {SCHEDULE}")
    console.print(f"  model        {_kib(found.model_bytes)} of float32 weights")
    table = Table(box=None, pad_edge=False, header_style="bold")
    rows = [_cells(layer) for layer in layer_table(genome)]
    widths = {name: max(map(len, cells)) for name, *cells in zip(HEAD, *rows, strict=True)}
    widths = {name: max(width, len(name)) for name, width in widths.items()}
    taken = sum(width for name, width in widths.items() if name not in SHRINK) + 2 * len(HEAD)
    share = max(8, (console.width - taken) // len(SHRINK))
    for name, width in widths.items():
        table.add_column(
            name,
            no_wrap=True,
            overflow="ellipsis",
            width=min(width, share) if name in SHRINK else width,
            justify="right" if name in ("parameters", "MACs") else "left",
        )
    for row in rows:
        table.add_row(*row)
    console.print()
    console.print(table)


def _cells(layer: LayerCost) -> tuple[str, ...]:
    return (
        layer.id,
        layer.op,
        (" + " if layer.op == "add" else ", ").join(layer.inputs),
        layer.description,
        "×".join(map(str, layer.shape)),
        grouped(layer.params) if layer.params else "",
        grouped(layer.macs) if layer.macs else "",
    )


def grouped(value: float) -> str:
    """A whole number with its digits in groups of three."""
    return f"{value:,.0f}".replace(",", " ")


def _kib(value: int) -> str:
    return f"{grouped(value)} bytes ({value / 1024:.1f} KiB)"
