"""A search of four networks with a few thousand parameters on a hundred images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gensynth.data import Dataset, Fold
    from gensynth.execution import Dispatcher
    from gensynth.experiment import Experiment
    from gensynth.genome import Genome
    from gensynth.search import Setting
    from gensynth.training import FoldResult

SMALL = (
    "constraint=nano_b",
    "constraint.bounds.accuracy.min=0.05",
    "constraint.bounds.macs.max=3e5",
    "data.subjects=40",
    "data.frames=1",
    "folds.count=4",
    "fidelity.rungs=[{folds: 1, epochs: 1}, {folds: 2, epochs: 2}]",
    "fidelity.reduction=2",
    "budget.candidates=4",
    "budget.minutes=null",
    "confirm.finalists=1",
    "confirm.epochs=1",
    "name=small",
)


def drive(
    dispatcher: Dispatcher,
    setting: Setting,
    *,
    folds: int | None = None,
    train: Callable[..., FoldResult] | None = None,
) -> int:
    """Does a dispatcher's jobs in this process, one after the other; returns the folds trained.

    Args:
        dispatcher: Gives them out.
        setting: What to train on.
        folds: Stop after so many, in the middle of whatever is going on.
        train: Takes the place of :func:`gensynth.training.train_fold`. What it raises is a failure.
    """
    from gensynth.training import train_fold

    train = train or train_fold

    trained = 0
    while (found := dispatcher.next()) is not None:
        key, job = found
        dispatcher.idle()
        for unit in job.units:
            if trained == folds:
                return trained
            fold = setting.folds[unit.fold]
            try:
                result = train(
                    job.genome,
                    setting.dataset,
                    fold,
                    epochs=unit.epochs,
                    seed=unit.seed,
                    recipe=setting.recipe,
                )
            except RuntimeError as error:
                dispatcher.failed(key, str(error))
                break
            trained += 1
            if not dispatcher.result(key, result):
                break
    return trained


def guess(
    genome: Genome, dataset: Dataset, fold: Fold, *, epochs: int, seed: int, **_: object
) -> FoldResult:
    """In the place of a training: answers of which nine in ten are right, drawn by the seed."""
    import numpy as np

    from gensynth.training import FoldResult

    random = np.random.default_rng([seed, fold.index, epochs])
    truth = dataset.targets[fold.test]
    said = np.where(random.random(len(truth)) < 0.9, truth, random.integers(0, 7, len(truth)))
    return FoldResult(
        fold=fold.index,
        epochs=epochs,
        seed=seed,
        predictions=tuple(map(int, said)),
        total=len(truth),
        seconds=0.01,
        loss=0.5,
        scores={"correct": int((said == truth).sum())},
    )


def words(experiment: Experiment, overrides: Sequence[str] = ()) -> list[str]:
    """The command line of the small experiment."""
    return [*SMALL, f"runs={experiment.runs}", *overrides]


def write_official(root: Path) -> tuple[str, ...]:
    """Noise in FER2013's layout, 28, 7 and 14 images; returns overrides that have it searched."""
    import numpy as np

    random = np.random.default_rng(0)
    lines = ["emotion,pixels,Usage"]
    for usage, count in (("Training", 28), ("PublicTest", 7), ("PrivateTest", 14)):
        for number in range(count):
            pixels = " ".join(map(str, random.integers(0, 256, 48 * 48)))
            lines.append(f"{number % 7},{pixels},{usage}")
    (root / "fer2013.csv").write_text("\n".join(lines))
    return (
        "data=fer2013",
        f"data.root={root}",
        "folds.by=official",
        "~data.subjects",
        "~data.frames",
        "fidelity.rungs=[{folds: 1, epochs: 1}]",
    )
