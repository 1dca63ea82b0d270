"""An experiment made ready: everything loaded and checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from gensynth.cost import cost
from gensynth.data import Dataset, Fold
from gensynth.errors import UserError
from gensynth.experiment import Experiment, check_constraint
from gensynth.generator import Generator
from gensynth.generator.screen import Screen
from gensynth.genome import Genome
from gensynth.measured import int8_metrics
from gensynth.search.warm_start import first_generator
from gensynth.space import Chooser, Space, decode, exact_violations, load_space, unmeetable
from gensynth.training import Recipe, check_fits, check_pretraining, truth


@dataclass(frozen=True)
class Proposal:
    """A network before any training, with what is exactly known of it.

    Attributes:
        genome: The network.
        metrics: Its static metrics, and the measured ones that are bounded.
        violations: Of every bound on them, signed.
    """

    genome: Genome
    metrics: Mapping[str, float]
    violations: Mapping[str, float]


@dataclass(frozen=True)
class Setting:
    """An experiment and what it names.

    Attributes:
        experiment: The experiment.
        dataset: Its images.
        folds: All folds.
        space: Its search space around φ.
        recipe: The recipe, the same on every machine.
        begins_with: A generator of another run, whose θ the search begins with.
    """

    experiment: Experiment
    dataset: Dataset
    folds: tuple[Fold, ...]
    space: Space
    recipe: Recipe
    begins_with: Generator | None = None

    def propose(self, chooser: Chooser) -> Proposal:
        """The network that somebody decides on, built and weighed once."""
        genome = self.space(chooser)
        metrics = cost(genome).metrics()
        violations = exact_violations(self.experiment.constraint, genome, metrics)
        return Proposal(genome, metrics, violations)

    def measured(self, proposal: Proposal) -> Proposal:
        """A proposal with what its bounds ask of its file, measured on this machine."""
        bounds = self.experiment.constraint.measured
        if not bounds.bounds:
            return proposal
        from gensynth.device import measure, untrained

        found = measure(untrained(proposal.genome, self.recipe), tuple(bounds.bounds))
        values = {name: estimate.value for name, estimate in found.items()}
        return replace(
            proposal,
            metrics={**proposal.metrics, **values},
            violations={**proposal.violations, **bounds.violations(values)},
        )

    @property
    def screen(self) -> Screen:
        """What is known of the space's networks without training, as the generator asks it."""
        return Screen(
            define=self.propose,
            violations=attrgetter("violations"),
            key=attrgetter("genome.hash"),
            costs=attrgetter("metrics"),
        )

    def price(self, proposal: Proposal) -> float:
        """What an epoch takes, for each image: the unit in which a promise is paid for."""
        images = len(self.folds[0].train)
        nodes = len(proposal.genome.nodes)
        return self.experiment.price.of(proposal.metrics["macs"], nodes, images)


def prepare(experiment: Experiment) -> Setting:
    """Loads and checks everything that an experiment names.

    Raises:
        UserError: For rungs of more folds than there are, data that cannot be loaded or split, a
            prototype that does not fit them or is no point of the space, a bound that nothing in
            the space can meet, a bound on a metric that the search has no image for, a
            generator to begin with that is none.
    """
    _check_rungs(experiment)
    dataset = experiment.load()
    laid = experiment.folds.lay(dataset)
    check_constraint(experiment, dataset)
    space = load_space(experiment.search_space, experiment.prototype, dataset.task.outputs)
    check_fits(decode(space, space.start), dataset)
    check_pretraining(experiment.training, dataset)
    _check_tested(experiment, dataset, laid)
    _check_bounds(experiment, space)
    first = first_generator(experiment, space)
    return Setting(experiment, dataset, laid, space, experiment.training.resolved(), first)


def _check_rungs(experiment: Experiment) -> None:
    deepest, count = experiment.fidelity.rungs[-1].folds, experiment.folds.choosing
    if deepest > count and experiment.folds.by == "official":
        raise UserError(
            f"asks for {deepest} folds but an official split has one to choose by",
            where="fidelity.rungs",
            remedy="give rungs of one fold each: fidelity.rungs=[{folds: 1, epochs: 24}]",
        )
    if deepest > count:
        raise UserError(
            f"asks for {deepest} folds but folds.count is {count}",
            where="fidelity.rungs",
            remedy=f"set folds.count to {deepest} or more, or give rungs of fewer folds",
        )


def _check_tested(experiment: Experiment, dataset: Dataset, laid: Sequence[Fold]) -> None:
    for one in int8_metrics(dataset.task):
        if one.name in experiment.constraint.bounds:
            raise UserError(
                "needs the whole protocol, so no search measures it",
                where=f"constraint {experiment.constraint.name}: bounds.{one.name}",
                remedy="leave it out, and ask gensynth verify for it",
            )
    used = experiment.fidelity.rungs[-1].folds
    tested = truth(laid[:used], dataset).targets
    for metric in experiment.constraint.trained.bounds:
        problem = dataset.task.unanswerable(metric, tested)
        if problem is not None:
            raise UserError(
                f"{problem} in the {used} folds that the search trains on",
                where=f"constraint {experiment.constraint.name}: bounds.{metric}",
                remedy="give the last of fidelity.rungs more folds",
            )


def _check_bounds(experiment: Experiment, space: Space) -> None:
    out_of_reach: Mapping[str, float] = dict(unmeetable(experiment.constraint, space))
    for bound, best in out_of_reach.items():
        metric, _, end = bound.rpartition(".")
        asked = getattr(experiment.constraint.bounds[metric], end)
        raise UserError(
            f"no network of the space can meet {asked:g}: it reaches {best:g}",
            where=f"constraint {experiment.constraint.name}: bounds.{bound}",
            remedy="loosen the bound or widen the search space",
        )
