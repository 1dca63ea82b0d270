import numpy as np
import pytest
import torch

from gensynth.data import Dataset
from gensynth.genome import Genome
from gensynth.network import build
from gensynth.training import Augmentation, OneCycle, Recipe
from tests.training.conftest import fit, network

STILL = Augmentation()


def tensors(data: Dataset, count: int = 48) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(data.images[:count]), torch.from_numpy(data.labels[:count])


def constant(**changes: object) -> Recipe:
    return Recipe.model_validate(
        {
            "learning_rate": 0.01,
            "schedule": OneCycle(warmup=0, start=1, end=1),
            "batch_size": 48,
            "augmentation": STILL,
            "average": 0,
            "precision": "float32",
            **changes,
        }
    )


def test_averaged_weights_are_the_mean_of_the_last_ones(shapes: Dataset):
    """One batch an epoch, so that a run of k epochs ends at step k of a longer one."""
    images, labels = tensors(shapes)
    genome = network(norm=False)

    def weights(epochs: int, average: float) -> dict[str, torch.Tensor]:
        recipe = constant(average=average)
        fitted = fit(genome, images, labels, epochs=epochs, seed=1, recipe=recipe)
        return dict(fitted.network.named_parameters())

    last = [weights(epochs, 0) for epochs in (3, 4, 5)]
    for name, averaged in weights(5, 0.6).items():
        mean = sum(run[name] for run in last) / 3
        assert torch.allclose(averaged, torch.as_tensor(mean), atol=1e-6)
        assert not torch.allclose(averaged, last[-1][name], atol=1e-6)


@pytest.mark.parametrize("average", [0.0, 0.5])
def test_averaged_weights_get_normalisation_statistics_of_their_own(
    shapes: Dataset, net: Genome, average: float
):
    images, labels = tensors(shapes)
    recipe = constant(average=average, learning_rate=0.05)
    fitted = fit(net, images, labels, epochs=6, seed=1, recipe=recipe)
    first = next(m for m in fitted.network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    convolution = next(m for m in fitted.network.modules() if isinstance(m, torch.nn.Conv2d))
    assert first.running_mean is not None
    with torch.no_grad():
        maps = convolution(fitted.normalisation(images))
    exact = torch.allclose(first.running_mean, maps.mean((0, 2, 3)), atol=1e-4)
    assert exact == (average > 0)


def test_predictions_are_the_mean_over_both_views(shapes: Dataset, net: Genome):
    images, labels = tensors(shapes)
    fitted = fit(net, images, labels, epochs=2, seed=0, recipe=constant(flip_test=True))
    both = fitted.logits(images)
    with torch.no_grad():
        straight, mirrored = (
            fitted.network(fitted.normalisation(view)) for view in (images, images.flip(-1))
        )
    assert torch.allclose(both, (straight + mirrored) / 2, atol=1e-5)
    assert torch.allclose(both, fitted.logits(images.flip(-1)), atol=1e-5)
    assert not torch.allclose(straight, mirrored, atol=1e-3)


def test_predictions_do_not_depend_on_how_many_images_come_together(shapes: Dataset, net: Genome):
    images, labels = torch.from_numpy(shapes.images), torch.from_numpy(shapes.labels)
    many = images.repeat(3, 1, 1, 1)
    fitted = fit(net, images, labels, epochs=1, seed=0, recipe=constant())
    assert torch.allclose(fitted.logits(many)[-5:], fitted.logits(images[-5:]), atol=1e-5)


def test_the_first_step_is_that_of_adam(shapes: Dataset):
    """Adam's first step moves every weight by the rate against the sign of its gradient."""
    images, labels = tensors(shapes)
    genome = network(norm=False)
    recipe = constant(optimizer="adam", weight_decay=0, label_smoothing=0, learning_rate=1e-3)
    after = fit(genome, images, labels, epochs=1, seed=4, recipe=recipe)
    seed = int(torch.randint(2**63 - 1, (2,), generator=torch.Generator().manual_seed(4))[0].item())
    before = build(genome, seed=seed)
    torch.nn.functional.cross_entropy(before(after.normalisation(images)), labels).backward()
    for old, new in zip(before.parameters(), after.network.parameters(), strict=True):
        assert old.grad is not None
        strong = old.grad.abs() > 1e-5
        assert torch.allclose(
            (new - old)[strong], -1e-3 * old.grad.sign()[strong], rtol=0.02, atol=1e-6
        )


def test_clipping_bounds_the_gradient(shapes: Dataset):
    images, labels = tensors(shapes)
    genome = network(norm=False)
    wild, tame = (
        fit(genome, images, labels, epochs=2, seed=0, recipe=constant(gradient_clip=clip))
        for clip in (None, 1e-9)
    )
    fresh = fit(genome, images, labels, epochs=1, seed=0, recipe=constant(learning_rate=1e-12))
    moves = [
        sum(
            float((p - q).detach().abs().sum())
            for p, q in zip(run.network.parameters(), fresh.network.parameters(), strict=True)
        )
        for run in (wild, tame)
    ]
    assert moves[1] < 0.2 * moves[0]


def test_trained_in_bfloat16_is_close_to_float32(shapes: Dataset, net: Genome):
    images, labels = torch.from_numpy(shapes.images), torch.from_numpy(shapes.labels)
    losses = [
        fit(net, images, labels, epochs=6, seed=0, recipe=constant(precision=precision)).loss
        for precision in ("float32", "bfloat16")
    ]
    assert losses[0] is not None
    assert losses[1] is not None
    assert losses[0] != losses[1]
    assert np.isclose(losses[0], losses[1], rtol=0.15)
