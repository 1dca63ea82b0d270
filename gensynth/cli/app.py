"""The application that the commands are added to, and the exit statuses that they share."""

from typing import Annotated

import typer

import gensynth

app = typer.Typer(name="gensynth", no_args_is_help=True, add_completion=False)


@app.callback()
def options(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Search for small neural networks under human constraints."""
    if version:
        typer.echo(f"gensynth {gensynth.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line."""
    app()
