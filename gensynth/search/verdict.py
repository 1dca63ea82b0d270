"""One verdict a network: what the whole package says of whether it satisfies 1_r."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """Whether a network satisfies 1_r, by the strongest evidence that there is.

    A confirmation outweighs the search, which chose by the figures that it judges.
    """

    CONFIRMED = "confirmed"
    SEARCHED = "searched"
    REFUTED = "refuted"
    VIOLATED = "violated"
    STOPPED = "stopped"
    DIVERGED = "diverged"

    @property
    def satisfied(self) -> bool:
        """Whether it satisfies 1_r as far as is known."""
        return self in (Verdict.CONFIRMED, Verdict.SEARCHED)

    @property
    def words(self) -> str:
        """The verdict as a phrase about the network and its constraint."""
        return _WORDS[self]


_WORDS = {
    Verdict.CONFIRMED: "satisfied when confirmed",
    Verdict.SEARCHED: "satisfied in the search only",
    Verdict.REFUTED: "refuted when confirmed",
    Verdict.VIOLATED: "violates the constraint",
    Verdict.STOPPED: "stopped early",
    Verdict.DIVERGED: "diverged",
}
