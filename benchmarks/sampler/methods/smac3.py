"""SMAC3 (Lindauer et al. 2022): random forests and expected improvement, ParEGO for a front."""

from __future__ import annotations

import logging
import tempfile
from typing import Any

from benchmarks.sampler.methods.flat import axes, loss, network, positions
from benchmarks.sampler.record import Record
from gensynth.generator.tracing import Trace

INITIAL = 10


def search(record: Record) -> None:
    """One run; what is refused is told as crashed, which teaches it where not to look."""
    with tempfile.TemporaryDirectory() as folder:
        _Run(record, folder).go()


class _Run:
    def __init__(self, record: Record, folder: str) -> None:
        from ConfigSpace import Categorical, ConfigurationSpace, Float, Integer
        from smac import HyperparameterOptimizationFacade, Scenario
        from smac.multi_objective.parego import ParEGO

        logging.disable(logging.WARNING)
        self.record = record
        self.axes = axes(record.problem)
        self.space = ConfigurationSpace(seed=record.seed)
        for name, one in self.axes.items():
            if one.choices is not None:
                self.space.add(Categorical(name, list(range(len(one.choices)))))
            else:
                self.space.add((Integer if one.whole else Float)(name, (one.low, one.high)))
        self.several = not record.problem.single
        names = [f"objective{number}" for number in range(len(record.problem.directions))]
        scenario = Scenario(
            self.space,
            objectives=names if self.several else names[0],
            deterministic=True,
            n_trials=10**6,
            seed=record.seed,
            output_directory=folder,
        )
        facade = HyperparameterOptimizationFacade
        self.optimizer = facade(
            scenario,
            lambda config, seed=0: 0.0,
            initial_design=facade.get_initial_design(scenario, n_configs=0),
            intensifier=facade.get_intensifier(scenario, max_config_calls=1),
            multi_objective_algorithm=ParEGO(scenario) if self.several else None,
            logging_level=False,
            overwrite=True,
        )
        self.worst = [-1e9 for _ in names]
        self.asked: tuple[Any, Trace[Any]] | None = None

    def go(self) -> None:
        record = self.record
        while not record.full:
            with record.asking():
                young = len(record.evaluations) < INITIAL
                plan = record.beginning() if young else record.admissible(self.ask)
            found = record.train(plan.outcome, plan.decisions)
            with record.asking():
                self.learn(plan, loss(record.problem, found))

    def ask(self, _: int) -> Trace[Any]:
        self.crash()
        info = self.optimizer.ask()
        plan = network(self.record.problem, self.axes, info.config)
        self.asked = (info, plan)
        return plan

    def crash(self) -> None:
        """The network asked last was refused."""
        from smac.runhistory import StatusType

        if self.asked is not None:
            self.tell(self.asked[0], self.worst, StatusType.CRASHED)
            self.asked = None

    def learn(self, plan: Trace[Any], values: list[float]) -> None:
        from ConfigSpace import Configuration
        from smac.runhistory import StatusType, TrialInfo

        self.worst = [max(pair) for pair in zip(self.worst, values, strict=True)]
        if self.asked is not None and self.asked[1] is plan:
            info, self.asked = self.asked[0], None
        else:
            at = positions(self.record.problem, self.axes, plan)
            info = TrialInfo(Configuration(self.space, values=at), seed=0)
        self.tell(info, values, StatusType.SUCCESS)

    def tell(self, info: Any, values: list[float], status: Any) -> None:
        from smac.runhistory import TrialValue

        cost = values if self.several else values[0]
        self.optimizer.tell(info, TrialValue(cost=cost, status=status), save=False)
