"""What the dashboard says in words: one note a trial, one for the study."""

from __future__ import annotations

import json
import textwrap

from gensynth import genome as genomes
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.report.front import FrontFigure
from gensynth.search.outcome import Outcome, front, objectives_of
from gensynth.task.published import PUBLISHED, SOURCE

SYNTHETIC = (
    "> **SYNTHETIC DATA**: the faces are drawn. Figures say nothing about CK+ or about people."
)


def trial_note(run: Run, outcome: Outcome, genome: Genome | None, picture: str | None) -> str:
    """The note of one trained trial, in Markdown.

    Args:
        run: The run.
        outcome: The trial's network as the search saw it.
        genome: The network itself, where it could be built.
        picture: Path of its drawing on the dashboard's server.
    """
    parts = [heading(outcome)]
    if run.synthetic:
        parts.append(SYNTHETIC)
    if picture:
        parts.append(f"![drawing of the network]({picture})")
    parts += [
        _metrics(outcome),
        _bounds(run.searched, outcome),
        f"Genome `{outcome.genome}`. To export it:",
        f"```\ngensynth export {run.path} --trial {outcome.trial} -o trial-{outcome.trial}.json"
        "\n```",
    ]
    if genome:
        parts.append(f"```json\n{_wrapped(genomes.dumps(genome))}\n```")
    return "\n\n".join(part for part in parts if part)


def heading(outcome: Outcome) -> str:
    """The first line of a trial's note: the verdict on it."""
    unequal = "; its figures are of fewer folds or epochs than the others'"
    return f"## Trial {outcome.trial}: {outcome.verdict.words}{'' if outcome.complete else unequal}"


def _wrapped(text: str, width: int = 100) -> str:
    """JSON with long lines broken between words, for the dashboard's note is not wide.

    A text that would not survive it, because a string in it has a long run of words, stays whole.
    """
    lines = [
        line
        for long in text.splitlines()
        for line in textwrap.wrap(
            long, width, subsequent_indent=" " * 8, break_long_words=False, break_on_hyphens=False
        )
    ]
    wrapped = "\n".join(lines)
    try:
        return wrapped if json.loads(wrapped) == json.loads(text) else text
    except json.JSONDecodeError:
        return text


def study_note(run: Run, shown: FrontFigure, study_id: int) -> str:
    """The note of the study, in Markdown: what was asked and the feasible front.

    Args:
        run: The run.
        shown: Its front.
        study_id: Id of the study in the dashboard, for links to trials.
    """
    parts = [f"# {run.name}"]
    if shown.synthetic:
        parts.append(SYNTHETIC)
    parts.append(f"Constraint `{shown.constraint.name}`: {_in_words(shown.constraint)}.")
    if run.searched != run.constraint:
        parts.append(f"Candidates are asked for: {_in_words(run.searched)}.")
    parts.append(_front_table(shown, study_id))
    parts.append(
        "Figures of the search chose the networks and are optimistic; confirmed ones come of fresh "
        "training seeds on all folds. In Optuna's own figures a grey point is an infeasible trial."
    )
    if shown.published:
        known = ", ".join(
            f"{one.name} {one.params:,} parameters, {one.percent:.1f} %" for one in PUBLISHED
        )
        parts.append(f"Published, not measured here: {known} ({SOURCE}).")
    if run.finished:
        counts = run.results.counts
        refused = ", ".join(f"{name} {number}" for name, number in counts.refused.items())
        parts.append(
            f"Trained to the end {counts.trained}, stopped early {counts.stopped}, failed "
            f"{counts.failed}; refused untrained: {refused or 'none'}; duplicates "
            f"{counts.duplicates}."
        )
    return "\n\n".join(parts) + "\n"


def _front_table(shown: FrontFigure, study_id: int) -> str:
    found = front(shown.found, objectives_of(shown.task))
    best = sorted(found, key=lambda one: one.metrics["params"])
    if not best:
        return "No trained network satisfies the constraint yet."
    metric = shown.metric
    confirmed = {one.trial: one.confirmed for one in shown.confirmed}
    lines = [
        f"## Feasible front: {len(best)} networks",
        "",
        f"| trial | parameters | MACs | {metric.label}, search | confirmed | U (dB) |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in best:
        figure = confirmed.get(one.trial)
        value = metric.shown(figure.value(metric), gap=" ") if figure else ""
        if figure and figure.interval:
            value += f" [{metric.spanned(figure.interval)}]"
        score = f"{one.performance:.1f}" if one.performance is not None else ""
        link = f"/dashboard/studies/{study_id}/trials?numbers={one.trial}"
        macs = f"{one.metrics.get('macs', 0) / 1e6:.1f} M"
        lines.append(
            f"| [{one.trial}]({link}) | {one.metrics['params']:,.0f} | {macs} "
            f"| {metric.shown(one.metrics[metric.name], gap=' ')} | {value} | {score} |"
        )
    return "\n".join(lines)


def _metrics(outcome: Outcome) -> str:
    lines = ["| metric | value |", "| :--- | ---: |"]
    for name, value in outcome.metrics.items():
        lines.append(f"| {name} | {_number(value)} |")
    if outcome.performance is not None:
        lines.append(f"| U | {outcome.performance:.2f} dB |")
    lines.append(f"| share of the search's full training | {100 * outcome.fidelity:.0f} % |")
    return "\n".join(lines)


def _bounds(constraint: Indicator, outcome: Outcome) -> str:
    lines = ["| bound | value | violation | |", "| :--- | ---: | ---: | :--- |"]
    for key in constraint.keys:
        metric, _, end = key.rpartition(".")
        sign = "≥" if end == "min" else "≤"
        limit = getattr(constraint.bounds[metric], end)
        value, violation = outcome.metrics.get(metric), outcome.violations.get(key)
        verdict = "not known" if violation is None else "violated" if violation > 0 else "satisfied"
        lines.append(
            f"| {metric} {sign} {_number(limit)} | {'' if value is None else _number(value)} "
            f"| {'' if violation is None else f'{violation:+.4f}'} | {verdict} |"
        )
    return "\n".join(lines)


def _in_words(constraint: Indicator) -> str:
    words = []
    for key in constraint.keys:
        metric, _, end = key.rpartition(".")
        limit = getattr(constraint.bounds[metric], end)
        words.append(f"{metric} {'≥' if end == 'min' else '≤'} {_number(limit)}")
    return ", ".join(words) or "no bounds"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 2 else f"{value:.4f}"
