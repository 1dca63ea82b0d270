"""What is measured of a network, and what a verdict on it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gensynth import genome as genomes
from gensynth.config import load
from gensynth.cost import cost
from gensynth.device import METERS, BoundCheck, Estimate, measure, untrained
from gensynth.errors import UserError
from gensynth.experiment import Experiment
from gensynth.indicator import Indicator
from gensynth.measured import MEASURED, deployed
from gensynth.task import Classification
from gensynth.training import Recipe
from tests.cli.test_networks import called, mistake
from tests.device.models import drawn
from tests.fake_run import tiny
from tests.small_search import SMALL

Captured = pytest.CaptureFixture[str]


def test_every_measured_metric_has_a_meter():
    assert set(MEASURED) == set(METERS)


def test_a_network_is_measured_in_its_runtime():
    names = ("latency_ms.onnx_1thread", "memory.onnx", "bytes.onnx")
    found = measure(untrained(tiny(6), Recipe()), names)
    latency = found["latency_ms.onnx_1thread"]
    assert latency.interval is not None
    assert 0 < latency.interval[0] <= latency.value <= latency.interval[1] < 1000
    assert 0 < found["memory.onnx"].value < 2**30
    bigger = measure(untrained(tiny(2000), Recipe()), ("bytes.onnx",))["bytes.onnx"]
    more = cost(tiny(2000)).model_bytes - cost(tiny(6)).model_bytes
    assert bigger.value - found["bytes.onnx"].value == pytest.approx(more, rel=0.1)


@pytest.mark.parametrize(
    ("value", "interval", "holds", "surely"),
    [
        (9, (9, 9), True, True),
        (9, (8, 11), True, False),
        (9, None, True, False),
        (11, (9, 12), False, False),
    ],
)
def test_a_bound_holds_by_its_estimate_or_by_the_whole_interval(value, interval, holds, surely):
    verdict = BoundCheck("latency.max", 10, Estimate(value, interval), "measured")
    assert (verdict.holds, verdict.surely) == (holds, surely)
    mirrored = interval and (-interval[1], -interval[0])
    verdict = BoundCheck("merit.min", -10, Estimate(-value, mirrored), "measured")
    assert (verdict.holds, verdict.surely) == (holds, surely)
    assert not BoundCheck("merit.min", -10, None, "").holds


def test_bounds_on_deployment_are_told_apart():
    indicator = Indicator.model_validate(
        {
            "name": "small",
            "bounds": {
                "params": {"max": 1},
                "latency_ms.onnx_1thread": {"max": 1},
                "accuracy": {"min": 0.5},
                "int8_drop": {"max": 0.01},
            },
        }
    )
    indicator.check(Classification(classes=("a", "b")))
    assert list(indicator.static.bounds) == ["params"]
    assert list(indicator.measured.bounds) == ["latency_ms.onnx_1thread"]
    assert list(indicator.trained.bounds) == ["accuracy", "int8_drop"]
    metric = deployed("int8_accuracy", Classification())
    assert metric is not None
    assert metric.share
    wrong = Indicator.model_validate({"name": "x", "bounds": {"latency_ms.onx": {"max": 1}}})
    with pytest.raises(UserError, match=r"did you mean 'latency_ms\.onnx_1thread'"):
        wrong.check(Classification())


def test_verify_ends_with_0_only_if_every_bound_holds(capsys: Captured, tmp_path: Path):
    model = drawn(tiny(6)).save(tmp_path / "model")
    bounds = "constraint.bounds={params: {max: 1000}, bytes.onnx: {max: 1e6}}"
    assert called("verify", model, bounds, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["holds"]
    assert [one["bound"] for one in facts["bounds"]] == [
        "params.max",
        "bytes.onnx.max",
        "golden.onnx.max",
    ]
    assert all(one["by_the_whole_interval"] for one in facts["bounds"])
    genomes.save(tiny(6), tmp_path / "net.json")
    assert called("verify", tmp_path / "net.json", "constraint.bounds={params: {max: 10}}") == 1
    assert "params at most 10: 109, counted: does not hold" in capsys.readouterr().out
    words = "constraint.bounds={accuracy: {min: 0}}"
    assert called("verify", tmp_path / "net.json", words) == 1
    assert "not measured; name the data" in capsys.readouterr().out


def test_no_search_measures_eight_bits(capsys: Captured, tmp_path: Path):
    words = [*SMALL, f"runs={tmp_path}", "constraint.bounds.int8_drop.max=0.01"]
    assert "ask gensynth verify for it" in mistake(capsys, "search", *words)


@pytest.mark.slow
def test_verify_trains_anew_where_data_are_named(capsys: Captured, tmp_path: Path):
    genomes.save(tiny(8), tmp_path / "net.json")
    words = [word for word in SMALL if not word.startswith(("name", "constraint"))]
    bounds = "constraint.bounds={accuracy: {min: 0.01}, recall.min: {min: 0}, int8_drop: {max: 1}}"
    arguments = ("verify", tmp_path / "net.json", *words, bounds, "--seeds", "2", "--epochs", "1")
    assert called(*arguments, "--seed", "5", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["seed"] == 5
    accuracy = first["bounds"][0]
    assert accuracy["how"] == "trained with 2 fresh seeds"
    assert accuracy["interval"][0] <= accuracy["value"] <= accuracy["interval"][1]


@pytest.mark.slow
def test_a_search_refuses_what_is_too_large_in_its_file(small):
    from gensynth.search import search
    from gensynth.search.results import Results

    experiment: Experiment = small(
        "constraint.bounds.bytes.onnx.max=60000", "budget.candidates=2", "confirm.finalists=0"
    )
    found = Results.model_validate(
        json.loads((_run(search(experiment)) / "results.json").read_text())
    )
    assert found.networks
    for network in found.networks:
        assert network.violations["bytes.onnx.max"] <= 0


def _run(ended) -> Path:
    return Path(ended["run"])


def test_the_experiment_reads_deployment_bounds():
    words = [*SMALL, "constraint.bounds.latency_ms.onnx_1thread.max=1"]
    experiment = load(Experiment, words)
    assert list(experiment.constraint.measured.bounds) == ["latency_ms.onnx_1thread"]
