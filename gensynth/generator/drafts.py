"""Drafts: what a generator draws and what lies near the best, screened exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gensynth.errors import UserError
from gensynth.generator.generator import Generator
from gensynth.generator.moves import drawing, varied
from gensynth.generator.screen import Draft, Screen, written
from gensynth.generator.settings import DEFAULTS, Settings
from gensynth.generator.tracing import Choose, Define, trace

DUPLICATE = "duplicate"
"""The reason under which repetitions are counted, beside the names of bounds."""
FIRST_LOOK = 16
"""Draws before the share of admissible ones is worth a look."""


class Unsatisfiable(UserError):
    """No admissible network was found within the bounded number of refusals."""


@dataclass
class Drafts:
    """Admissible networks of one ask.

    Args:
        screen: Static violations and identities.
        taken: Whether an identity was proposed before.
        settings: How many, from where, and when to give up.

    Attributes:
        admissible: Those that violate nothing and have decisions of their own.
        refused: Refusals by violated bound, and duplicates of earlier trials.
        draws: Networks drawn.
    """

    screen: Screen
    taken: Callable[[Hashable], bool] = lambda identity: False
    settings: Settings = DEFAULTS
    admissible: list[Draft] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    draws: int = 0
    _seen: set[Hashable] = field(default_factory=set)
    _mended: Draft | None = None

    def draw(self, define: Define[Any], choose: Choose) -> Draft:
        """Runs the space once and keeps what comes out if it is admissible."""
        draft = self.screen.draft(trace(define, choose))
        self.draws += 1
        violated = [name for name, value in draft.static.items() if not value <= 0]
        identity = written(draft.decisions)
        if violated:
            self.refused.update(violated)
        elif identity not in self._seen:
            self._seen.add(identity)
            if self.taken(identity):
                self.refused[DUPLICATE] += 1
            else:
                self.admissible.append(draft)
        return draft

    def gather(
        self,
        define: Define[Any],
        generator: Generator,
        incumbents: Sequence[Mapping[str, Any]],
        rng: np.random.Generator,
        *,
        size: int,
    ) -> None:
        """Draws until there are ``size`` admissible ones, or one and patience is at its end.

        Where nearly all is refused, refused networks are varied toward less violation. Where a
        tenth of the refusals allowed gave nothing, because the generator has learned to make what
        was proposed already, networks come from the whole space.

        Args:
            define: The space.
            generator: Where networks come from.
            incumbents: Decisions of networks worth varying, best first; may be empty.
            rng: Source of all chance.
            size: Drafts wanted.

        Raises:
            Unsatisfiable: If ``max_refusals`` draws gave none.
        """
        settings = self.settings
        end = self.draws + settings.patience * size
        lost = self.draws + int(settings.lost * settings.max_refusals)
        while len(self.admissible) < size:
            if self.draws >= end and self.admissible:
                return
            if self.draws >= settings.max_refusals and not self.admissible:
                raise self.unsatisfiable()
            if self.draws >= lost and not self.admissible:
                generator, incumbents = Generator(), []
                end, lost = self.draws + settings.patience * size, settings.max_refusals
            scarce = len(self.admissible) < settings.scarce * self.draws
            if scarce and self.draws >= FIRST_LOOK and self._mended is not None:
                self._mend(self._mended, define, generator, rng)
            elif incumbents and rng.random() < settings.local:
                self.draw(define, varied(generator, incumbents, rng, settings))
            else:
                drawn = self.draw(define, drawing(generator, int(rng.integers(2**63))))
                self._mended = drawn if drawn.excess > 0 else None

    def _mend(
        self, before: Draft, define: Define[Any], generator: Generator, rng: np.random.Generator
    ) -> None:
        drawn = self.draw(define, varied(generator, [before.decisions], rng, self.settings))
        if drawn.excess <= before.excess:
            self._mended = drawn if drawn.excess > 0 else None

    def refuse(self, draft: Draft) -> None:
        """Drops a draft that turned out to be a network of an earlier trial."""
        self.admissible.remove(draft)
        self.refused[DUPLICATE] += 1

    def unsatisfiable(self) -> Unsatisfiable:
        """The error that says what refuses which share of the draws."""
        if set(self.refused) <= {DUPLICATE}:
            return Unsatisfiable(
                f"all of {self.draws} networks drawn from the whole space were proposed before",
                where="search space",
                remedy="enlarge it, or stop here: nothing, or hardly anything, is left of it",
            )
        shares = ", ".join(
            f"{name} refuses {count / self.draws:.1%}" for name, count in self.refused.most_common()
        )
        return Unsatisfiable(
            f"none of {self.draws} networks drawn is admissible: {shares}",
            where="search space",
            remedy="loosen the bound that refuses most, or widen the search space",
        )
