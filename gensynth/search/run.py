"""A whole search: everything checked, trained, told, confirmed and written down."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.exceptions import StorageInternalError
from optuna.samplers import BaseSampler
from threadpoolctl import threadpool_limits

from gensynth.errors import UserError, first_line
from gensynth.execution.clock import Clock
from gensynth.execution.cluster import cluster, gpu_share, worker_count
from gensynth.execution.engine import execute
from gensynth.execution.jobs import Dispatcher, EverythingFails
from gensynth.execution.journal import Journal
from gensynth.execution.progress import Best, Progress, Silent, Watcher
from gensynth.experiment import Experiment
from gensynth.search.candidates import Candidates
from gensynth.search.confirmation import Confirmation
from gensynth.search.forecast import Forecast
from gensynth.search.outcome import Outcome, objectives_of
from gensynth.search.preparation import Setting, prepare
from gensynth.search.proposing import Proposer, proposer
from gensynth.search.results import FoundNetwork, load_results
from gensynth.search.run_directory import RunDirectory, open_run
from gensynth.search.samplers import named_sampler
from gensynth.search.study import SearchStudy, open_study, sqlite_url
from gensynth.search.summary import Summary
from gensynth.search.verdict import Verdict
from gensynth.search.warm_start import keep
from gensynth.storage_url import public
from gensynth.task import Metric

logger = logging.getLogger(__name__)

SETTLED = {"networks", "counts", "constraint"}
"""What results say that a later session may have more to say of."""
NOTED_EVERY = 5.0
"""Seconds of a run that a crash may lose from its count of time, apart from the first ones."""


def search(
    experiment: Experiment,
    *,
    sampler: BaseSampler | None = None,
    watcher: Watcher | None = None,
    command: str = "",
) -> dict[str, Any]:
    """Runs a search, or continues the one in its run directory.

    Args:
        experiment: The experiment.
        sampler: Who proposes networks, in the place of the sampler that the experiment names: any
            sampler of Optuna. One that takes only one objective searches for U. To continue the
            run give one of the same class again.
        watcher: Gets to see how it goes.
        command: How the search was started, for the results.

    Returns:
        What ``results.json`` holds, and under ``"run"`` where the run directory is.

    Raises:
        UserError: For anything in the experiment that does not fit, before anything is trained;
            when one training after the other fails; and when a disk or a database refuses what is
            written, of which nothing that was won is lost.
        KeyboardInterrupt: After Ctrl-C. Everything is kept; the same call continues.
    """
    experiment = experiment.model_copy(update={"name": experiment.label})
    if sampler is not None:
        experiment = _with_sampler(experiment, sampler)
    clock = Clock(
        limit=None if experiment.budget.minutes is None else 60 * experiment.budget.minutes
    )
    setting = prepare(experiment)
    watcher = watcher or Silent()
    with _quiet_optuna():
        asked = proposer(named_sampler(setting) if sampler is None else sampler)
    with (
        _plainly(),
        open_run(experiment) as (directory, journal),
        _quiet_optuna(),
        threadpool_limits(1),
    ):
        if setting.begins_with is not None:
            keep(setting.begins_with, directory)
        url = experiment.storage or sqlite_url(directory.study.resolve())
        objectives = objectives_of(setting.dataset.task)
        opened = open_study(url, experiment.label, asked.sampler, objectives)
        study = SearchStudy(opened, experiment.constraint.keys, objectives)
        new = not study.asked
        if new and journal:
            study.remove()
            study.close()
            raise UserError(
                "holds nothing of this run, whose journal has trained folds",
                where=f"storage: {public(url)}",
                remedy="give storage= as it was, or choose another name",
            )
        study.keep_outputs(setting.dataset.task.outputs)
        try:
            session = _Session(setting, directory, journal, study, asked, clock, watcher, command)
            return session.run()
        except UserError:
            if new and not journal:
                study.remove()
            raise
        finally:
            study.close()


@contextmanager
def _plainly() -> Iterator[None]:
    """Turns what a disk or a database refuses into one line."""
    go_on = "everything trained is kept; mend it, and the same command goes on"
    try:
        yield
    except StorageInternalError as error:
        cause = first_line(error.__cause__ or error)
        raise UserError(f"the study cannot be written ({cause})", remedy=go_on) from error
    except OSError as error:
        said = error.strerror or first_line(error)
        raise UserError(said, where=str(error.filename or ""), remedy=go_on) from error


def _with_sampler(experiment: Experiment, sampler: BaseSampler) -> Experiment:
    if experiment.warm_start is not None:
        raise UserError(
            "a sampler that is given as an object begins with what it knows itself",
            where=f"warm_start={experiment.warm_start}",
            remedy="leave out one of the two",
        )
    return experiment.model_copy(update={"sampler": type(sampler).__name__})


@dataclass
class _Session:
    setting: Setting
    directory: RunDirectory
    journal: Journal
    study: SearchStudy
    proposer: Proposer
    clock: Clock
    watcher: Watcher
    command: str
    setup: float = 0.0
    _shown: float = 0.0
    _noted: float = 0.0
    _asked: int = 0

    def run(self) -> dict[str, Any]:
        """Does everything that is left to do."""
        before = self.study.session
        self.clock.before, self.setup = before.seconds, before.setup
        self.workers = worker_count(self.setting.experiment.workers)
        self.follower = self.proposer.follow(self.setting, self.study, self.directory)
        forecast = Forecast(self.setting, self.study, self.journal, self.clock, self.workers)
        begun = dict.fromkeys(entry.genome for entry in self.journal if entry.phase == "confirm")
        self.candidates = Candidates(
            self.setting, self.study, self.proposer, self.follower, forecast
        )
        self.confirmation = Confirmation(
            self.setting, self.study, self.follower, forecast, begun=tuple(begun)
        )
        dispatcher = Dispatcher(
            sources=(self.candidates, self.confirmation),
            journal=self.journal,
            workers=self.workers,
        )
        self.dispatcher = dispatcher
        try:
            dispatcher.peek()
            self.watcher.banner(_banner(self.setting, self.directory))
            dispatcher.watch = self._watch
            if dispatcher.finished and (written := self._finished_before()) is not None:
                self._complain()
                return written
            if not dispatcher.finished:
                self._train()
        except BaseException:
            with suppress(Exception):
                self._note()
            raise
        dispatcher.close()
        results = self._write()
        self._complain()
        return results

    def _finished_before(self) -> dict[str, Any] | None:
        """The results as they are written, if there is nothing to add to them.

        A finished run is left as it is, with its times.
        """
        try:
            written = load_results(self.directory.results)
        except UserError:
            return None
        summary = self._summary(generators=[str(one) for one in written.generators])
        known, now = (
            one.model_dump(mode="json", include=SETTLED) for one in (written, summary.results)
        )
        if known != now:
            return None
        return {**written.model_dump(mode="json"), "run": str(self.directory.path)}

    def _complain(self) -> None:
        """Raises an error if all candidates came to nothing, which is no matter of luck.

        Raises:
            EverythingFails: With what happened to the last one.
        """
        diverged = sum(one.verdict is Verdict.DIVERGED for one in self.study.outcomes.values())
        if not self.study.candidates or self.study.failed + diverged < self.study.candidates:
            return
        again = "then search again under another name="
        if self.study.failed:
            raise EverythingFails(
                f"all {self.study.candidates} candidates failed, the last with: "
                f"{self.study.failure}",
                where=str(self.directory.path),
                remedy=f"mend it, {again}",
            )
        raise EverythingFails(
            f"the training of all {diverged} candidates diverged",
            where=str(self.directory.path),
            remedy=f"lower training.learning_rate, {again}",
        )

    def _train(self) -> None:
        experiment = self.setting.experiment
        images = self.setting.dataset.images.nbytes
        address = experiment.ray_address
        gpus = gpu_share(self.setting.recipe, experiment.gpus_per_worker, self.workers, address)
        with cluster(self.workers, address, images, gpus=gpus > 0) as folder:
            self.setup += self.clock.session
            self._note()
            execute(self.dispatcher, self.setting, self.workers, folder, gpus=gpus)

    def _write(self) -> dict[str, Any]:
        summary = self._summary(generators=self.follower.finish())
        self._note()
        results = summary.write()
        headline = results.task.headline
        best = next((_best_of(network, headline) for network in results.networks), None)
        self._watch(force=True, stage="done", best=best)
        return {**results.model_dump(mode="json"), "run": str(self.directory.path)}

    def _summary(self, generators: Sequence[str]) -> Summary:
        return Summary(
            setting=self.setting,
            directory=self.directory,
            study=self.study,
            candidates=self.candidates,
            confirmation=self.confirmation,
            seconds=self._seconds(),
            generators=generators,
            command=self.command,
        )

    def _note(self) -> None:
        """Keeps the time used for another session, should this one end abruptly."""
        self.study.remember(seconds=self.clock.used, setup=self.setup)
        self._noted = time.monotonic()

    def _seconds(self) -> dict[str, float]:
        """Time of the run over all its sessions.

        ``setup`` and ``total`` are by the clock; the trainings, ``pretraining`` (of both) and
        ``overhead`` (everything else after set-up) are seconds of workers.
        """
        spent: dict[str, float] = defaultdict(float)
        for entry in self.journal:
            spent[entry.phase] += entry.seconds
            spent["pretraining"] += entry.pretraining
        total = self.clock.used
        training = sum(spent.values())
        return {
            "setup": self.setup,
            "search_training": spent["search"],
            "confirm_training": spent["confirm"],
            "pretraining": spent["pretraining"],
            "overhead": max(0.0, (total - self.setup) * self.workers - training),
            "total": total,
            "workers": float(self.workers),
        }

    def _watch(
        self, *, force: bool = False, stage: str | None = None, best: Best | None = None
    ) -> None:
        now = time.monotonic()
        if not force and now - self._shown < 0.2:
            return
        self._shown = now
        if now - self._noted >= NOTED_EVERY:
            self._note()
        self._asked = max(self._asked, self.candidates.asked)
        outcomes = tuple(self.study.outcomes.values())
        refused = self.candidates.refused
        duplicates = refused.pop("duplicate", 0)
        confirming = bool(self.confirmation.finalists)
        units = [unit for one in self.confirmation.finalists for unit in one.units]
        self.watcher.update(
            Progress(
                stage="done" if stage else "confirm" if confirming else "search",
                asked=self._asked,
                refused=dict(refused),
                duplicates=duplicates,
                trained=sum(outcome.complete for outcome in outcomes),
                stopped=sum(not outcome.complete for outcome in outcomes),
                failed=self.study.failed,
                running=self.dispatcher.running,
                best=best or _best(outcomes, self.setting.dataset.task.headline),
                confirmed=sum(one.complete for one in self.confirmation.finalists),
                done=sum(len(one.results) for one in self.confirmation.finalists),
                total=len(units) if confirming else None,
                candidates=self.setting.experiment.budget.candidates,
                seconds=self.clock.used,
                seconds_left=self.clock.left,
            )
        )


def _best(outcomes: tuple[Outcome, ...], headline: Metric) -> Best | None:
    complete = [outcome for outcome in outcomes if outcome.complete]
    if not complete:
        return None
    first = max(complete, key=lambda one: (*_standing(one.verdict), *one.score))
    value = headline.shown(first.metrics[headline.name])
    shown = f"{headline.label} {value} on the search's folds"
    remark = _REMARKS.get(first.verdict, "")
    return Best(first.trial, first.metrics, first.performance or 0.0, remark, shown)


def _best_of(network: FoundNetwork, headline: Metric) -> Best:
    """The first network of the results, by its confirmed figure where there is one."""
    figure = network.confirmed or network.search
    where = "on the search's folds" if network.confirmed is None else "on all folds"
    shown = f"{headline.label} {headline.shown(figure.value(headline))} {where}" if figure else ""
    metrics = {"params": network.params, "macs": network.macs}
    remark = _REMARKS.get(network.verdict, "")
    return Best(network.trial, metrics, network.performance or 0.0, remark, shown)


def _standing(verdict: Verdict) -> tuple[bool, bool]:
    return verdict is Verdict.CONFIRMED, verdict.satisfied


_REMARKS = {
    Verdict.CONFIRMED: "confirmed",
    Verdict.REFUTED: "refuted when confirmed",
    Verdict.VIOLATED: "not feasible",
}


def _banner(setting: Setting, directory: RunDirectory) -> tuple[str, ...]:
    experiment = setting.experiment
    bounds = ", ".join(experiment.constraint.keys) or "no bounds"
    return (
        f"search {experiment.label}: constraint {experiment.constraint.name} ({bounds})",
        f"data: {setting.dataset.summary}",
        f"images: {setting.dataset.contents}",
        f"run directory: {directory.path}",
    )


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Keeps Optuna's own lines off the terminal for the duration."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
