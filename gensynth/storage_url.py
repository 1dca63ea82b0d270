"""The URLs of Optuna storages: where they lead, and what of them may be shown."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

SQLITE = "sqlite"
JOURNAL = "journal:"
"""What a URL of Optuna's journal file begins with; the path follows."""


def absolute(url: str) -> str:
    """The URL with the path of its file made absolute, so that it means one file everywhere.

    Args:
        url: Of an Optuna storage: what SQLAlchemy takes, or ``journal:PATH``. A path may begin with
            ``~``.
    """
    if url.startswith(JOURNAL):
        return JOURNAL + _absolute(url.removeprefix(JOURNAL))
    parsed = _parsed(url)
    if parsed is None or not _is_file(parsed):
        return url
    assert parsed.database is not None
    found = parsed.set(database=_absolute(parsed.database))
    return found.render_as_string(hide_password=False)


def public(url: str) -> str:
    """The URL without its password: what is shown, and kept in files.

    A PostgreSQL client then reads ``PGPASSWORD`` or ``~/.pgpass``, as it does by itself.
    """
    parsed = _parsed(url)
    if parsed is None or parsed.password is None:
        return url
    shown = URL.create(
        parsed.drivername,
        username=parsed.username,
        host=parsed.host,
        port=parsed.port,
        database=parsed.database,
        query=parsed.query,
    )
    return shown.render_as_string(hide_password=False)


def file_of(url: str) -> Path | None:
    """The file that a URL names; None for a server or memory."""
    if url.startswith(JOURNAL):
        return Path(url.removeprefix(JOURNAL))
    parsed = _parsed(url)
    if parsed is None or not _is_file(parsed):
        return None
    assert parsed.database is not None
    return Path(parsed.database)


def _parsed(url: str) -> URL | None:
    try:
        return make_url(url)
    except ArgumentError:
        return None


def _is_file(url: URL) -> bool:
    database = url.database
    sqlite = url.get_backend_name() == SQLITE
    return sqlite and bool(database) and not str(database).startswith((":", "file:"))


def _absolute(path: str) -> str:
    return str(Path(path).expanduser().absolute())
