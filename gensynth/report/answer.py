"""The first screen of a report: what was found, why to believe it, what to do next."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from html import escape

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.report.words import grouped, interval_of, millions, shown
from gensynth.search.results import ConfirmedFigure, FoundNetwork, Results, best


def answer(run: Run) -> str:
    """The first screen as HTML."""
    results = run.results
    taken = best(results)
    parts = [_found(run, taken) if taken else _nothing(results)]
    if taken:
        parts.append(f"<h2>Why believe it</h2>{_why(results, taken)}")
    parts.append(f"<h2>What to do next</h2>{_next(run, taken)}")
    return "\n".join(parts)


def _found(run: Run, taken: FoundNetwork) -> str:
    """The best network beside the prototype that the search began with."""
    metric = run.results.task.headline
    figure = taken.confirmed or taken.search
    sizes = [f"{grouped(taken.params)} parameters", f"{millions(taken.macs)} MACs"]
    start = _prototype(run)
    if start is not None:
        before = cost(start)
        sizes = [
            _change(before.params, taken.params, "parameters"),
            _change(before.macs, taken.macs, "MACs", millions),
        ]
    value = ""
    if figure is not None:
        value = f", {escape(metric.label)} <strong>{shown(metric, figure)}</strong>"
    if taken.confirmed is not None:
        value += f"{interval_of(metric, taken.confirmed)}, {_met(run.results, taken.confirmed)}"
    return (
        f'<p class="answer">Best network: <a href="#trial-{taken.trial}">trial {taken.trial}</a> '
        f"({taken.verdict.words}): {', '.join(sizes)}{value}.</p>"
    )


def _prototype(run: Run) -> Genome | None:
    """φ as the search began with it; None where it cannot be built any more."""
    try:
        return run.prototype()
    except UserError:
        return None


def _change(before: float, now: float, unit: str, show: Callable[[float], str] = grouped) -> str:
    share = round(100 * (now / before - 1)) if before else 0
    sign = "−" if share < 0 else "+"
    return f"{show(before)} → {show(now)} {unit} ({sign}{abs(share)} %)"


def _met(results: Results, figure: ConfirmedFigure) -> str:
    """Whether the bound on the headline metric is met by the whole interval."""
    metric = results.task.headline
    bound = results.constraint.bounds.get(metric.name)
    end = "min" if metric.direction == "maximize" else "max"
    limit = getattr(bound, end, None)
    if limit is None:
        return "on which there is no bound"
    asked = f"a bound of {metric.shown(limit)}"
    if figure.interval is None:
        return f"against {asked}"
    low, high = figure.interval
    surely = low >= limit if end == "min" else high <= limit
    how = "by the whole interval" if surely else "by the estimate, not by the whole interval"
    return f"against {asked}: met {how}"


def _nothing(results: Results) -> str:
    """Why no network satisfies 1_r, and how near the nearest came."""
    words = f"No network satisfies {escape(results.constraint.name)}."
    near = max(results.networks, key=_nearness, default=None)
    if near is not None:
        broken = {name: value for name, value in near.violations.items() if value > 0}
        if broken:
            worst = max(broken, key=lambda name: broken[name])
            words += (
                f' Nearest: <a href="#trial-{near.trial}">trial {near.trial}</a>, which breaks '
                f"<code>{escape(worst)}</code> by {100 * broken[worst]:.1f} %."
            )
    return f'<p class="answer">{words}</p>'


def _nearness(network: FoundNetwork) -> float:
    return -sum(max(value, 0.0) for value in network.violations.values())


def _why(results: Results, taken: FoundNetwork) -> str:
    """What the figure rests on."""
    figure = taken.confirmed
    if figure is None:
        return (
            "<p>Not yet: it was not confirmed. The search chose it by the figure that is shown, "
            "so the figure is too good.</p>"
        )
    apart = "the folds that the search did not see"
    words = (
        f"It was trained again with {len(figure.seeds)} training seed"
        f"{'' if len(figure.seeds) == 1 else 's'} that the search never used, on all folds, "
        f"and tested on {grouped(figure.images)} images. In brackets: "
        f"{escape(results.task.interval_by)}."
    )
    if figure.unseen is not None:
        metric = results.task.headline
        words += f" On {apart}: {shown(metric, figure.unseen)}"
        words += f"{interval_of(metric, figure.unseen)}."
    return f"<p>{words}</p>"


def _next(run: Run, taken: FoundNetwork | None) -> str:
    """Commands to copy, each with what it is for."""
    results, path = run.results, shlex.quote(str(run.path))
    longer = f"{results.command} {_more(run)}"
    lines: Sequence[tuple[str, str]]
    if taken is None:
        lines = (
            ("go on searching", longer),
            ("ask for less", f"{results.command} name=looser constraint.bounds.…"),
        )
    else:
        lines = (
            ("be surer of it", f"gensynth evaluate {path} --seeds 5 -o {path}/evaluation"),
            ("keep it with weights", f"gensynth train {path} -o model"),
            ("take it to a device", "gensynth export model --format onnx -o network.onnx"),
            ("look at every candidate", f"gensynth dashboard {path}"),
            ("go on searching", longer),
        )
    rows = "".join(
        f"<dt>{escape(why)}</dt><dd><code>{escape(words)}</code></dd>" for why, words in lines
    )
    return f"<dl>{rows}</dl>"


def _more(run: Run) -> str:
    """The override that lets a finished search go on."""
    budget = dict(run.config.get("budget") or {})
    if budget.get("minutes"):
        return f"budget.minutes={2 * budget['minutes']:g}"
    return f"budget.candidates={2 * int(budget.get('candidates') or 20)}"


def asked_and_used(run: Run) -> str:
    """The time that was asked for and the time that was used."""
    minutes = dict(run.config.get("budget") or {}).get("minutes")
    used = run.results.seconds.get("total")
    if used is None:
        return ""
    asked = f" of {minutes:g} asked for" if minutes else ""
    return f"{used / 60:.1f} minutes{asked}"
