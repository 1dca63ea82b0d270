"""What the dashboard says in words: one note a trial, one for the study."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping

from gensynth import genome as genomes
from gensynth.export import Run
from gensynth.genome import Genome
from gensynth.indicator import Indicator
from gensynth.report.candidates import Candidate, Outcome, front
from gensynth.report.front import Front
from gensynth.report.published import PUBLISHED, SOURCE

SYNTHETIC = (
    "> **SYNTHETIC DATA**: the faces are drawn. Accuracies say nothing about CK+ or about people."
)

_VERDICTS: Mapping[Outcome, str] = {
    "feasible": "satisfies the constraint at search fidelity",
    "infeasible": "violates the constraint",
    "stopped": "stopped early; its accuracy is of fewer folds or epochs than the others'",
}


def trial_note(run: Run, candidate: Candidate, genome: Genome | None, picture: str | None) -> str:
    """The note of one trained trial, in Markdown.

    Args:
        run: The run.
        candidate: The trial's network as the search saw it.
        genome: The network itself, where it could be built.
        picture: Path of its drawing on the dashboard's server.
    """
    parts = [f"## Trial {candidate.trial}: {_VERDICTS[candidate.outcome]}"]
    if run.synthetic:
        parts.append(SYNTHETIC)
    if picture:
        parts.append(f"![drawing of the network]({picture})")
    parts += [
        _metrics(candidate),
        _bounds(run.searched, candidate),
        f"Genome `{candidate.hash}`. To export it:",
        f"```\ngensynth export {run.path} --trial {candidate.trial} -o trial-{candidate.trial}.json"
        "\n```",
    ]
    if genome:
        parts.append(f"```json\n{_wrapped(genomes.dumps(genome))}\n```")
    return "\n\n".join(part for part in parts if part)


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


def study_note(run: Run, shown: Front, study_id: int) -> str:
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
        "Search accuracies chose the networks and are optimistic; confirmed ones come from fresh "
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


def _front_table(shown: Front, study_id: int) -> str:
    best = front(shown.found)
    if not best:
        return "No trained network satisfies the constraint yet."
    confirmed = {one.trial: one.confirmed for one in shown.confirmed}
    lines = [
        f"## Feasible front: {len(best)} networks",
        "",
        "| trial | parameters | MACs | search accuracy | confirmed | U (dB) |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in best:
        figure = confirmed.get(one.trial)
        found = f"{100 * figure.accuracy:.1f} %" if figure else ""
        if figure and figure.interval:
            found += f" [{100 * figure.interval[0]:.1f}, {100 * figure.interval[1]:.1f}]"
        score = f"{one.performance:.1f}" if one.performance is not None else ""
        link = f"/dashboard/studies/{study_id}/trials?numbers={one.trial}"
        macs = f"{one.metrics.get('macs', 0) / 1e6:.1f} M"
        lines.append(
            f"| [{one.trial}]({link}) | {one.params:,.0f} | {macs} "
            f"| {100 * (one.accuracy or 0):.1f} % | {found} | {score} |"
        )
    return "\n".join(lines)


def _metrics(candidate: Candidate) -> str:
    lines = ["| metric | value |", "| :--- | ---: |"]
    for name, value in candidate.metrics.items():
        lines.append(f"| {name} | {_number(value)} |")
    if candidate.performance is not None:
        lines.append(f"| U | {candidate.performance:.2f} dB |")
    lines.append(f"| share of the search's full training | {100 * candidate.fidelity:.0f} % |")
    return "\n".join(lines)


def _bounds(constraint: Indicator, candidate: Candidate) -> str:
    lines = ["| bound | value | violation | |", "| :--- | ---: | ---: | :--- |"]
    for key in constraint.keys:
        metric, _, end = key.rpartition(".")
        sign = "≥" if end == "min" else "≤"
        limit = getattr(constraint.bounds[metric], end)
        value, violation = candidate.metrics.get(metric), candidate.violations.get(key)
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
