"""The reference says what the code says."""

import json
from pathlib import Path

import pytest

from docs.site import reference
from gensynth import config
from gensynth.experiment import Experiment


def test_what_is_made_from_the_code_is_up_to_date():
    made = reference.pages()
    on_disk = {name: (reference.FOLDER / name).read_text(encoding="utf-8") for name in made}
    stale = [name for name in made if made[name] != on_disk[name]]
    assert stale == [], "python -m docs.site.reference writes them anew"


def test_every_key_of_an_experiment_has_a_meaning():
    found = list(reference.keys(Experiment, config.compose()))
    assert len(found) > 30
    assert [key.name for key in found if not key.meaning] == []


def test_defaults_are_those_of_the_composed_configuration():
    keys = {key.name: key for key in reference.keys(Experiment, config.compose())}
    assert keys["budget.minutes"].default == "8"
    assert keys["folds.by"].values == "`subject`, `image`, `official`"
    assert "null" in keys["workers"].meaning


@pytest.mark.parametrize("name", sorted(reference.schemas()))
def test_a_schema_is_one(name: str):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(reference.schemas()[name])


def test_the_genome_on_the_page_is_one(repository: Path):
    from gensynth.genome import loads

    page = (repository / "docs" / "reference" / "formats.md").read_text(encoding="utf-8")
    text = page.partition("```json\n")[2].partition("```")[0]
    assert loads(text).shapes["out"] == (7,)
    assert json.loads(text)["version"] == 1
