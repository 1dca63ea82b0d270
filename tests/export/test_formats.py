from pathlib import Path

import pytest
from hypothesis import given

from gensynth import genome as genomes
from gensynth.errors import UserError
from gensynth.export import FORMATS, Format, export
from gensynth.genome import Genome
from tests.fake_run import tiny
from tests.strategies import genomes as any_genome


@given(any_genome())
def test_an_exported_genome_reads_back_as_the_same_network(
    tmp_path_factory: pytest.TempPathFactory, genome: Genome
):
    path = export(genome, "genome", tmp_path_factory.mktemp("out") / "net.json")
    again = genomes.load(path)
    assert again == genome
    assert again.hash == genome.hash


def test_folders_are_made_and_filled(tmp_path: Path):
    assert export(tiny(3), "genome", tmp_path) == tmp_path / "tiny3.json"
    path = tmp_path / "a" / "b" / "net.json"
    assert export(tiny(3), "genome", path) == path
    assert path.is_file()


def test_a_format_is_added_by_putting_it_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(genome: Genome, path: Path) -> None:
        path.write_text(genome.hash)

    monkeypatch.setitem(FORMATS, "hash", Format(".txt", "the hash", write))
    assert export(tiny(3), "hash", tmp_path).read_text() == tiny(3).hash


def test_mistakes_are_one_line(tmp_path: Path):
    with pytest.raises(UserError, match=r"no such format: genom; did you mean 'genome'\?"):
        export(tiny(3), "genom", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"):
        export(tiny(3), "genome", tmp_path / "file" / "net.json")


@pytest.mark.parametrize("name", ["../../x", "/x", "..", ".hidden", "a\x00b", "\x1b[2J", "é/ö"])
def test_a_strangers_name_stays_in_the_folder(tmp_path: Path, name: str):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    path = export(tiny(8).described(name=name), "genome", folder)
    assert path.parent == folder
    assert not path.name.startswith(".")
    assert [one for one in tmp_path.rglob("*") if one.is_file()] == [path]
