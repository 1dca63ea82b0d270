from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from gensynth import training
from gensynth.data import Dataset, Fold, folds
from gensynth.genome import Genome
from gensynth.training import Augmentation, Fitted, Recipe

CLASSES = ("bar", "dot", "ring")
SIZE = 12


def draw(label: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """A bar, a dot or a ring anywhere on a noisy ground: no pixel alone tells which."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    row, column = random.uniform(3.5, SIZE - 4.5, 2)
    distance = np.hypot(rows - row, columns - column)
    bar = (np.abs(rows - row) < 1) & (np.abs(columns - column) < 3.5)
    shape = (bar, distance < 1.8, np.abs(distance - 3) < 0.8)[label]
    ground = random.normal(90, 20, (SIZE, SIZE)) + 80 * shape
    return np.asarray(ground.clip(0, 255), dtype=np.uint8)


@pytest.fixture(scope="session")
def shapes() -> Dataset:
    random = np.random.default_rng(7)
    labels = np.arange(180, dtype=np.int64) // 3 % 3
    images = np.stack([draw(int(label), random)[None] for label in labels])
    subjects = np.array([f"S{index // 9:03d}" for index in range(180)])
    sequences = np.array([f"S{index // 9:03d}_{index // 3 % 3}" for index in range(180)])
    return Dataset(
        name="shapes",
        images=images,
        labels=labels,
        classes=CLASSES,
        subjects=subjects,
        sequences=sequences,
        synthetic=True,
    )


@pytest.fixture(scope="session")
def parts(shapes: Dataset) -> tuple[Fold, ...]:
    return folds(shapes, k=4)


def fit(
    genome: Genome,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    epochs: int,
    seed: int,
    recipe: Recipe,
    start: Mapping[str, torch.Tensor] | None = None,
    watch: training.Watch | None = None,
) -> Fitted:
    """A training by cross-entropy, as a classification has it."""
    loss = partial(cross_entropy, label_smoothing=recipe.label_smoothing)
    return training.fit(
        genome,
        images,
        labels,
        loss=loss,
        epochs=epochs,
        seed=seed,
        recipe=recipe,
        start=start,
        watch=watch,
    )


def network(
    *,
    size: int = SIZE,
    classes: int = 3,
    norm: bool = True,
    dropout: float = 0.0,
    name: str = "net",
) -> Genome:
    nodes: list[dict[str, object]] = []
    last = "input"

    def put(op: str, **attributes: object) -> None:
        nonlocal last
        nodes.append({"id": f"{op}{len(nodes)}", "op": op, "inputs": [last], **attributes})
        last = str(nodes[-1]["id"])

    for width, stride in ((8, 1), (12, 2), (12, 1)):
        put("conv", out_channels=width, kernel=3, stride=stride, padding=1, bias=not norm)
        if norm:
            put("batch_norm")
        put("relu")
    put("global_avg_pool")
    put("flatten")
    if dropout:
        put("dropout", rate=dropout)
    put("linear", out_features=classes)
    return Genome.parse(
        {
            "name": name,
            "input": {"channels": 1, "height": size, "width": size},
            "nodes": nodes,
            "outputs": {"class": last},
        }
    )


@pytest.fixture(scope="session")
def net() -> Genome:
    return network()


@pytest.fixture(scope="session")
def plain() -> Recipe:
    return Recipe(
        learning_rate=0.02,
        batch_size=16,
        augmentation=Augmentation(flip=True, shift=0.05),
        precision="float32",
    )
