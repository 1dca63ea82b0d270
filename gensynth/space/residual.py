"""The residual space: networks around ResNet v1 and the published EmotionNet Nano."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.genome import Add, Genome, Linear
from gensynth.prototype import Classes, Prototype, expand
from gensynth.space.choosing import Chooser, Value
from gensynth.space.decisions import checked, decode
from gensynth.space.residual_assembly import Module, Plan, Stage, assemble
from gensynth.space.residual_config import ResidualConfig, defaults, distributions, subsets
from gensynth.space.residual_extremes import extremes


class Residual:
    """A residual network, one decision at a time.

    A stem (convolution, normalisation, activation) gives the first stage's entry. A stage has an
    entry and modules of two convolutions, inner and outer; the inner one of the first module of
    every later stage has stride 2. Later stages' entry is the long-range projection ``p``: a 1x1
    convolution of stride 2 with normalisation and without activation. Junctions read the sum of a
    chosen non-empty set of outputs:

    * ``stage2.module3.sources``: what module 3 reads, of the entry and the modules before it
      (``p+o2``).
    * ``stage1.exit.of3``: what the next stage's module 1, or the classifier, reads of a stage of
      three modules (``stem+o3``).
    * ``stage2.projection.of3``: what the projection into stage 2 reads of stage 1's three modules.
      ``stage2.projection.inner1``: whether it reads the inner output of module 1 as well; asked
      only where that has the stage's width.

    ``merge`` is ``before`` (the shortcut, which is what the module reads, or the projection for a
    stage's first module, is added before the outer activation: ResNet v1) or ``after`` (no shortcut
    but the junctions: EmotionNet Nano).

    ``columns`` of such networks, alike but for their weights, may stand side by side: the sum of
    their class scores is the answer (multi-column networks: Cireşan, Meier, Schmidhuber 2012,
    arXiv:1202.2745, there trained one by one and averaged).

    ``grid`` is how many cells a side the last maps are averaged over: 1, all of the picture, tells
    the classifier what was found, and more also where. On faces that fill the picture alike, where
    matters (Chen, Liu, Gao, Han 2018, arXiv:1804.07573, section 3.1, weigh each place by itself).

    A set is one categorical decision and not a flag an edge: it keeps decisions few, is never
    empty, and reads as a whole. What it chooses from depends on the number of modules, which is
    therefore part of its name. Wiring is asked from the classifier backwards and a module's details
    only once something reads the module, so that (nearly) every decision that is asked matters.

    Args:
        config: What may be changed.
        prototype: φ, for its input shape and number of classes.
        decisions: φ as a point of the space; what it leaves out has its default.

    Raises:
        UserError: If φ does not end in linear layers or sums of some.
    """

    name = "residual"

    def __init__(
        self, config: ResidualConfig, prototype: Genome, decisions: Mapping[str, Value]
    ) -> None:
        self.config = config
        self.distributions: Mapping[str, BaseDistribution] = distributions(config)
        self.start: Mapping[str, Value] = self.complete(decisions)
        self._image = prototype.input
        self._classes = _classes(prototype)
        self._labels = {"name": self.name, "provenance": _provenance(prototype, self.name)}
        self._fixed = {
            name: self.start[name]
            for name, distribution in self.distributions.items()
            if distribution.single()
        }
        self._sets = {
            stage: subsets(stage, config.modules.high) for stage in range(1, config.stages + 1)
        }

    def complete(self, decisions: Mapping[str, Value]) -> dict[str, Value]:
        """The decisions, with a default for every name that they leave out."""
        return defaults(self.distributions, decisions)

    def extremes(self) -> Mapping[str, tuple[Genome, Genome]]:
        """For each static metric, a network with the least and one with the greatest value."""
        return self._extremes

    @cached_property
    def _extremes(self) -> Mapping[str, tuple[Genome, Genome]]:
        return extremes(self.config, partial(decode, self))

    def __call__(self, chooser: Chooser) -> Genome:
        """Asks for decisions and builds their network.

        Args:
            chooser: Decides.

        Returns:
            The genome; every answer within its distribution gives a valid one.
        """
        plan = self.plan(chooser)
        return assemble(plan, image=self._image, classes=self._classes, **self._labels)

    def plan(self, chooser: Chooser) -> Plan:
        """Asks for decisions."""
        normalised = self._ask(chooser, "normalisation") == "batch_norm"
        activation = self._ask(chooser, "activation")
        before = self._ask(chooser, "merge") == "before"
        kernel = self._ask(chooser, "stem.kernel")
        stride = self._ask(chooser, "stem.stride")
        grid = self._ask(chooser, "grid")
        columns = self._ask(chooser, "columns")
        wirings = self._wire(chooser, before)
        return Plan(
            normalised=normalised,
            activation=activation,
            before=before,
            stem_kernel=kernel,
            stem_stride=stride,
            stages=self._stages(chooser, wirings),
            columns=columns,
            grid=grid,
        )

    def _wire(self, chooser: Chooser, before: bool) -> list[_Wiring]:
        """Asks for junctions from the last stage to the first: those that something reads."""
        wirings: list[_Wiring] = []
        after: _Wiring | None = None
        for stage in range(self.config.stages, 0, -1):
            wiring = _Wiring(modules=self._ask(chooser, f"stage{stage}.modules"))
            of = f"of{wiring.modules}"
            read: set[int] = set()
            if after is None or 1 in after.sources:
                wiring.exit = self._ask_set(chooser, f"stage{stage}.exit.{of}", stage)
                read.update(wiring.exit)
            if after is not None and after.projected:
                name = f"stage{stage + 1}.projection.{of}"
                after.projection = self._ask_set(chooser, name, stage)
                read.update(after.projection)
            for module in range(wiring.modules, 0, -1):
                if module not in read:
                    continue
                sources: tuple[int, ...] = ()
                if module > 1:
                    name = f"stage{stage}.module{module}.sources"
                    sources = self._ask_set(chooser, name, stage)
                elif stage == 1 or before:
                    read.add(0)
                wiring.sources[module] = sources
                read.update(sources)
            wiring.projected = 0 in read
            after = wiring
            wirings.insert(0, wiring)
        return wirings

    def _stages(self, chooser: Chooser, wirings: list[_Wiring]) -> tuple[Stage, ...]:
        """Asks for widths, and for the details of the modules that something reads."""
        stages: list[Stage] = []
        for number, wiring in enumerate(wirings, 1):
            width = self._ask(chooser, f"stage{number}.width")
            entered = wirings[number - 2].exit if number > 1 else (0,)
            modules = {
                module: self._module(chooser, number, module, sources if module > 1 else entered)
                for module, sources in sorted(wiring.sources.items())
            }
            joined = self._joined(chooser, number, stages[-1]) if wiring.projection else ()
            last = number == len(wirings)
            stages.append(
                Stage(width, modules, wiring.projection, joined, wiring.exit if last else ())
            )
        return tuple(stages)

    def _module(
        self, chooser: Chooser, stage: int, module: int, sources: tuple[int, ...]
    ) -> Module:
        here = f"stage{stage}.module{module}"
        inner = self._ask(chooser, f"{here}.inner")
        kernels = (
            self._ask(chooser, f"{here}.inner.kernel"),
            self._ask(chooser, f"{here}.outer.kernel"),
        )
        separable = max(kernels) > 1 and self._ask(chooser, f"{here}.convolution") == "separable"
        return Module(sources, inner, kernels, separable)

    def _joined(self, chooser: Chooser, stage: int, previous: Stage) -> tuple[int, ...]:
        """The modules of the previous stage whose inner outputs the projection reads as well."""
        return tuple(
            module
            for module, design in previous.modules.items()
            if design.inner == previous.width
            and self._ask(chooser, f"stage{stage}.projection.inner{module}")
        )

    def _ask_set(self, chooser: Chooser, name: str, stage: int) -> tuple[int, ...]:
        return self._sets[stage][self._ask(chooser, name)]

    def _ask(self, chooser: Chooser, name: str) -> Any:
        if name in self._fixed:
            return self._fixed[name]
        distribution = self.distributions[name]
        if isinstance(distribution, IntDistribution):
            return chooser.suggest_int(
                name, distribution.low, distribution.high, log=distribution.log
            )
        assert isinstance(distribution, CategoricalDistribution)
        return chooser.suggest_categorical(name, distribution.choices)


def around(
    config: ResidualConfig, prototype: Mapping[str, Any], classes: Classes | None = None
) -> Residual:
    """The space around a prototype, at the point that its decisions say.

    Args:
        config: What may be changed.
        prototype: φ, as read from YAML.
        classes: Classes to tell apart, or the size of each head; φ's own when None.

    Raises:
        UserError: If φ has no decisions of this space, or they are not the network that it draws.
    """
    genome = expand(prototype, classes)
    written = Prototype.model_validate(prototype).decisions
    where = f"prototype {genome.name}: decisions.{config.kind}"
    if config.kind not in written:
        raise UserError(
            f"missing: the prototype is no known point of the search space {config.kind}",
            where=where,
            remedy="choose prototype=resnet20, write the decisions that decode to it, or mark what "
            "varies in it and choose search_space=open",
        )
    space = Residual(config, genome, {})
    space = Residual(config, genome, checked(space, written[config.kind], where=where))
    _check_same(decode(space, space.start), genome, where)
    return space


def _check_same(decoded: Genome, drawn: Genome, where: str) -> None:
    if decoded.same_network(drawn):
        return
    ours, theirs = cost(decoded), cost(drawn)
    raise UserError(
        f"they decode to another network ({ours.params:,} parameters, {ours.macs:,} MACs) than the "
        f"prototype's ({theirs.params:,}, {theirs.macs:,})",
        where=where,
        remedy="change one of them, or widen the search space",
    )


@dataclass
class _Wiring:
    """The junctions of one stage.

    Attributes:
        modules: Number of modules to choose from.
        sources: What each module that something reads reads itself; of the first one, nothing here.
        exit: What the next stage's first module, or the classifier, reads.
        projected: Whether something reads the stage's entry.
        projection: What the projection into the stage reads of the stage before.
    """

    modules: int
    sources: dict[int, tuple[int, ...]] = field(default_factory=dict)
    exit: tuple[int, ...] = ()
    projected: bool = False
    projection: tuple[int, ...] | None = None


def _classes(prototype: Genome) -> Classes:
    sizes = {name: _features(prototype, node) for name, node in prototype.outputs.items()}
    return sizes if len(sizes) > 1 else next(iter(sizes.values()))


def _features(prototype: Genome, output: str) -> int:
    nodes = {node.id: node for node in prototype.nodes}
    last = nodes.get(output)
    while isinstance(last, Add):
        last = nodes.get(last.inputs[0])
    if not isinstance(last, Linear):
        raise UserError(
            "the residual space needs a network that ends in linear layers or sums of some",
            where=f"prototype {prototype.name}",
        )
    return last.out_features


def _provenance(prototype: Genome, space: str) -> dict[str, Any]:
    return {"prototype": prototype.name, "space": space}
