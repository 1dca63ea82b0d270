from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import URL, make_url

from gensynth.storage_url import absolute, file_of, public

NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=12)


def test_a_relative_file_is_the_same_file_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert file_of(absolute("sqlite:///shared.db")) == tmp_path / "shared.db"
    assert file_of(absolute("journal:log/x.jsonl")) == tmp_path / "log" / "x.jsonl"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert file_of(absolute("sqlite:///~/x.db")) == tmp_path / "home" / "x.db"
    assert file_of(absolute("journal:~/x")) == tmp_path / "home" / "x"


@pytest.mark.parametrize(
    "url", ["sqlite:///:memory:", "sqlite://", "postgresql+psycopg://u@h:5432/d", "nonsense", ""]
)
def test_what_names_no_file_stays_as_it_is(url: str):
    assert absolute(url) == url
    assert file_of(url) is None
    assert public(url) == url


@given(user=NAMES, password=st.text(min_size=1, max_size=20), host=NAMES, database=NAMES)
def test_a_password_is_never_shown(user: str, password: str, host: str, database: str):
    url = URL.create(
        "postgresql+psycopg", username=user, password=password, host=host, database=database
    )
    shown = make_url(public(url.render_as_string(hide_password=False)))
    assert shown.password is None
    assert (shown.username, shown.host, shown.database) == (user, host, database)


@given(path=NAMES)
def test_making_a_url_absolute_twice_is_making_it_so_once(path: str):
    once = absolute(f"sqlite:///{path}")
    assert absolute(once) == once
