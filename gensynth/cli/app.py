"""The application that the commands are added to, and the exit statuses that they share."""

from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

import gensynth
from gensynth.cli.terminal import say
from gensynth.errors import UserError

INTERRUPTED = 130
MISTAKE = 2

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...",
        help="Choices and settings, such as constraint=nano_b, data.root=DIR, budget.minutes=5.",
        show_default=False,
    ),
]
"""The argument of every command that composes an experiment."""

app = typer.Typer(
    name="gensynth",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def gensynth_command(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Learn a generator of small networks from a prototype and an indicator function."""
    if version:
        typer.echo(f"gensynth {gensynth.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs the command line and ends the process.

    A person's mistake is one line on stderr and status 2, as is a file or folder that the system
    refuses; an interruption is status 130.

    Args:
        arguments: Words after the program's name; those of the process when None.
    """
    raise SystemExit(_status(arguments))


def _status(arguments: Sequence[str] | None) -> int:
    try:
        status = app(arguments, prog_name=app.info.name, standalone_mode=False)
    except UserError as error:
        return _mistake(str(error))
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else app.info.name
        return _mistake(f"{command}: {error.format_message().rstrip('.')}; see {command} --help")
    except typer.Abort:
        return INTERRUPTED
    except OSError as error:
        return _mistake(str(_refused(error)))
    return status if isinstance(status, int) else 0


def _refused(error: OSError) -> UserError:
    where = "" if error.filename is None else str(error.filename)
    return UserError(error.strerror or str(error) or type(error).__name__, where=where)


def _mistake(line: str) -> int:
    say(" ".join(line.split()), err=True)
    return MISTAKE
