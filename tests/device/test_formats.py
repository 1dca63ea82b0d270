"""Exported files say what PyTorch says, by themselves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from gensynth import genome as genomes
from gensynth import prototype
from gensynth.device import EXPORTERS, Exporter, deploy
from gensynth.device.golden import difference
from gensynth.device.onnx_graph import session_of
from gensynth.errors import UserError
from gensynth.genome import Genome
from tests.device.models import drawn
from tests.fake_run import tiny
from tests.strategies import random_genome

REPOSITORY = Path(__file__).parents[2]
FOUND = sorted((REPOSITORY / "genomes").glob("*.json"))
PROTOTYPES = sorted((REPOSITORY / "prototypes").glob("*.yaml"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    return deploy(drawn(tiny(6), mirror=True), "onnx", folder).path


def test_a_stranger_needs_onnxruntime_alone(exported: Path):
    session = onnxruntime.InferenceSession(exported)
    image = np.random.default_rng(0).integers(0, 256, (31, 77, 3), dtype=np.uint8)
    (probabilities,) = session.run(None, {"image": image})
    model = drawn(tiny(6), mirror=True)
    np.testing.assert_allclose(probabilities, model.predict(image)["probabilities"], atol=1e-4)
    told = session.get_modelmeta().custom_metadata_map
    (head,) = json.loads(told["labels"])
    assert tuple(head["labels"]) == model.labels
    assert told["hash"] == tiny(6).hash
    assert told["synthetic"] == "true"


def test_golden_images_are_gray_and_coloured_and_of_several_sizes(exported: Path):
    from safetensors.numpy import load_file

    golden = load_file(exported.with_name(f"{exported.name}.golden.safetensors"))
    shapes = {value.shape for name, value in golden.items() if name.startswith("image.")}
    assert {shape[2] for shape in shapes} == {1, 3}
    assert len({shape[:2] for shape in shapes}) == 5


def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    other = EXPORTERS["onnx"]

    def write(model, path, images):
        other.write(drawn(tiny(6), seed=1), path, images)

    exporter = Exporter(".onnx", "another network", (), "", write, other.run)
    EXPORTERS.add("other", exporter)
    try:
        with pytest.raises(UserError, match=r"differs by .* from PyTorch"):
            deploy(drawn(tiny(6)), "other", tmp_path)
    finally:
        EXPORTERS.forget("other")


@pytest.mark.parametrize(
    "said", [{"probabilities": np.full(7, np.nan)}, {"probabilities": np.zeros(6)}, {}]
)
def test_no_number_too_few_and_none_at_all_differ(exported: Path, said):
    golden = exported.with_name(f"{exported.name}.golden.safetensors")
    assert difference(lambda image: said, golden) == np.inf


def test_what_is_missing_is_named_with_the_words_that_install_it(tmp_path: Path):
    exporter = Exporter(".x", "nothing", ("no_such_module",), "pip install it", None, None)  # type: ignore[arg-type]
    EXPORTERS.add("missing", exporter)
    try:
        with pytest.raises(UserError, match="missing needs no_such_module; pip install it"):
            deploy(drawn(tiny(6)), "missing", tmp_path)
    finally:
        EXPORTERS.forget("missing")
    with pytest.raises(UserError, match="unknown format"):
        deploy(drawn(tiny(6)), "onx", tmp_path)


def flat(seed: int) -> Genome:
    """A random network that reads gray or coloured images and gives one flat output or several."""
    for attempt in range(1000):
        genome = random_genome(np.random.default_rng([seed, attempt]), nodes=14, side=12)
        shapes = [genome.shapes[node] for node in genome.outputs.values()]
        if genome.input.channels in (1, 3) and all(len(shape) == 1 for shape in shapes):
            return genome
    raise AssertionError("no such network")


def test_a_program_of_torch_reads_images_of_any_size(tmp_path: Path):
    result = deploy(drawn(tiny(6), mirror=True), "torch-export", tmp_path / "net.pt2")
    assert result.difference <= 1e-5
    run = EXPORTERS["torch-export"].run(result.path)
    for channels in (1, 3, 4):
        image = np.random.default_rng(0).integers(0, 256, (200, 33, channels), dtype=np.uint8)
        expected = drawn(tiny(6), mirror=True).predict(image)["probabilities"]
        np.testing.assert_allclose(run(image)["probabilities"], expected, atol=1e-5)


def test_plain_c_says_the_same_of_images_of_its_size(tmp_path: Path):
    result = deploy(drawn(tiny(6)), "c", tmp_path)
    assert result.difference <= 1e-4
    assert "gensynth_model(" in result.path.read_text()
    run = EXPORTERS["c"].run(result.path)
    image = np.random.default_rng(0).integers(0, 256, (48, 48, 1), dtype=np.uint8)
    expected = drawn(tiny(6)).predict(image)["probabilities"]
    np.testing.assert_allclose(run(image)["probabilities"], expected, atol=1e-5)
    with pytest.raises(ValueError, match="an image is"):
        run(image[:20])


def test_eight_bits_are_in_the_network_and_not_in_the_preprocessing(tmp_path: Path):
    faces = np.random.default_rng(0).integers(0, 256, (4, 1, 48, 48), dtype=np.uint8)
    result = deploy(drawn(tiny(6)), "onnx-int8", tmp_path, faces)
    quantised = {
        name
        for node in _nodes(result.path)
        if node.op_type == "QuantizeLinear"
        for name in node.input[:1]
    }
    assert quantised
    assert not any(name.startswith("preprocessing/") for name in quantised)
    with pytest.raises(UserError, match="needs images to calibrate by"):
        deploy(drawn(tiny(6)), "onnx-int8", tmp_path)


@pytest.mark.slow
def test_all_networks_agree_with_pytorch_on_images(tmp_path: Path):
    """Ten random ones, all prototypes, and those that searches have found, columns too."""
    random = [flat(seed) for seed in range(10)]
    found = [genomes.load(file) for file in FOUND]
    prototypes = [prototype.load(file) for file in PROTOTYPES]
    assert len(found) >= 4
    assert len(prototypes) >= 15
    for number, genome in enumerate([*random, *found, *prototypes]):
        result = deploy(
            drawn(genome, seed=number, contrast=number % 2 == 0),
            "onnx",
            tmp_path / f"{number}.onnx",
        )
        assert result.difference <= 1e-4, genome.name
        operations = {node.op_type for node in _nodes(result.path)}
        convolved = {node.op for node in genome.nodes} <= {"conv", "batch_norm", "relu", "add"}
        if convolved:
            assert "BatchNormalization" not in operations, genome.name
        run = EXPORTERS["onnx"].run(result.path)
        assert difference(run, result.golden) == result.difference
        result.path.unlink()


def _nodes(path: Path):
    import onnx

    return onnx.load(path).graph.node


def test_the_session_has_one_thread(exported: Path):
    assert session_of(exported).get_session_options().intra_op_num_threads == 1
