"""``gensynth evaluate``, as a person calls it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gensynth import genome as genomes
from gensynth.cli import main
from gensynth.cli.evaluate import _lines
from gensynth.task import Classification
from tests.fake_run import tiny

FACES = ("data.subjects=40", "data.frames=1", "folds.count=4", "workers=1")
"""A hundred drawn faces."""


def status(*arguments: object) -> object:
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    return caught.value.code


def evaluated(**changes):
    return {
        "name": "net",
        "data": "ck48",
        "synthetic": False,
        "params": 1234,
        "macs": 5_600_000,
        "accuracy": 0.9,
        "interval": [0.8, 0.95],
        "images": 20,
        "sequences": 10,
        "fold_mean": 0.89,
        "sequence_accuracy": 0.91,
        "classes": ["contempt", "fear"],
        "confusion": [[36, 4], [0, 0]],
        "recall": {"contempt": 0.9},
        "per_seed": [0.88, 0.92],
        "spread": 0.0283,
        "seeds": [4, 5],
        "epochs": 60,
        "chosen": [
            {"what": "network", "words": "No search chose it.", "seen": [], "unseen": None},
            {"what": "recipe", "words": "Chosen by all.", "seen": [0], "unseen": None},
        ],
        "constraint": "nano_b",
        "feasible": True,
        **changes,
    }


def test_what_is_printed():
    lines = list(_lines(evaluated(), Classification()))
    assert lines[0] == "net on ck48: 1234 parameters, 5.6 M MACs"
    printed = [" ".join(line.split()) for line in lines]
    for line in (
        "accuracy 90.00% of 20 images (95 % interval 80.0% to 95.0%, by 10 sequences)",
        "by training seed 88.00%, 92.00% (standard deviation 2.83 points)",
        "60 epochs, seeds 4, 5",
        "class \\ taken for contempt fear",
        "contempt 36 4 recall 90.0%",
        "fear 0 0 recall no images",
        "on the other folds: there are none",
        "satisfies nano_b: yes",
    ):
        assert line in printed
    assert sum("on the other folds" in line for line in printed) == 1
    alone = evaluated(per_seed=[0.9], spread=None, seeds=[4], synthetic=True)
    assert not any("deviation" in line for line in _lines(alone, Classification()))
    assert "SYNTHETIC" in next(_lines(alone, Classification()))


def test_one_seed_and_several_are_not_asked_for_at_once(capsys: pytest.CaptureFixture[str]):
    assert status("evaluate", "emotionnet_nano_b", "--seed", "1", "--seeds", "3") == 2
    assert capsys.readouterr().err == "--seed is of one cross-validation; leave --seeds out\n"


@pytest.mark.slow
def test_an_evaluation_is_written_where_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    genomes.save(tiny(2), tmp_path / "net.json")
    output = tmp_path / "evaluated"
    arguments = ("evaluate", tmp_path / "net.json", "--epochs", 1, "--output", output, *FACES)
    assert status(*arguments) == 0
    printed = capsys.readouterr().out
    assert "SYNTHETIC faces" in printed
    assert str(output) in printed
    written = json.loads((output / "evaluation.json").read_text())
    assert (len(written["seeds"]), len(written["folds"])) == (3, 12)
    assert written["hash"] == tiny(2).hash
    assert ElementTree.parse(output / "evaluation.svg").getroot().tag.endswith("svg")
    assert genomes.load(output / "genome.json").same_network(tiny(2))
    assert status(*arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == written


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_trained(tmp_path: Path):
    genomes.save(tiny(2), tmp_path / "net.json")
    output = tmp_path / "evaluated"
    command = [sys.executable, "-m", "gensynth", "evaluate", str(tmp_path / "net.json")]
    command += ["--epochs", "60", "--seeds", "9", "--output", str(output), *FACES]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        try:
            journal, deadline = output / "journal.jsonl", time.monotonic() + 300
            while not journal.exists() or not journal.read_bytes():
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.1)
            os.kill(process.pid, signal.SIGINT)
            _, told = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 130
    assert b"everything is kept; the same command goes on" in told
    assert 0 < len(journal.read_bytes().splitlines()) < 9 * 4
    assert not (output / "evaluation.json").exists()
