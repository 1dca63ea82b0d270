"""A study on a PostgreSQL server, a real one, that is restarted in the middle."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy
import yaml

from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.search import search
from tests.search.test_run import driven
from tests.small_search import guess

DEBIAN = Path("/usr/lib/postgresql")
PROGRAMS = max(DEBIAN.glob("*/bin"), default=None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAMS is None, reason="needs PostgreSQL: apt install postgresql"),
]


@dataclass
class Server:
    """A server of our own in a folder; root has it run as the user that Debian makes for it."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://anna:hunter2@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        self.folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self.call("initdb", "-U", "anna", "-A", "trust", "--no-sync")

    def start(self) -> None:
        options = f"-h 127.0.0.1 -p {self.port} -k {self.folder} -F"
        self.call("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self, how: str) -> None:
        self.call("pg_ctl", "-m", how, "stop")

    def call(self, program: str, *arguments: str) -> None:
        assert PROGRAMS is not None
        words = [str(PROGRAMS / program), "-D", str(self.folder), *arguments]
        who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run([*who, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = Server(Path(f"/tmp/gensynth-postgresql-{os.getpid()}"), port)
    made.make()
    made.start()
    try:
        yield made
    finally:
        made.stop("fast")
        shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture
def expected(small, training) -> object:
    training(driven(guess))
    return search(small("name=whole"))["networks"]


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_is_restarted_costs_nothing(
    small, training, server: Server, expected: object, how: str
):
    folds = []

    def restarting(*arguments: object, **options: object) -> object:
        folds.append(1)
        if len(folds) == 3:
            server.stop(how)
            server.start()
        return guess(*arguments, **options)  # type: ignore[arg-type]

    training(driven(restarting))
    results = search(small(f"storage={server.url}", f"name={how}"))
    assert results["networks"] == expected
    folder = Path(results["run"])
    kept = "".join(path.read_text() for path in folder.rglob("*") if path.is_file())
    assert "hunter2" not in kept
    assert "anna@127.0.0.1" in kept
    assert len(Run(folder).study.trials) == results["counts"]["asked"]


def test_a_server_that_is_gone_is_one_line_and_the_search_goes_on_when_it_is_back(
    small, training, server: Server, expected: object
):
    folds = []

    def stopping(*arguments: object, **options: object) -> object:
        folds.append(1)
        if len(folds) == 3:
            server.stop("immediate")
        return guess(*arguments, **options)  # type: ignore[arg-type]

    training(driven(stopping))
    try:
        with pytest.raises(UserError, match="the study cannot be written") as caught:
            search(small(f"storage={server.url}", "name=gone"))
        assert "hunter2" not in str(caught.value)
    finally:
        server.start()
    assert search(small(f"storage={server.url}", "name=gone"))["networks"] == expected


def test_reading_makes_no_table_on_a_server(small, training, server: Server):
    training(driven(guess))
    folder = Path(search(small(f"storage={server.url}", "name=read"))["run"])
    engine = sqlalchemy.create_engine(server.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE empty")
    empty = server.url.replace("/postgres", "/empty")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    (folder / "config.yaml").write_text(yaml.safe_dump({**config, "storage": empty}))
    with pytest.raises(UserError, match="cannot be read"):
        _ = Run(folder).study
    assert sqlalchemy.inspect(sqlalchemy.create_engine(empty)).get_table_names() == []
