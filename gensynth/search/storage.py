"""The Optuna storage of a run, as the search opens it to write and others to read."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from optuna.storages import BaseStorage, RDBStorage

SQLITE = "sqlite"


def storage(url: str) -> BaseStorage | str:
    """The storage behind a URL; one on SQLite waits for others that write, and not for the disk.

    Every commit survives a crash of the process; a crash of the whole machine may lose the last
    ones, which the journal of folds then makes good.
    """
    if not url.startswith(SQLITE):
        return url
    found = RDBStorage(url, engine_kwargs={"connect_args": {"timeout": 60}})

    @sqlalchemy.event.listens_for(found.engine, "connect")
    def _relax(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    found.engine.dispose()
    return found


def write_ahead(url: str) -> None:
    """Gives a SQLite file a write-ahead log; it keeps it.

    With it a write costs about a millisecond instead of tens, and readers such as the dashboard do
    not wait for it.
    """
    if url.startswith(SQLITE):
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        engine.dispose()
