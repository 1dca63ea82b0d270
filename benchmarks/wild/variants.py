"""The variants of Hewitt and Gunes 2018: what is published of them, and what is measured here.

    python -m benchmarks.wild.variants [--data-root AFFECTNET] [--epochs 12] [OVERRIDE...]

Without a folder of AffectNet, drawn faces are written in its layout to a temporary one: the figures
then say that a network learns what is drawn, and nothing about people. Each variant is read from
its prototype with two heads, trained once on the official split through the loader of
``data=affectnet``, and tested on the part to report on. Published figures are on AffectNet, by two
networks each, one for the class and one for valence and arousal.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.markdown import markdown
from gensynth import config, prototype
from gensynth.config import find
from gensynth.cost import params_with_statistics
from gensynth.data import SyntheticConfig, load
from gensynth.data.synthetic.wild import write_affectnet
from gensynth.evaluation import evaluate_network
from gensynth.experiment import Experiment

PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "affect_alexnet": {
        "params": 3_464_952,
        "accuracy": 0.56,
        "rmse_valence": 0.41,
        "rmse_arousal": 0.39,
        "ccc_valence": 0.54,
        "ccc_arousal": 0.43,
    },
    "affect_vgg": {
        "params": 3_753_016,
        "accuracy": 0.58,
        "rmse_valence": 0.41,
        "rmse_arousal": 0.37,
        "ccc_valence": 0.57,
        "ccc_arousal": 0.48,
    },
    "affect_mobilenet": {
        "params": 3_237_064,
        "accuracy": 0.56,
        "rmse_valence": 0.42,
        "rmse_arousal": 0.38,
        "ccc_valence": 0.55,
        "ccc_arousal": 0.47,
    },
}
"""Hewitt, Gunes 2018, arXiv:1807.08775: parameters with running statistics, and figures."""

SHOWN = (
    *("accuracy", "f1", "kappa", "krippendorff_alpha", "auc", "auc_pr"),
    *(
        f"{kind}_{name}"
        for kind in ("rmse", "corr", "sagr", "ccc")
        for name in ("valence", "arousal")
    ),
)


def rows(root: Path, epochs: int, overrides: Sequence[str], *, faces: str) -> Iterator[list[str]]:
    """For each variant a line of what is published and one of what is measured.

    Args:
        root: A folder of AffectNet.
        epochs: Passes over the training part.
        overrides: Of the experiment.
        faces: What the measured line says of them.
    """
    experiment = config.load(
        Experiment,
        [
            *("data=affectnet", f"data.root={root}", "folds.by=official", "task=affect"),
            *("task.tasks.expression.areas=true", *overrides),
        ],
    )
    dataset = experiment.load()
    for name, published in PUBLISHED.items():
        file = find("prototype", name)
        assert file is not None
        alone = prototype.load(file)
        assert params_with_statistics(alone) == published["params"]
        yield _line(f"{name}, published", int(published["params"]), published)
        genome = prototype.load(file, dataset.task.outputs, image=dataset.image_shape)
        found = evaluate_network(genome, experiment, epochs=epochs, seeds=1)
        yield _line(f"{name}, {faces}", params_with_statistics(genome), _measured(found))


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("overrides", nargs="*")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="gensynth-") as folder:
        root, faces = options.data_root, "measured"
        if root is None:
            faces = "drawn faces"
            root = Path(folder) / "affectnet"
            drawn = SyntheticConfig(size=128, channels=3, neutral=True, frames=2)
            write_affectnet(load(drawn), root)
            print("SYNTHETIC: drawn faces in AffectNet's layout")
        head = ("variant", "parameters", *SHOWN)
        lines = list(rows(root, options.epochs, options.overrides, faces=faces))
        print(markdown(head, lines))


def _measured(figures: Mapping[str, Any]) -> dict[str, float]:
    expression, affect = figures["heads"]["expression"], figures["heads"]["affect"]
    return {**affect, **expression["agreement"], "accuracy": expression["accuracy"]}


def _line(name: str, params: int, values: Mapping[str, float]) -> list[str]:
    shown = [f"{values[key]:.2f}" if key in values else "–" for key in SHOWN]
    return [name, f"{params:,}".replace(",", " "), *shown]


if __name__ == "__main__":
    main()
