"""Whether a network keeps what its indicator function asks, measured again from the start."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gensynth.cost import STATIC_METRICS, cost
from gensynth.device.formats import deploy
from gensynth.device.meters import Estimate, measure, untrained
from gensynth.device.model import Model
from gensynth.device.quantised import exported_figures
from gensynth.device.training import Tell
from gensynth.evaluation import evaluate_network
from gensynth.execution.progress import Watcher
from gensynth.experiment import Experiment
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.measured import MEASURED, int8_metrics
from gensynth.task import Metric


@dataclass(frozen=True)
class BoundCheck:
    """One end of one bound.

    Attributes:
        bound: Such as ``params.max``.
        limit: What is asked.
        estimate: What was measured; None if it was not.
        how: By what.
    """

    bound: str
    limit: float
    estimate: Estimate | None
    how: str

    @property
    def holds(self) -> bool:
        """Whether the estimate is within the bound."""
        return self.estimate is not None and self._within(self.estimate.value)

    @property
    def surely(self) -> bool:
        """Whether the whole interval is."""
        interval = None if self.estimate is None else self.estimate.interval
        return interval is not None and all(map(self._within, interval))

    @property
    def words(self) -> str:
        """The verdict, in words."""
        if self.estimate is None:
            return "not measured"
        if not self.holds:
            return "does not hold"
        return "holds by the whole interval" if self.surely else "holds by its estimate alone"

    def _within(self, value: float) -> bool:
        return value >= self.limit if self.bound.endswith(".min") else value <= self.limit


@dataclass(frozen=True)
class Verification:
    """A network, measured again.

    Attributes:
        name: Of the network.
        verdicts: One a bound, and one for the golden outputs of a model.
        seed: Of the trainings; None if there were none.
    """

    name: str
    verdicts: tuple[BoundCheck, ...]
    seed: int | None

    @property
    def holds(self) -> bool:
        """Whether every bound holds by its estimate."""
        return all(one.holds for one in self.verdicts)


def verify(
    subject: Genome | Model,
    indicator: Indicator,
    experiment: Experiment,
    *,
    retrain: bool,
    seeds: int | None = None,
    epochs: int | None = None,
    watcher: Watcher | None = None,
    tell: Tell = lambda line: None,
) -> Verification:
    """Measures again what an indicator function asks of a network.

    Args:
        subject: A network, or a model of one, whose outputs are compared too.
        indicator: The indicator function.
        experiment: Data, folds and recipe; its seed is that of the trainings.
        retrain: Whether the data are there to train on: without, bounds on what is known after a
            training are not measured.
        seeds: Cross-validations, as :func:`gensynth.evaluation.evaluate_network` has them.
        epochs: Passes over each training part.
        watcher: Gets to see how it goes.
        tell: Is told about trainings of one process.

    Raises:
        UserError: As from whatever measures.
    """
    genome = subject.genome if isinstance(subject, Model) else subject
    names = tuple(name for name in indicator.bounds if name in MEASURED)
    model = subject if isinstance(subject, Model) else untrained(genome, experiment.training)
    found: dict[str, tuple[Estimate, str]] = {
        name: (Estimate(value, (value, value)), "counted")
        for name, value in cost(genome).metrics().items()
    }
    if names:
        found |= {name: (one, "measured") for name, one in measure(model, names).items()}
    quantised = {metric.name for metric in int8_metrics(experiment.task)} & set(indicator.bounds)
    if retrain and quantised:
        found |= dict(_in_eight_bits(genome, experiment, epochs, tell))
    known = {*STATIC_METRICS, *names, *quantised}
    if retrain and not known.issuperset(indicator.bounds):
        figures = evaluate_network(genome, experiment, seeds=seeds, epochs=epochs, watcher=watcher)
        found |= dict(_trained(figures, experiment.task.headline))
    verdicts = [
        BoundCheck(key, float(getattr(indicator.bounds[name], end)), *found.get(name, (None, "")))
        for key in indicator.keys
        for name, _, end in [key.rpartition(".")]
    ]
    if isinstance(subject, Model):
        verdicts.append(_golden(subject))
    return Verification(genome.name, tuple(verdicts), experiment.seed if retrain else None)


def _golden(model: Model) -> BoundCheck:
    with TemporaryDirectory(prefix="gensynth-") as folder:
        exported = deploy(model, "onnx", Path(folder) / "model.onnx")
    found, allowed = exported.difference, exported.tolerance or 0.0
    return BoundCheck("golden.onnx.max", allowed, Estimate(found, (found, found)), "run")


def _in_eight_bits(
    genome: Genome, experiment: Experiment, epochs: int | None, tell: Tell
) -> Iterator[tuple[str, tuple[Estimate, str]]]:
    task = experiment.load().task
    quality, drop = int8_metrics(task)
    figures = exported_figures(genome, experiment, "onnx-int8", epochs=epochs, tell=tell)
    before, after = (figures[name][task.headline.name] for name in ("pytorch", "exported"))
    how = f"trained on {len(figures['folds'])} folds"
    low, high = figures["exported"]["interval"]
    yield quality.name, (Estimate(after, (low, high)), how)
    yield drop.name, (Estimate(task.headline.merit(before) - task.headline.merit(after)), how)


def _trained(
    figures: Mapping[str, Any], headline: Metric
) -> Iterator[tuple[str, tuple[Estimate, str]]]:
    how = f"trained with {len(figures['seeds'])} fresh seeds"
    intervals = {**figures.get("intervals", {}), headline.name: figures["interval"]}
    for name, value in figures["metrics"].items():
        ends = intervals.get(name)
        yield name, (Estimate(value, None if ends is None else (ends[0], ends[1])), how)
