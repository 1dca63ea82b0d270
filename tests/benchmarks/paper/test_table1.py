"""The table of published and measured networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.paper import table1
from benchmarks.paper.table1 import Row, main, rows
from benchmarks.paper.table1_printing import HEADS, Line, printed
from gensynth import config
from gensynth import genome as genomes
from gensynth.cost import cost
from gensynth.evaluation import EvaluationDirectory
from gensynth.experiment import Experiment
from gensynth.task.published import OTHERS, SOURCE, TABLE_1
from gensynth.training.columns import columns
from tests.fake_run import tiny

MEASURED = HEADS.index("accuracy, measured (%) [95 %]")
PUBLISHED = HEADS.index("accuracy, published (%)")
REMARKS = HEADS.index("remarks")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return config.load(Experiment, [table1.BASE])


PROTOCOL = {
    "folds": {"count": 10, "by": "subject", "tested": list(range(10))},
    "training": {"learning_rate": 0.02, "precision": "auto", "schedule": {"warmup": 0.2}},
}


def shown(*lines: Line) -> str:
    return printed(lines, seeds=3, epochs=40, protocol=PROTOCOL)


def figures(**changes: Any) -> dict[str, Any]:
    return {
        "data": "ck48",
        "synthetic": False,
        "accuracy": 0.9,
        "interval": [0.85, 0.93],
        "images": 981,
        "sequences": 327,
        "sequence_accuracy": 0.91,
        "recall": {"fear": 0.5, "happy": 1.0},
        "seeds": [1, 2, 3],
        "spread": 0.004,
        "epochs": 40,
        "chosen": [
            {"what": "network", "words": "no search", "seen": [], "unseen": None},
            {"what": "recipe", "words": "by folds 1 to 9.", "seen": [1], "unseen": None},
        ],
        "protocol": {**PROTOCOL, "training": {**PROTOCOL["training"], "precision": "bfloat16"}},
        **changes,
    }


def cells(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_row_of_the_paper_and_every_prototype_is_there_cheap_ones_first(experiment):
    found = rows(experiment)
    assert {row.published for row in found if row.published} == {*TABLE_1, *OTHERS}
    assert {row.name for row in found} >= set(config.options("prototype"))
    networks = [row.genome for row in found if row.genome is not None]
    macs = [cost(genome).macs for genome in networks]
    assert macs == sorted(macs)
    assert [row.genome is None for row in found] == sorted(row.genome is None for row in found)
    assert {row.name for row in found if row.genome is None} == {
        one.name for one in TABLE_1 if one.prototype is None
    }
    assert {genome.shapes[next(iter(genome.outputs.values()))] for genome in networks} == {(7,)}
    assert {genome.input.channels for genome in networks} == {1}


def test_sizes_are_near_the_published_ones(experiment):
    for row in rows(experiment):
        if row.genome is not None and row.published is not None:
            assert cost(row.genome).params == pytest.approx(row.published.params, rel=0.04)


def test_neutral_is_an_eighth_class():
    eight = config.load(Experiment, [table1.BASE, "data=ckplus", "data.neutral=true"])
    (row,) = [row for row in rows(eight) if row.name == "micro_expnet"]
    assert row.genome is not None
    assert cost(row.genome).params == 65_000


def test_found_networks_are_rows_in_their_place(experiment, tmp_path: Path):
    genomes.save(tiny(600), tmp_path / "found-a.json")
    found = rows(experiment, tmp_path)
    (row,) = [row for row in found if row.name == "found-a"]
    assert row.published is None
    assert row.genome == tiny(600)
    assert len(found) == len(rows(experiment, tmp_path / "nowhere")) + 1


def test_every_found_network_has_its_prototype_as_small_beside_it(experiment):
    known = {row.name: row.genome for row in rows(experiment)}
    for file in table1.FOUND.glob("*.json"):
        network = known[file.stem]
        assert network is not None
        for metric in ("params", "macs"):
            beside = known[f"{file.stem}-control-{metric}"]
            assert beside is not None
            bound = cost(network).metrics()[metric]
            assert 0.85 * bound < cost(beside).metrics()[metric] <= bound
            assert len(columns(beside)) == len(columns(network))


def test_what_is_smaller_than_any_thinning_has_no_control(experiment, tmp_path: Path):
    told = {"prototype": "resnet20_cells"}
    genomes.save(tiny(1).model_copy(update={"provenance": told}), tmp_path / "found-a.json")
    (row,) = [row.name for row in rows(experiment, tmp_path) if "found-a" in row.name]
    assert row == "found-a"


@pytest.mark.parametrize("choice", ["data.neutral=true", "data.channels=3"])
def test_what_was_found_for_other_data_has_no_row(choice: str, tmp_path: Path):
    genomes.save(tiny(600), tmp_path / "found-a.json")
    other = config.load(Experiment, [table1.BASE, "data=ckplus", choice])
    assert not [row for row in rows(other, tmp_path) if "found-a" in row.name]


def test_what_is_not_published_of_ckplus_has_a_row_where_it_is_named(
    experiment, capsys, tmp_path: Path
):
    extra = {row.name for row in rows(experiment) if row.extra}
    assert extra >= {"resnet14_slim", "resnet20_columns", "resnet20", "affect_vgg"}
    assert not extra & {"micro_expnet", "emotionnet_nano_b", "ck48-17k", "ck48-17k-control-macs"}
    words = ["--only-print", "--results", str(tmp_path), "--rows", "resnet20_cells,resnet50"]
    assert main(words) == 0
    assert [row[0] for row in cells(capsys.readouterr().out)] == [
        "resnet20_cells",
        "ResNet50 (`resnet50`)",
    ]


def test_published_and_measured_stand_in_columns_of_their_own():
    nano_b = next(one for one in TABLE_1 if one.prototype == "emotionnet_nano_b")
    nano_a = next(one for one in TABLE_1 if one.name == "EmotionNet Nano-A")
    text = shown(
        Line("emotionnet_nano_b", nano_b, tiny(4), figures()),
        Line("found", None, tiny(4), figures(seeds=[1], spread=None)),
        Line("other", None, tiny(4), None),
        Line(nano_a.name, nano_a, None, None),
    )
    measured, found, other, unpublished = cells(text)
    assert (measured[PUBLISHED], measured[MEASURED]) == ("92.7 [1]", "90.0 [85.0, 93.0]")
    assert "3 (± 0.4)" in measured
    assert measured[REMARKS] == nano_b.note
    assert (found[PUBLISHED], found[REMARKS]) == ("–", "1 of 3 training seeds")
    assert (other[MEASURED], other[REMARKS]) == ("–", "not measured yet")
    assert (unpublished[PUBLISHED], unpublished[MEASURED]) == ("97.6 [1]", "–")
    assert unpublished[REMARKS] == "not trained: the source does not publish its layers"
    assert f"[1] {SOURCE}" in text
    assert "10 folds by subject" in text
    assert text.count("by folds 1 to 9.") == 1
    assert "SYNTHETIC" not in text


def test_a_found_network_states_the_folds_that_its_search_did_not_see():
    unseen = {"accuracy": 0.8, "interval": [0.7, 0.9]}
    chosen = [{"what": "network", "words": "by folds 0 to 2.", "seen": [0, 1, 2], "unseen": unseen}]
    found = Line("found", None, tiny(4), figures(chosen=chosen))
    text = shown(found)
    assert "80.0 [70.0, 90.0]" in cells(text)[0]
    assert "\n\nby folds 0 to 2." in text
    beside = shown(found, Line("other", None, tiny(4), figures()))
    assert "\n\nfound: by folds 0 to 2." in beside
    assert "\n\nother: by folds 1 to 9." in beside


def test_no_published_accuracy_stands_beside_synthetic_faces():
    text = shown(Line("a", TABLE_1[0], tiny(4), figures(synthetic=True)))
    assert cells(text)[0][PUBLISHED] == "–"
    assert "SYNTHETIC faces" in text


def test_a_row_says_in_what_its_protocol_differs():
    other = {
        "folds": {**PROTOCOL["folds"], "by": "image"},
        "training": {**PROTOCOL["training"], "learning_rate": 0.002, "schedule": {"warmup": 0.3}},
    }
    text = shown(Line("a", None, tiny(4), figures(protocol=other, epochs=6)))
    assert cells(text)[0][REMARKS] == (
        "epochs 6 instead of 40; folds.by image instead of subject; "
        "training.learning_rate 0.002 instead of 0.02; training.schedule.warmup 0.3 instead of 0.2"
    )


def test_two_passes_count_twice():
    macs = HEADS.index("M MACs as tested")
    once, twice = (
        figures(protocol={**PROTOCOL, "training": {**PROTOCOL["training"], "flip_test": flip}})
        for flip in (False, True)
    )
    network = genomes.load(table1.FOUND / "ck48-7k.json")
    text = shown(Line("a", None, network, once), Line("b", None, network, twice))
    assert [row[macs] for row in cells(text)] == ["3.2", "6.4"]


def test_only_print_trains_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    for name in ("micro_expnet", "resnet50"):
        for epochs, accuracy in ((40, 0.777), (6, 0.666)):
            folder = tmp_path / "ck48-7-classes" / f"{epochs}-epochs" / name
            folder.mkdir(parents=True)
            kept = json.dumps(figures(accuracy=accuracy, epochs=epochs))
            EvaluationDirectory(folder).figures.write_text(kept)
    assert main(["--only-print", "--results", str(tmp_path)]) == 0
    printed_rows = cells(capsys.readouterr().out)
    every = rows(config.load(Experiment, [table1.BASE]))
    assert len(printed_rows) == len([row for row in every if not row.extra])
    assert [row[MEASURED] for row in printed_rows if "micro_expnet" in row[0]] == [
        "77.7 [85.0, 93.0]"
    ]
    (dearest,) = [row for row in printed_rows if "resnet50" in row[0]]
    assert dearest[MEASURED] == "66.6 [85.0, 93.0]"
    assert dearest[REMARKS].startswith("epochs 6 instead of 40")
    assert main(["--only-print", "--results", str(tmp_path), "--epochs", "7"]) == 0
    (nearest,) = [row for row in cells(capsys.readouterr().out) if "micro_expnet" in row[0]]
    assert nearest[MEASURED] == "66.6 [85.0, 93.0]"
    assert "epochs 6 instead of 7" in nearest[REMARKS]


def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str]):
    assert main(["--only-print", "--rows", "nano_z"]) == 2
    assert capsys.readouterr().err.startswith("no row 'nano_z'; there are EmotionNet Nano-A, ")
    assert main(["--rows", "micro_expnet"]) == 2
    assert "data.root" in capsys.readouterr().err
    assert main(["--only-print", "data=folder", "data.root=nowhere"]) == 2
    assert "networks for the classes of CK+" in capsys.readouterr().err


def test_the_dearest_have_fewer_epochs_unless_all_are_given_others(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    passes = {}

    def note(row: Row, _: object, folder: Path, *, epochs: int, **__: object) -> None:
        assert folder.parts[-2:] == (f"{epochs}-epochs", row.name)
        passes[row.name] = epochs

    monkeypatch.setattr(table1, "measure", note)
    words = ["--rows", "micro_expnet,resnet50", "--results", str(tmp_path)]
    assert main(words) == 0
    assert passes == {"micro_expnet": 40, "resnet50": table1.FEWER["resnet50"]}
    assert main([*words, "--epochs", "9"]) == 0
    assert passes == {"micro_expnet": 9, "resnet50": 9}
    assert main([*words, "confirm.epochs=3"]) == 0
    assert passes == {"micro_expnet": 3, "resnet50": 3}


def test_the_dearest_are_networks_that_have_a_row(experiment):
    assert set(table1.FEWER) <= {row.name for row in rows(experiment)}
    assert max(table1.FEWER.values()) < experiment.confirm_epochs


@pytest.mark.slow
def test_a_row_is_trained_once_and_goes_on_with_more_seeds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (nano_a,) = [one for one in TABLE_1 if one.name == "EmotionNet Nano-A"]
    both = [Row("tiny", None, tiny(2)), Row(nano_a.name, nano_a, None)]
    monkeypatch.setattr(table1, "rows", lambda _: both)
    words = ["--epochs", "1", "--results", str(tmp_path), "data=synthetic", "data.subjects=40"]
    words += ["data.frames=1", "folds.count=4", "fidelity.rungs=[{folds: 1, epochs: 1}]"]
    words += ["workers=1"]
    kept = EvaluationDirectory(tmp_path / "synthetic-7-classes" / "1-epochs" / "tiny")
    for seeds, folds in ((1, 4), (2, 8), (1, 8)):
        assert main(["--seeds", str(seeds), *words]) == 0
        assert len(kept.journal.read_bytes().splitlines()) == folds
        tiny_row, unpublished = cells(capsys.readouterr().out)
        assert tiny_row[REMARKS] == "training.learning_rate 0.002 instead of 0.02"
        assert unpublished[REMARKS].startswith("not trained")
    assert len(json.loads(kept.figures.read_text())["seeds"]) == 2
    assert kept.drawing.exists()
    assert main(["--seeds", "2", *words, "training.learning_rate=0.5"]) == 2
    assert "training.learning_rate is 0.002" in capsys.readouterr().err
