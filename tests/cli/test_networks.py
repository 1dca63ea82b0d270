"""The commands about networks and runs, as a person calls them."""

import json
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from gensynth import genome as genomes
from gensynth.cli import main
from gensynth.cost import STATIC_METRICS, cost
from tests.fake_run import make_run, tiny


def called(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code


Captured = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_run(tmp_path / "runs" / "tiny-run")


def mistake(capsys: Captured, *arguments: object) -> str:
    assert called(*arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("name", ["emotionnet_nano_b", "prototypes/emotionnet_nano_b.yaml"])
def test_describe_the_published_figure(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, repository: Path, name: str
):
    monkeypatch.chdir(repository)
    assert called("describe", name) == 0
    out = capsys.readouterr().out
    assert "141 098" in out
    assert "(44.2 M)" in out
    assert "one node after the other in the order listed" in out
    assert called("describe", name, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["params"] == 141_098
    assert round(facts["macs"] / 1e5) == 442
    assert sum(layer["params"] for layer in facts["layers"]) == facts["params"]
    assert sum(layer["macs"] for layer in facts["layers"]) == facts["macs"]


def test_describe_a_prototype_at_another_size(capsys: Captured):
    keys = ("prototype.input=[1,48,48]", "prototype.classes=7")
    assert called("describe", "micro_expnet", *keys, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["input"] == {"channels": 1, "height": 48, "width": 48}
    assert facts["outputs"] == {"logits": [7]}
    assert facts["params"] == 1_040 + 8_224 + (288 + 1) * 48 + (48 + 1) * 7


def test_keys_of_a_prototype_that_is_not_named_are_refused(capsys: Captured, tmp_path: Path):
    genomes.save(tiny(5), tmp_path / "net.json")
    for command in ("describe", "evaluate"):
        line = mistake(capsys, command, tmp_path / "net.json", "prototype.classes=8")
        assert line.startswith("prototype.classes=8: ")
        assert "net.json is the network; leave it out" in line
    line = mistake(capsys, "evaluate", "resnet20", "prototype=micro_expnet")
    assert line.startswith("prototype=micro_expnet: resnet20 is the network")
    for other in ("prototype=micro_expnet", "data.size=32"):
        line = mistake(capsys, "describe", "resnet20", other)
        assert line.startswith(f"{other}: not a key of a prototype")
    line = mistake(capsys, "describe", "resnet20", "prototype.input=[1,48]")
    assert line.startswith("prototype.input.2: missing")


def test_describe_counts_running_statistics_apart(capsys: Captured):
    assert called("describe", "affect_vgg", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["params"], told["params_with_statistics"]) == (3_747_448, 3_753_016)
    heads = "prototype.classes={affect:2,expression:8}"
    assert called("describe", "affect_vgg", heads, "--json") == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == {"affect": [2], "expression": [8]}


def test_describe_draws_and_tells_the_hash(capsys: Captured, tmp_path: Path):
    genomes.save(tiny(5), tmp_path / "net.json")
    svg, png = tmp_path / "net.svg", tmp_path / "net.png"
    arguments = ("describe", tmp_path / "net.json", "--json", "--svg", svg, "--png", png)
    assert called(*arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["hash"] == tiny(5).hash
    assert {name: facts[name] for name in STATIC_METRICS} == cost(tiny(5)).metrics()
    assert ElementTree.parse(svg).getroot().tag.endswith("svg")
    assert Image.open(png).format == "PNG"


def test_describe_a_run_is_about_its_best_network(capsys: Captured, run: Path):
    assert called("describe", run, "--json") == 0
    assert json.loads(capsys.readouterr().out)["hash"] == tiny(16).hash


def test_names_of_no_network_are_one_line(capsys: Captured, tmp_path: Path):
    assert "no such network; name a genome file" in mistake(capsys, "describe", "resnet2000")
    assert "cannot be read" in mistake(capsys, "describe", tmp_path / "nothing.json")
    (tmp_path / "bad.json").write_text('{"nodes": []}')
    assert "bad.json: input: " in mistake(capsys, "describe", tmp_path / "bad.json")
    genomes.save(tiny(5), tmp_path / "net.json")
    line = mistake(capsys, "describe", tmp_path / "net.json", "--svg", tmp_path)
    assert "cannot be written" in line


def test_export_takes_the_best_network_of_the_newest_run(capsys: Captured, run: Path):
    assert called("export", "-o", "best.json") == 0
    assert genomes.load("best.json").same_network(tiny(16))
    assert "best.json" in capsys.readouterr().out
    assert called("export", run, "--trial", 4, "--format=genome", "--output=out/", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["hash"] == tiny(160).hash
    assert genomes.load(facts["path"]).same_network(tiny(160))


def test_export_of_a_genome_and_of_a_prototype(capsys: Captured, run: Path):
    assert called("export", run / "genomes" / "trial-0002.json", "-o", "again.json") == 0
    assert genomes.load("again.json").same_network(tiny(48))
    assert called("export", "resnet20", "-o", "resnet20.json") == 0
    assert cost(genomes.load("resnet20.json")).params == 271_991


def test_export_mistakes_are_one_line(capsys: Captured, run: Path):
    assert "there are 0-5" in mistake(capsys, "export", run, "--trial", 99)
    assert "no such format: onx" in mistake(capsys, "export", run, "--format", "onx")
    genome = run / "genomes" / "trial-0002.json"
    assert "--trial needs a run" in mistake(capsys, "export", genome, "--trial", 2)
    assert "runs: not a run directory" in mistake(capsys, "export", "runs")


@pytest.mark.parametrize("name", ["front.pdf", "front", "front.svg.gz"])
def test_a_figure_that_cannot_be_written_stops_the_report_before_it_begins(
    capsys: Captured, run: Path, name: str
):
    (run / "report.html").unlink(missing_ok=True)
    assert "written as .png or .svg" in mistake(capsys, "report", run, "--front", name)
    assert not (run / "report.html").exists()


def test_report_writes_the_page_and_the_front(capsys: Captured, run: Path):
    assert called("report", run, "--front", "front.png") == 0
    assert capsys.readouterr().out == f"{run / 'report.html'}\nfront.png\n"
    assert "SYNTHETIC DATA" in (run / "report.html").read_text()
    assert Image.open("front.png").format == "PNG"
    assert "no config.yaml" in mistake(capsys, "report", ".")


def test_commands_on_a_folder_without_runs_say_so(
    capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for command in ("export", "report", "dashboard"):
        assert mistake(capsys, command) == "runs: holds no run; make one: gensynth search\n"


@pytest.mark.slow
def test_dashboard_serves_until_it_is_interrupted(run: Path):
    command = [sys.executable, "-m", "gensynth", "dashboard", str(run), "--port=0", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "6 trials illustrated" in line
            address = next(word for word in line.split() if word.startswith("http://"))
            with urllib.request.urlopen(f"{address}api/studies") as answer:
                assert len(json.load(answer)["study_summaries"]) == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=120) == 130
        finally:
            process.kill()


def test_a_run_is_evaluated_as_it_was_searched_unless_told_otherwise(
    capsys: Captured, tmp_path: Path
):
    """Nothing is trained: what the run says shows in what is refused."""
    config = {
        "data": {"kind": "synthetic", "seed": 0, "subjects": 40, "frames": 1},
        "folds": {"count": 4, "by": "subject"},
    }
    run = make_run(tmp_path / "run", config=config)
    assert "there is no fold 4; use 0 to 3" in mistake(capsys, "evaluate", run, "--fold", "4")
    said = mistake(capsys, "evaluate", run, "--fold", "4", "folds.count=3")
    assert "use 0 to 2" in said
    said = mistake(capsys, "evaluate", run, "data.subjects=3")
    assert "use more subjects" in said
    said = mistake(capsys, "evaluate", run, "--fold", "10", "data=synthetic", "folds.count=10")
    assert "use 0 to 9" in said
    wrong = make_run(tmp_path / "wrong", config={"folds": {"count": 1, "by": "subject"}})
    said = mistake(capsys, "evaluate", wrong)
    assert said.startswith(f"{wrong / 'config.yaml'}: folds.count: ")
