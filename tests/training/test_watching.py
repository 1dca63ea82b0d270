"""A training that is watched: what is shown, and that nothing changes."""

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gensynth.data import Dataset
from gensynth.training import Augmentation, Fitted, Recipe
from tests.training.conftest import fit, network
from tests.training.test_columns import beside

MOVING = Augmentation(rotation=5, shift=0.1, zoom=0.1, flip=True, erase=0.5, mixup=0.2)


class Meddler:
    """Looks at a training and does all that a careless observer may do to it."""

    def __init__(self, images: torch.Tensor) -> None:
        self.images = images
        self.epochs: list[int] = []

    def __call__(self, epoch: int, fitted: Fitted) -> None:
        self.epochs.append(epoch)
        fitted.logits(self.images)
        torch.manual_seed(epoch)
        torch.rand(3)
        torch.set_num_threads(2)
        fitted.network.train()
        fitted.network(fitted.normalisation(self.images))
        with torch.no_grad():
            for parameter in fitted.network.parameters():
                parameter.fill_(1.0)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**62),
    average=st.sampled_from([0.0, 0.5]),
    precision=st.sampled_from(["float32", "bfloat16"]),
    kind=st.sampled_from(["one", "dropout", "columns"]),
)
def test_a_watched_training_gives_the_same_weights_to_the_bit(
    shapes: Dataset, seed: int, average: float, precision: str, kind: str
):
    images, labels = torch.from_numpy(shapes.images[:64]), torch.from_numpy(shapes.labels[:64])
    genome = {
        "one": network(),
        "dropout": network(dropout=0.3),
        "columns": beside(network(), network(dropout=0.3)),
    }[kind]
    recipe = Recipe.model_validate(
        {"average": average, "precision": precision, "augmentation": MOVING, "apart": True}
    )

    def trained(watch: Meddler | None) -> Fitted:
        return fit(genome, images, labels, epochs=3, seed=seed, recipe=recipe, watch=watch)

    meddler = Meddler(images[:8])
    before = torch.get_rng_state()
    watched, alone = trained(meddler), trained(None)
    assert torch.equal(torch.get_rng_state(), before)
    assert meddler.epochs == [1, 2, 3] * (2 if kind == "columns" else 1)
    assert watched.loss == alone.loss
    ours, theirs = watched.network.state_dict(), alone.network.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in ours.items())
    assert torch.equal(watched.logits(images), alone.logits(images))


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_what_is_shown_last_is_the_result_unless_that_is_an_average(
    shapes: Dataset, plain: Recipe, average: float
):
    images, labels = torch.from_numpy(shapes.images), torch.from_numpy(shapes.labels)
    shown: dict[int, tuple[torch.Tensor, float | None]] = {}
    fitted = fit(
        network(),
        images,
        labels,
        epochs=4,
        seed=2,
        recipe=plain.model_copy(update={"average": average}),
        watch=lambda epoch, seen: shown.update({epoch: (seen.logits(images), seen.loss)}),
    )
    assert shown[4][1] == fitted.loss
    assert not torch.equal(shown[3][0], shown[4][0])
    assert torch.equal(shown[4][0], fitted.logits(images)) == (average == 0)


def test_the_logits_of_columns_add_up_to_the_network_s(shapes: Dataset, plain: Recipe):
    images, labels = torch.from_numpy(shapes.images), torch.from_numpy(shapes.labels)
    recipe = plain.model_copy(update={"apart": True, "average": 0, "precision": "float32"})
    total = torch.zeros(len(images), 3)

    def add(epoch: int, seen: Fitted) -> None:
        if epoch == 3:
            total.add_(seen.logits(images))

    genome = beside(network(), network(norm=False))
    fitted = fit(genome, images, labels, epochs=3, seed=2, recipe=recipe, watch=add)
    assert torch.allclose(total, fitted.logits(images), atol=1e-4)
