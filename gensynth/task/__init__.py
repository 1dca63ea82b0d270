"""What a network is asked, and how it is judged.

A :class:`Task` owns everything that differs from one question to another: how many values a network
gives, its targets, its loss, what is kept of its answers, its metrics with their units, ranges and
directions, when a bound on one is out of reach, the intervals, and how all of it is shown. Nothing
outside of this room names a metric. :class:`Classification` and :class:`Regression` are tasks of
one head, :class:`Combined` has several.
"""

from gensynth.task.agreement import AGREEMENTS, Agreement
from gensynth.task.answers import Answers, Labelled, Truth
from gensynth.task.base import TASKS, AnyTask, Evaluation, Objective, Task
from gensynth.task.classification import Classification, ClassObjective
from gensynth.task.combined import Combined
from gensynth.task.intervals import bootstrap, wilson
from gensynth.task.metric import Metric
from gensynth.task.readout import Readout
from gensynth.task.regression import Regression

__all__ = [
    "AGREEMENTS",
    "TASKS",
    "Agreement",
    "Answers",
    "AnyTask",
    "ClassObjective",
    "Classification",
    "Combined",
    "Evaluation",
    "Labelled",
    "Metric",
    "Objective",
    "Readout",
    "Regression",
    "Task",
    "Truth",
    "bootstrap",
    "wilson",
]
