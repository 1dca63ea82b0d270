"""The sampler: generator and inquisitor behind Optuna's interface.

An ask in five steps: read what happened since (:mod:`memory`), let θ follow, draw drafts from G and
around the best (:mod:`drafts`), have the inquisitor rank them, announce the first that is new.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState
from threadpoolctl import ThreadpoolController

from gensynth.errors import UserError
from gensynth.generator.drafts import Drafts
from gensynth.generator.generator import Generator
from gensynth.generator.history import PLAN, REFUSED
from gensynth.generator.inquisitor import Inquisitor
from gensynth.generator.memory import Learning, Memory
from gensynth.generator.moves import beginning, completing, varied
from gensynth.generator.screen import Draft, Screen
from gensynth.generator.settings import DEFAULTS, Settings
from gensynth.generator.tracing import Define, trace
from gensynth.seams.optuna import storage_of, study_id


class GenerativeSynthesisSampler(BaseSampler):
    """Proposes networks, or any parameters, that a learned generator makes.

    Typical use is that of any Optuna sampler:

        >>> import optuna
        >>> from gensynth import GenerativeSynthesisSampler
        >>> study = optuna.create_study(sampler=GenerativeSynthesisSampler(seed=0))
        >>> study.optimize(lambda trial: (trial.suggest_float("x", -9, 9) - 2) ** 2, n_trials=40)
        >>> round(study.best_params["x"], 1)
        2.0

    A network is planned whole before its trial begins: a pool of candidates is drawn from the
    generator and around the best networks so far, those that violate a static bound or were
    proposed before are refused, and of the rest the one that the inquisitor expects most of is
    the trial. A refused network costs no trial.

    One objective is minimised or maximised; of several the front is widened. Floats, integers and
    categoricals may depend on one another in any define-by-run way; without ``define`` the
    dependence is learned from the trials. Constraints are what
    :meth:`optuna.trial.Trial.set_constraint` says, or the older list under the system attribute
    ``constraints``: feasible when <= 0. Pruned trials teach by their last report, or by the user
    attribute ``fidelity``, the share of the full training that they had; failed ones are not tried
    again; queued ones are taken as they are.

    Every proposal is a function of the seed, the trial's number and the trials that are finished
    or under way; nothing else is kept between asks, so a study can be continued by another process.
    A trial that a process left unfinished keeps the network that was planned for it.

    Args:
        define: The search space: a function that asks an :class:`optuna.Trial` (or anything like
            it) for decisions and returns a network. Without it the space is what the study's
            trials have shown, and nothing can be refused before its trial.
        violations: Exact violations of what ``define`` returns, by bound, signed, <= 0 when met.
        key: Identity of what ``define`` returns; without it, the decisions are the identity.
        costs: Exact metrics of what ``define`` returns (parameters, operations, ...), >= 0. The
            inquisitor learns from their logarithms beside the decisions, which helps much.
        price: What it takes to train what ``define`` returns, > 0, in any unit. With it a proposal
            is what promises most for each unit spent, and before the inquisitor is asked one of the
            cheapest that the generator draws.
        start: The prototype's decisions, by name: without a price the first network proposed, if it
            is admissible.
        warm_start: A generator that an earlier study learned in the same space: its θ is that of
            G₀, and the prototype is not proposed.
        performance: U of a finished trial, greater is better, None if unknown. Without it a single
            objective is U, and several objectives are searched for their front.
        seed: Seed of the run; None draws one.
        settings: How it goes about it, the same for every problem unless told otherwise.

    Attributes:
        refused: Networks refused so far, by violated bound, and ``"duplicate"``.

    Raises:
        Unsatisfiable: From an ask (so from ``study.optimize`` too) that finds nothing new within
            ``max_refusals`` draws: a space of which everything was proposed is at its end, for no
            point is proposed twice. What was trained is kept.
        UserError: For a categorical whose choices are not None, booleans, numbers or strings.

    One sampler may serve several studies, each with a memory of its own, if all have one space;
    ``refused`` counts over all of them. Threads may ask at once. Askers in different processes
    see each other's plans as soon as they are in the storage.

    What is known before a trial is told through ``define``:

        >>> def space(trial):
        ...     return {"x": trial.suggest_float("x", -5, 5), "n": trial.suggest_int("n", 1, 9)}
        >>> sampler = GenerativeSynthesisSampler(
        ...     space, violations=lambda point: {"n.max": (point["n"] - 5) / 5}, seed=0
        ... )
        >>> study = optuna.create_study(sampler=sampler)
        >>> study.optimize(lambda trial: (p := space(trial))["x"] ** 2 - p["n"], n_trials=30)
        >>> study.best_params["n"]
        5
    """

    def __init__(
        self,
        define: Define[Any] | None = None,
        *,
        violations: Callable[[Any], Mapping[str, float]] | None = None,
        key: Callable[[Any], Hashable] | None = None,
        costs: Callable[[Any], Mapping[str, float]] | None = None,
        price: Callable[[Any], float] | None = None,
        start: Mapping[str, Any] | None = None,
        warm_start: Generator | None = None,
        performance: Callable[[FrozenTrial], float | None] | None = None,
        seed: int | None = None,
        settings: Settings = DEFAULTS,
    ) -> None:
        if define is None and any(given is not None for given in (violations, key, costs, price)):
            raise UserError(
                "violations, key, costs and price need define",
                remedy="give the space as a function of a trial",
            )
        if seed is None:
            seed = int(np.random.SeedSequence().generate_state(1)[0])
        self._screen = Screen(define, violations, key, costs)
        theta = {} if warm_start is None else warm_start.theta
        initial = Generator(noise=settings.noise, start=dict(start or {}), theta=theta)
        if define is not None:
            initial = initial.meeting(trace(define, beginning(initial)).distributions)
        self._learning = Learning(
            initial=initial,
            screen=self._screen,
            performance=performance,
            seed=seed,
            settings=settings,
        )
        self._begins = bool(start) and warm_start is None
        self._price = price
        self._settings = settings
        self._memories: dict[tuple[int, int], Memory] = {}
        self._lock = threading.RLock()
        self._single = ThreadpoolController()
        self.refused: Counter[str] = Counter()

    @property
    def seed(self) -> int:
        """Seed of the run."""
        return self._learning.seed

    def generator(self, study: Study) -> Generator:
        """The generator that follows from a study's finished trials."""
        with self._lock, self._single.limit(limits=1):
            return self._memory_of(study).generator()

    def generators(self, study: Study) -> list[Generator]:
        """G₀ and every generator that a study's finished trials led to, in their order."""
        with self._lock, self._single.limit(limits=1):
            memory = self._memory_of(study)
            memory.generator()
            return memory.generators()

    def inquisitor(self, study: Study) -> Inquisitor | None:
        """What is learned of a study's networks; None before there is anything to learn from."""
        with self._lock, self._single.limit(limits=1):
            memory = self._memory_of(study)
            return memory.inquisitor() if memory.observed else None

    def planned(self, trial: Trial) -> Draft | None:
        """The network of a trial that this sampler planned and that has not ended."""
        with self._lock:
            return self._memory(trial.study).plans.get(trial.number)

    @staticmethod
    def refusals(trial: FrozenTrial) -> Mapping[str, int]:
        """Networks that were refused before a trial's own was found, by bound."""
        refused: Mapping[str, int] = trial.system_attrs.get(REFUSED, {})
        return refused

    def __getstate__(self) -> dict[str, Any]:
        lost = ("_memories", "_lock", "_single")
        return {name: value for name, value in self.__dict__.items() if name not in lost}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _memories={})
        self._lock, self._single = threading.RLock(), ThreadpoolController()

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        with self._lock, self._single.limit(limits=1):
            memory = self._memory_of(study)
            rng = self._rng(trial)
            if PLAN in trial.system_attrs:
                planned = self._completed(memory, trial.system_attrs[PLAN], rng)
                memory.plans[trial.number] = planned
                return
            before = self.refused.copy()
            for contest in range(self._settings.contests):
                # askers that want the same network give way, by a chance that grows each time
                passed_over = int(rng.integers(2**contest)) if contest else 0
                try:
                    known = self._plan(memory, trial, rng, passed_over)
                except Exception:
                    memory.note_refused(trial, self.refused - before)
                    study.tell(trial.number, state=TrialState.FAIL)
                    raise
                memory.note_refused(trial, self.refused - before)
                memory.announce(trial, known)
                if not memory.contested(trial.number):
                    return

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        with self._lock:
            memory = self._memory(study)
            known = memory.plans.get(trial.number)
            planned = known.decisions if known else {}
            decision = memory.generator().decision(param_name, param_distribution)
            if param_name in planned and decision.cell(planned[param_name]) is not None:
                return planned[param_name]
            seed = int(self._rng(trial).integers(2**63))
            return memory.generator().draw(seed, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        with self._lock:
            self._memory(study).plans.pop(trial.number, None)

    def _memory(self, study: Study) -> Memory:
        name = (id(storage_of(study)), study_id(study))
        if name not in self._memories:
            self._memories[name] = Memory(study, self._learning)
        return self._memories[name]

    def _memory_of(self, study: Study) -> Memory:
        memory = self._memory(study)
        memory.refresh()
        return memory

    def _rng(self, trial: FrozenTrial) -> np.random.Generator:
        return np.random.default_rng([self._learning.seed, trial.number])

    def _plan(
        self, memory: Memory, trial: FrozenTrial, rng: np.random.Generator, passed_over: int
    ) -> Draft:
        define = self._screen.define
        fixed = trial.system_attrs.get("fixed_params", {})
        if fixed:
            return self._completed(memory, fixed, rng)
        drafts = Drafts(self._screen, memory.taken.__contains__, self._settings)
        try:
            if define is not None and not memory.past and self._begins:
                drafts.draw(define, beginning(memory.generator()))
            return self._chosen(memory, drafts, rng, passed_over)
        finally:
            self.refused.update(drafts.refused)

    def _completed(
        self, memory: Memory, fixed: Mapping[str, Any], rng: np.random.Generator
    ) -> Draft:
        """A queued network; what the queue leaves open comes from the generator."""
        define = self._screen.define or memory.recollection()
        if define is None:
            return Draft(fixed)
        choose = completing(memory.generator(), fixed, int(rng.integers(2**63)))
        return self._screen.draft(trace(define, choose))

    def _chosen(
        self, memory: Memory, drafts: Drafts, rng: np.random.Generator, passed_over: int
    ) -> Draft:
        """The first draft, most promising first, that is no earlier trial's network."""
        define = self._screen.define or memory.recollection()
        if define is None:
            return Draft({})
        for growth in itertools.count(1):
            fresh = None
            for draft in self._ordered(memory, drafts, define, rng, growth):
                if draft.key in memory.taken:
                    drafts.refuse(draft)
                    continue
                fresh = draft
                if not passed_over:
                    break
                passed_over -= 1
            if fresh is not None:
                return fresh
        raise AssertionError("unreachable")

    def _ordered(
        self,
        memory: Memory,
        drafts: Drafts,
        define: Define[Any],
        rng: np.random.Generator,
        growth: int,
    ) -> list[Draft]:
        """Drafts in the order in which they are to be tried; more of them as ``growth`` grows."""
        settings = self._settings
        if settings.ranked and memory.observed >= settings.startup:
            return self._ranked(memory, drafts, define, rng, growth)
        wanted = growth if self._price is None else settings.pool * growth
        drafts.gather(define, memory.generator(), [], rng, size=wanted)
        return self._cheap_first(drafts.admissible, rng)

    def _ranked(
        self,
        memory: Memory,
        drafts: Drafts,
        define: Define[Any],
        rng: np.random.Generator,
        growth: int,
    ) -> list[Draft]:
        """What θ draws and what lies near the best, the most promising to the inquisitor first."""
        settings, generator = self._settings, memory.generator()
        widening = self._widens(memory, rng)
        inquisitor = memory.inquisitor()
        count = len(memory.study.directions)
        if widening and count > settings.together:
            watched = rng.choice(count, settings.together, replace=False)
            inquisitor = inquisitor.watching(watched.tolist())
        incumbents = inquisitor.incumbents(settings.incumbents, rng, widening=widening)
        inquisitor = inquisitor.believing(*memory.under_way())
        fitting = settings.effort // max(len(incumbents[0]), 1)
        size = min(max(fitting, settings.smallest), settings.pool)
        drafts.gather(define, generator, incumbents, rng, size=size * growth)
        promises = self._promises(inquisitor, drafts.admissible, widening)
        for _ in range(settings.rounds):
            leaders = np.argsort(-promises, kind="stable")[: settings.incumbents]
            near = [drafts.admissible[index].decisions for index in leaders]
            for _ in range(size // settings.rounds):
                drafts.draw(define, varied(generator, near, rng, settings))
            fresh = self._promises(inquisitor, drafts.admissible[len(promises) :], widening)
            promises = np.concatenate([promises, fresh])
        return [drafts.admissible[index] for index in np.argsort(-promises, kind="stable")]

    def _widens(self, memory: Memory, rng: np.random.Generator) -> bool:
        """Whether to look for a part of the front rather than for the greatest U."""
        if len(memory.study.directions) == 1:
            return False
        return self._learning.performance is None or bool(rng.random() < self._settings.leaning)

    def _cheap_first(self, drafts: Sequence[Draft], rng: np.random.Generator) -> list[Draft]:
        """One of the cheapest first, so that a short budget buys more than a glance."""
        if self._price is None:
            return list(drafts)
        order = np.argsort(self._prices(drafts), kind="stable")
        cheap = rng.permutation(order[: max(1, len(order) // self._settings.cheapest)])
        return [drafts[index] for index in (*cheap, *order[len(cheap) :])]

    def _promises(
        self, inquisitor: Inquisitor, drafts: Sequence[Draft], widening: bool
    ) -> NDArray[np.float64]:
        """What drafts promise, for each unit they take (Snoek et al. 2012, 3.2)."""
        if not drafts:
            return np.zeros(0)
        promise = inquisitor.promise(
            [draft.decisions for draft in drafts],
            [draft.costs for draft in drafts],
            widening=widening,
        )
        return np.asarray(promise - np.log(self._prices(drafts)))

    def _prices(self, drafts: Sequence[Draft]) -> NDArray[np.float64]:
        if self._price is None:
            return np.ones(len(drafts))
        return np.asarray([self._price(draft.outcome) for draft in drafts])
