"""The Optuna storage of a run, as the search opens it to write and others to read."""

from __future__ import annotations

from typing import Any

import sqlalchemy
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend

from gensynth.storage_url import JOURNAL, SQLITE, file_of


def storage(url: str, *, readonly: bool = False) -> BaseStorage:
    """The storage behind a URL; one on SQLite waits for others that write, and not for the disk.

    Every commit survives a crash of the process; a crash of the whole machine may lose the last
    ones, which the journal of folds then makes good.

    Args:
        url: Of the storage: what SQLAlchemy takes, or ``journal:PATH``.
        readonly: Whether to read what is there and make neither a file nor a table.

    Raises:
        FileNotFoundError: If a file that is to be read is not there.
    """
    file = file_of(url)
    if readonly and file is not None and not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    if url.startswith(JOURNAL):
        return JournalStorage(JournalFileBackend(url.removeprefix(JOURNAL)))
    if not url.startswith(SQLITE):
        # A server may be restarted, so a connection is tried before it is used.
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True}, skip_table_creation=readonly)
    found = RDBStorage(
        url, engine_kwargs={"connect_args": {"timeout": 60}}, skip_table_creation=readonly
    )

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
