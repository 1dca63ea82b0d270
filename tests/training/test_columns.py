"""Columns side by side: told apart, trained one after the other, put together."""

import pytest
import torch

from gensynth import prototype
from gensynth.data import Dataset, Fold
from gensynth.genome import Genome
from gensynth.task import Classification
from gensynth.training import Pretraining, Recipe, pretrained, train_fold
from gensynth.training.columns import column_seed, columns
from tests.training.conftest import fit, network


def beside(*parts: Genome) -> Genome:
    """Networks side by side, their nodes prefixed by ``a.``, ``b.``, ..."""
    nodes = []
    for letter, part in zip("abc", parts, strict=False):
        names = {"input": "input", **{node.id: f"{letter}.{node.id}" for node in part.nodes}}
        for node in part.nodes:
            inputs = [names[source] for source in node.inputs]
            nodes.append({**node.model_dump(), "id": names[node.id], "inputs": inputs})
    ends = [f"{letter}.{part.nodes[-1].id}" for letter, part in zip("abc", parts, strict=False)]
    nodes.append({"id": "sum", "op": "add", "inputs": ends})
    (answer,) = parts[0].outputs
    image = parts[0].input.model_dump()
    return Genome.parse({"input": image, "nodes": nodes, "outputs": {answer: "sum"}})


@pytest.fixture
def apart(plain: Recipe) -> Recipe:
    return plain.model_copy(update={"apart": True})


def states(genome: Genome, state: dict[str, torch.Tensor], letter: str) -> dict[str, torch.Tensor]:
    """What a column's network has in the whole one, by the names of the network alone."""
    return {
        name.replace(f"layers.{letter}/", "layers."): value
        for name, value in state.items()
        if name.startswith(f"layers.{letter}/")
    }


def test_each_column_is_a_network_of_its_own():
    first, second = network(norm=True), network(norm=False)
    found = columns(beside(first, second, first))
    assert [one.hash for one in found] == [first.hash, second.hash, first.hash]
    assert [one.outputs.keys() for one in found] == [first.outputs.keys()] * 3


def test_what_is_no_sum_of_disjoint_networks_is_one():
    net = network()
    assert columns(net) == (net,)
    flat: dict[str, object] = {"id": "flat", "op": "flatten", "inputs": ["input"]}
    scores = [
        {"id": name, "op": "linear", "inputs": ["flat"], "out_features": 3} for name in ("a", "b")
    ]
    for terms, heads in ((["a", "b"], scores), (["a", "a"], scores[:1])):
        last = {"id": "sum", "op": "add", "inputs": terms}
        image, nodes = net.input.model_dump(), [flat, *heads, last]
        shared = Genome.parse({"input": image, "nodes": nodes, "outputs": {"y": "sum"}})
        assert columns(shared) == (shared,)


def test_columns_apart_learn_what_they_learn_alone(shapes: Dataset, apart: Recipe):
    images, labels = torch.from_numpy(shapes.images[:60]), torch.from_numpy(shapes.labels[:60])
    parts = network(norm=True), network(norm=False)
    whole = fit(beside(*parts), images, labels, epochs=2, seed=4, recipe=apart)
    answers: list[torch.Tensor] = []
    losses: list[float] = []
    for number, (letter, part) in enumerate(zip("ab", parts, strict=True)):
        alone = fit(part, images, labels, epochs=2, seed=column_seed(4, number), recipe=apart)
        own = states(part, whole.network.state_dict(), letter)
        assert own.keys() == alone.network.state_dict().keys()
        for name, value in alone.network.state_dict().items():
            assert torch.equal(own[name], value)
        answers.append(alone.logits(images))
        assert alone.loss is not None
        losses.append(alone.loss)
    torch.testing.assert_close(whole.logits(images), answers[0] + answers[1])
    assert whole.loss == pytest.approx(sum(losses) / 2)
    assert not torch.allclose(answers[0], answers[1])


def test_together_is_one_training(shapes: Dataset, plain: Recipe, apart: Recipe):
    images, labels = torch.from_numpy(shapes.images[:60]), torch.from_numpy(shapes.labels[:60])
    genome = beside(network(), network())
    one, other = (
        fit(genome, images, labels, epochs=2, seed=4, recipe=recipe) for recipe in (plain, apart)
    )
    assert not torch.allclose(one.logits(images), other.logits(images))
    net = network()
    one, other = (
        fit(net, images, labels, epochs=2, seed=4, recipe=recipe) for recipe in (plain, apart)
    )
    assert torch.equal(one.logits(images), other.logits(images))


def test_columns_begin_with_drawn_faces_each_by_itself(plain: Recipe):
    part = network(size=16, classes=7)
    genome = beside(part, part)
    pretraining = Pretraining(populations=1, epochs=1)
    recipe = plain.model_copy(update={"apart": True, "pretraining": pretraining}).resolved()
    classes = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise")
    task = Classification(classes=classes)
    start = dict(pretrained(genome, task, recipe, seed=7))
    first, second = (states(part, start, letter) for letter in "ab")
    alone = pretrained(part, task, recipe, seed=7)
    assert all(torch.equal(first[name], value) for name, value in alone.items())
    assert any(not torch.equal(second[name], value) for name, value in alone.items())


def test_a_column_that_diverges_makes_the_training_one_that_did(shapes: Dataset, apart: Recipe):
    images, labels = torch.from_numpy(shapes.images[:60]), torch.from_numpy(shapes.labels[:60])
    wild = apart.model_copy(update={"learning_rate": 1e30, "gradient_clip": None})
    genome = beside(network(norm=False), network(norm=False))
    assert fit(genome, images, labels, epochs=3, seed=0, recipe=wild).loss is None


def test_folds_train_them_too(shapes: Dataset, parts: tuple[Fold, ...], apart: Recipe):
    genome = beside(network(), network())
    found = [train_fold(genome, shapes, parts[0], epochs=1, seed=2, recipe=apart) for _ in range(2)]
    assert found[0].predictions == found[1].predictions


def test_seeds_of_columns_are_different():
    seeds = [column_seed(seed, number) for seed in (0, 1, 2**62) for number in range(4)]
    assert len(set(seeds)) == len(seeds)
    assert column_seed(7, 0) == 7
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_shipped_prototype_is_three_columns(repository):
    genome = prototype.load(repository / "prototypes" / "resnet20_columns.yaml", classes=7)
    alone = prototype.load(repository / "prototypes" / "resnet20_quarter.yaml", classes=7)
    parts = columns(genome)
    assert len(parts) == 3
    assert len({one.hash for one in parts}) == 1
    assert layers_before_pooling(parts[0]) == layers_before_pooling(alone)
    assert {node.op for node in parts[0].nodes[-3:]} == {"avg_pool", "flatten", "linear"}


def layers_before_pooling(genome: Genome) -> list[tuple[object, ...]]:
    """Everything about them but their names; they stand in the same order."""
    place = {node.id: number for number, node in enumerate(genome.nodes)}
    return [
        (
            node.model_dump(exclude={"id", "inputs"}),
            [place.get(source) for source in node.inputs],
            genome.shapes[node.id],
        )
        for node in genome.nodes[:-3]
    ]
