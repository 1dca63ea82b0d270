"""``gensynth dashboard``: a run in the Optuna dashboard."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from gensynth.cli.app import app
from gensynth.cli.sources import run_directory
from gensynth.cli.terminal import say


@app.command()
def dashboard(
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="[RUN]",
            help="A run directory; the newest under runs/ when not given.",
            show_default=False,
        ),
    ] = None,
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = 8080,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Show a run in the Optuna dashboard, with drawings, notes and the front."""
    from gensynth.export import Run
    from gensynth.report.dashboard import illustrate, keep_illustrated, make_server

    found = Run(run_directory(run))
    added = illustrate(found)
    with make_server(found, host=host, port=port) as server:
        address = f"http://{host}:{server.server_port}/"
        say(f"{found.path}: {added} trials illustrated; {address} (Ctrl-C ends it)")
        if browser:
            webbrowser.open(address)
        stop = threading.Event()
        threading.Thread(target=keep_illustrated, args=(found, stop), daemon=True).start()
        try:
            server.serve_forever()
        finally:
            stop.set()
