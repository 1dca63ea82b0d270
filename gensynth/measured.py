"""Metrics of deployment: what is measured of a network's file in its runtime.

A name says the runtime, since runtimes disagree. How each is measured is said by
:mod:`gensynth.device.meters`, under the same name.
"""

from __future__ import annotations

from gensynth.registry import Registry
from gensynth.task import Metric, Task

MEASURED: Registry[Metric] = Registry("metric", "gensynth.metrics")
"""Metrics that need no training, by name; packages add theirs by entry points of this group."""

for _name, _label, _unit in (
    ("latency_ms.onnx_1thread", "median latency, ONNX Runtime, one thread", "ms"),
    ("memory.onnx", "memory of a session, ONNX Runtime", "bytes"),
    ("bytes.onnx", "ONNX file", "bytes"),
    ("bytes.int8", "ONNX file of eight bits", "bytes"),
):
    MEASURED.add(_name, Metric(name=_name, label=_label, unit=_unit, direction="minimize"))


def int8_metrics(task: Task) -> tuple[Metric, Metric]:
    """The headline of a network in eight bits, and what it loses by them: ``int8_drop``.

    Both need the whole protocol, so ``gensynth verify`` measures them and no search does.
    """
    headline = task.headline
    return (
        Metric(
            name=f"int8_{headline.name}",
            label=f"{headline.label} in eight bits",
            unit=headline.unit,
            low=headline.low,
            high=headline.high,
            direction=headline.direction,
        ),
        Metric(
            name="int8_drop",
            label=f"{headline.label} lost by eight bits",
            unit=headline.unit,
            low=-float("inf"),
            direction="minimize",
        ),
    )


def deployed(name: str, task: Task) -> Metric | None:
    """A metric of deployment by name; None if it is none."""
    if name in MEASURED:
        return MEASURED[name]
    return next((one for one in int8_metrics(task) if one.name == name), None)
