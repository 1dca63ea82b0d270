"""One session of a search in this process: real candidates, real trainings, no Ray."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from optuna.samplers import BaseSampler

from gensynth.execution import Clock, Dispatcher, Journal
from gensynth.search import Setting
from gensynth.search.candidates import Candidates
from gensynth.search.confirmation import Confirmation
from gensynth.search.forecast import Forecast
from gensynth.search.outcome import objectives_of
from gensynth.search.proposing import proposer
from gensynth.search.run_directory import RunDirectory
from gensynth.search.samplers import named_sampler
from gensynth.search.study import SearchStudy, open_study, sqlite_url
from gensynth.task import Classification
from gensynth.training import FoldResult
from tests.small_search import drive

OBJECTIVES = objectives_of(Classification())


class Session:
    """A session; another one in the same folder continues the search."""

    def __init__(
        self,
        setting: Setting,
        folder: Path,
        stack: ExitStack,
        *,
        limit: float | None = None,
        sampler: BaseSampler | None = None,
    ) -> None:
        folder.mkdir(exist_ok=True)
        asked = proposer(named_sampler(setting) if sampler is None else sampler)
        study = open_study(sqlite_url(folder / "study.db"), "small", asked.sampler, OBJECTIVES)
        self.study = SearchStudy(study, setting.experiment.constraint.keys, OBJECTIVES)
        stack.callback(self.study.close)
        journal = stack.enter_context(Journal(folder / "journal.jsonl"))
        follower = asked.follow(setting, self.study, RunDirectory(folder))
        forecast = Forecast(setting, self.study, journal, Clock(limit=limit), workers=1)
        begun = dict.fromkeys(entry.genome for entry in journal if entry.phase == "confirm")
        self.confirmation = Confirmation(
            setting, self.study, follower, forecast, begun=tuple(begun)
        )
        self.candidates = Candidates(setting, self.study, asked, follower, forecast)
        self.dispatcher = Dispatcher((self.candidates, self.confirmation), journal)
        self.setting = setting

    def run(self, folds: int | None = None, train: Callable[..., FoldResult] | None = None) -> int:
        trained = drive(self.dispatcher, self.setting, folds=folds, train=train)
        if self.dispatcher.error is not None:
            raise self.dispatcher.error
        return trained
