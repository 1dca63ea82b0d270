"""The plain and the fused engine: what each promises, and that they agree."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional

from gensynth import training
from gensynth.data import Dataset, Fold
from gensynth.genome import Genome
from gensynth.network import build
from gensynth.training import Augmentation, Fitted, LocalContrast, Recipe, train_fold
from gensynth.training.fused import Fused
from tests.training.conftest import fit, network

ENGINES = ("plain", "fused")
MOVED = Augmentation(rotation=10, shift=0.05, zoom=0.1, flip=True, erase=0.3, mixup=0.2)
ON_GPU = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
)


def tensors(data: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(data.images), torch.from_numpy(data.labels)


def by(engine: str, recipe: Recipe, **changes: Any) -> Recipe:
    return Recipe.model_validate({**recipe.model_dump(), "engine": engine, **changes})


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_both_engines_learn_alike(shapes: Dataset, net: Genome, plain: Recipe, precision: str):
    images, labels = tensors(shapes)
    losses, rates = [], []
    for engine in ENGINES:
        recipe = by(engine, plain, precision=precision, device="cpu")
        fitted = fit(net, images, labels, epochs=8, seed=0, recipe=recipe)
        losses.append(fitted.loss)
        rates.append(float((fitted.logits(images).argmax(1) == labels).float().mean()))
    assert losses[0] == pytest.approx(losses[1], rel=0.1)
    assert min(rates) > 0.6


def test_the_first_steps_are_the_same_up_to_rounding(shapes: Dataset, net: Genome, plain: Recipe):
    images, labels = tensors(shapes)
    states = [
        fit(
            net,
            images,
            labels,
            epochs=1,
            seed=3,
            recipe=by(engine, plain, batch_size=90, device="cpu", learning_rate=1e-3),
        ).network.state_dict()
        for engine in ENGINES
    ]
    for name, value in states[0].items():
        torch.testing.assert_close(states[1][name], value, rtol=1e-3, atol=2e-4, msg=name)


@pytest.mark.parametrize("device", ["cpu", ON_GPU])
def test_plain_trains_on_any_device(
    shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe, device: str
):
    genome = network(dropout=0.1)
    recipe = by("plain", plain, device=device, augmentation=MOVED.model_dump(), precision="auto")
    result = train_fold(genome, shapes, parts[0], epochs=12, seed=1, recipe=recipe)
    assert not result.diverged
    assert np.mean(np.asarray(result.predictions) == shapes.labels[parts[0].test]) > 0.6


@pytest.mark.parametrize("device", [ON_GPU])
def test_devices_see_the_same_images(device: str):
    images = torch.rand(9, 1, 14, 15)
    on_cpu, elsewhere = (
        training.augment(images.to(where), MOVED, torch.Generator().manual_seed(5))
        for where in ("cpu", device)
    )
    torch.testing.assert_close(elsewhere.cpu(), on_cpu, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_arguments_give_the_same_bits(shapes: Dataset, plain: Recipe, engine: str):
    images, labels = tensors(shapes)
    recipe = by(engine, plain, device="cpu", augmentation=MOVED.model_dump())
    genome = network(dropout=0.3)
    first, second = (
        fit(genome, images, labels, epochs=2, seed=2, recipe=recipe).network.state_dict()
        for _ in range(2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_plain_does_without_numba(repository):
    code = (
        "import sys, torch\n"
        "from torch.nn.functional import cross_entropy\n"
        "from gensynth.training import Recipe, fit\n"
        "from tests.training.conftest import network\n"
        "recipe = Recipe(engine='plain', device='cpu')\n"
        "images = torch.randint(0, 256, (40, 1, 12, 12), dtype=torch.uint8)\n"
        "fit(network(), images, torch.arange(40) % 3, loss=cross_entropy, epochs=1, seed=0,\n"
        "    recipe=recipe)\n"
        "sys.exit('numba' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=repository, check=True)


def test_several_heads_are_computed_and_learned():
    size = {"channels": 1, "height": 6, "width": 6}
    nodes = [
        {"id": "c", "op": "conv", "inputs": ["input"], "out_channels": 4, "kernel": 3},
        {"id": "n", "op": "batch_norm", "inputs": ["c"]},
        {"id": "r", "op": "relu", "inputs": ["n"]},
        {"id": "f", "op": "flatten", "inputs": ["r"]},
        {"id": "a", "op": "linear", "inputs": ["f"], "out_features": 3},
        {"id": "b", "op": "linear", "inputs": ["f"], "out_features": 2},
    ]
    genome = Genome.parse({"input": size, "nodes": nodes, "outputs": {"x": "a", "y": "b"}})
    images = torch.randn(5, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    found = []
    for wrap in (lambda network: network, Fused):
        one = build(genome, seed=0).train()
        outputs = wrap(one)(images)
        (outputs["x"].square().sum() + outputs["y"].sum()).backward()
        found.append([outputs["x"], outputs["y"], *(p.grad for p in one.parameters())])
    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)


def test_auto_is_chosen_once_and_left_out_of_files():
    assert not {"engine", "device"} & Recipe().model_dump().keys()
    on_cpu = Recipe(device="cpu").resolved()
    assert (on_cpu.device, on_cpu.engine) == ("cpu", "fused")
    assert Recipe(engine="fused").resolved().device == "cpu"
    on_gpu = Recipe(device="cuda").resolved()
    assert (on_gpu.device, on_gpu.engine) == ("cuda", "plain")
    assert Recipe(engine="plain", device="cpu").resolved().engine == "plain"
    with pytest.raises(ValidationError, match=r"training\.engine=plain"):
        Recipe(engine="fused", device="cuda")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("contrast", [None, LocalContrast()])
def test_nothing_of_the_test_images_enters_a_training(
    shapes: Dataset,
    parts: tuple[Fold, ...],
    plain: Recipe,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    contrast: LocalContrast | None,
):
    """Scrambled test images and labels change no weight, statistic or loss, to the bit."""
    trained: list[Fitted] = []
    fold = sys.modules[train_fold.__module__]
    real: Callable[..., Fitted] = vars(fold)["fit"]

    def watched(*arguments: Any, **named: Any) -> Fitted:
        trained.append(real(*arguments, **named))
        return trained[-1]

    monkeypatch.setattr(fold, "fit", watched)
    recipe = by(engine, plain, device="cpu", augmentation=MOVED.model_dump(), average=0.5)
    recipe = recipe.model_copy(update={"local_contrast": contrast})
    random = np.random.default_rng(0)
    test = parts[2].test
    images, labels = shapes.images.copy(), shapes.labels.copy()
    images[test] = random.integers(0, 256, images[test].shape, dtype=np.uint8)
    labels[test] = (labels[test] + random.integers(1, 3, len(test))) % 3
    scrambled = dataclasses.replace(shapes, images=images, labels=labels)
    results = [
        train_fold(network(), data, parts[2], epochs=3, seed=4, recipe=recipe)
        for data in (shapes, scrambled)
    ]
    first, second = trained
    states = [one.network.state_dict() for one in trained]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert first.loss == second.loss
    for one, other in zip(
        (first.normalisation.mean, first.normalisation.deviation),
        (second.normalisation.mean, second.normalisation.deviation),
        strict=True,
    ):
        assert torch.equal(one, other)
    assert results[0].predictions != results[1].predictions


def test_what_is_learned_from_does_enter_a_training(
    shapes: Dataset, parts: tuple[Fold, ...], plain: Recipe
):
    """The control of the test above: one training image less does change the weights."""
    recipe = by("plain", plain, device="cpu")
    images, labels = tensors(shapes)
    train = torch.from_numpy(parts[2].train)
    states = [
        fit(
            network(), images[kept], labels[kept], epochs=1, seed=4, recipe=recipe
        ).network.state_dict()
        for kept in (train, train[1:])
    ]
    assert not all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_loss_may_have_real_targets(shapes: Dataset, plain: Recipe):
    images, labels = tensors(shapes)
    targets = functional.one_hot(labels, 3).float()
    fitted = training.fit(
        network(),
        images,
        targets,
        loss=functional.mse_loss,
        epochs=6,
        seed=0,
        recipe=by("plain", plain, device="cpu", augmentation=MOVED.model_dump()),
    )
    assert fitted.loss is not None
    assert fitted.loss < 0.25
