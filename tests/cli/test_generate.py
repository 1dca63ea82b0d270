"""``gensynth generate``, on generators that were never searched with."""

import json
from pathlib import Path

import pytest
import yaml
from pydantic import JsonValue

from gensynth.cli import main
from gensynth.cost import cost
from gensynth.generator import Generator
from gensynth.generator.making import space_of
from gensynth.genome import load
from gensynth.space import load_space

CONSTRAINT: JsonValue = {
    "name": "small",
    "bounds": {"accuracy": {"min": 0.9}, "params": {"max": 150_000}},
}


def called(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.fixture
def run(tmp_path: Path, repository: Path) -> Path:
    """A run of two generators, of which the second is the better."""
    space, prototype = (
        yaml.safe_load((repository / name).read_text())
        for name in ("search_spaces/residual.yaml", "prototypes/resnet20.yaml")
    )
    start = dict(load_space(space, prototype, 5).start)
    folder = tmp_path / "run" / "generators"
    folder.mkdir(parents=True)
    for iteration, performance in enumerate((50.0, 60.0)):
        Generator(
            iteration=iteration,
            start=start,
            space=space,
            prototype=prototype,
            classes=5,
            constraint=CONSTRAINT,
            static_feasible=0.4,
            predicted_feasible=0.4,
            mean_performance=performance,
        ).save(folder / f"generator-{iteration:03d}.json")
    return folder.parent


def test_networks_are_made_and_counted(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "new"
    assert called("generate", run, "--seeds", "5:25", "-o", folder, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    made = {seed: load(folder / f"network-{seed}.json") for seed in range(5, 25)}
    assert summary["networks"] == len(list(folder.glob("network-*.json"))) == 20
    assert summary["iteration"] == 1
    assert summary["unique"] == len({network.hash for network in made.values()}) / 20
    assert all(cost(network).params <= 150_000 for network in made.values())
    assert summary["static_feasible"] == summary["unique"] == 1
    first = [network.provenance["draw"] == 0 for network in made.values()]
    assert 0 < sum(first) < 20
    assert summary["first_draws"] == sum(first) / 20
    assert summary["params"][0] == min(cost(network).params for network in made.values())
    assert made[5].provenance["seed"] == 5
    assert made[5].provenance["generator"] == "generator-001.json"
    assert made[5].shapes[next(iter(made[5].outputs.values()))] == (5,)
    assert json.loads((folder / "summary.json").read_text()) == summary


def test_raw_networks_are_the_generators_own(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert called("generate", run, "--raw", "--seeds", "5:25", "-o", tmp_path, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    generator = Generator.load(run / "generators" / "generator-001.json")
    for seed in range(5, 25):
        plan = generator.sample(seed, space_of(generator))
        assert load(tmp_path / f"network-{seed}.json").same_network(plan.outcome)
    assert summary["raw"]
    assert summary["first_draws"] == 1
    assert 0 < summary["static_feasible"] < 1


def test_a_generator_is_chosen_by_number_or_file(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = run / "generators" / "generator-000.json"
    for index, arguments in enumerate(((run, "--generator", "0"), (file,))):
        folder = tmp_path / str(index)
        assert called("generate", *arguments, "--seeds", "0:3", "-o", folder) == 0
        assert "generator-000.json" in capsys.readouterr().out
    one, other = (load(tmp_path / name / "network-2.json") for name in "01")
    assert one == other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--seeds", "5"), "write A:B"),
        (("--seeds", "5:5"), "write A:B"),
        (("--seeds", f"0:{'9' * 5000}"), "write A:B"),
        (("--seeds", "7:100008"), "write a part of them, such as 7:100007"),
        (("--generator", "7"), "choose one of 0 to 1"),
        (("--generator", "newest"), "write best or a number"),
    ],
)
def test_mistakes_are_one_line(
    run: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
):
    assert called("generate", run, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_a_network_is_written_before_the_next_is_made(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "network-3.json").mkdir()
    assert called("generate", run, "--seeds", "0:100000", "-o", tmp_path) == 2
    line = f"{tmp_path / 'network-3.json'}: cannot be written (Is a directory)\n"
    assert capsys.readouterr().err == line
    assert len([file for file in tmp_path.glob("network-*.json") if file.is_file()]) == 3


def test_a_summary_that_cannot_be_written_is_one_line(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "summary.json").mkdir()
    assert called("generate", run, "--seeds", "0:2", "-o", tmp_path) == 2
    line = f"{tmp_path / 'summary.json'}: cannot be written (Is a directory)\n"
    assert capsys.readouterr().err == line


def test_a_run_without_generators_and_a_broken_file_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    broken = tmp_path / "generator.json"
    broken.write_text('{"space": 3}')
    for source, message in ((tmp_path, "no generators"), (broken, "space and prototype")):
        assert called("generate", source, "-o", tmp_path / "new") == 2
        captured = capsys.readouterr().err
        assert str(source) in captured
        assert message in captured
        assert captured.count("\n") == 1
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("most", [1, 30])
def test_networks_that_all_break_a_bound_are_a_mistake(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], most: int
):
    words = ("generate", run, "--seeds", "0:3", "--max-params", most, "-o", tmp_path / "new")
    assert called(*words) == 2
    said = capsys.readouterr().err
    assert "none of 3 networks is within every static bound; the smallest has" in said
    assert "--max-params" in said
