"""How a search goes about it: every number of the sampler that a person may want to change.

Where a default was measured, ``docs/`` has the figure. All others were set once, by judgement or by
the custom of the field, and never tuned on a problem; they are the same for every table there.
Numbers that only guard an algorithm (tolerances, sizes of caches) stand in the file that uses them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of :class:`gensynth.generator.GenerativeSynthesisSampler`.

    The whole:

    Attributes:
        startup: Finished trials before θ moves and the inquisitor is asked. Measured against 8:
            less regret after 8, 12 and 20 trials, level after 40.
        ranked: Whether the inquisitor chooses among candidates. Without it they come straight from
            G(s; θ), which still learns: θ's share of a search by itself.
        leaning: In a study of several objectives that is also told U, the share of proposals that
            look for a part of the front instead of the greatest U.
        together: Objectives that one proposal looks at; of more, each proposal draws so many. The
            boxes of a front of n points grow as n^(objectives/2).
        max_refusals: Refused draws after which an ask gives up.
        contests: How often an ask gives way to another process that wants the same network.

    θ, the generator's distributions:

    Attributes:
        noise: Probability with which G₀ departs from a decision of the prototype.
        step_limit: Greatest change of a decision's distribution in one update, in nats; 0 freezes
            θ.
        entropy_floor: Least entropy of a decision's distribution, as a share of the greatest.
        inertia: Votes that the distribution before an update counts for.
        period: Trials between two updates at first.
        growth: Later an update comes when the trials have grown by one part in so many, so that
            the number of updates grows with the logarithm of the trials.
        elites: Share of the ranked networks that vote.
        fewest_elites: Networks that vote at least; half of them have a weight above 0.
        probes: Fresh samples of G(s; θ) that are ranked beside the trained networks.

    What the inquisitor learns from:

    Attributes:
        most: Trials that predictions rest on: the best half as many, and the latest. Conditioning
            costs O(most³). Measured, docs.
        few: Trials that hyperparameters and θ are fitted to, chosen alike.
        recondition: The process is conditioned anew when trials have grown by one part in so many.
        refit: Its hyperparameters are fitted anew when trials have grown by one part in so many.

    Candidates of one ask:

    Attributes:
        pool: Candidates drawn from θ and around the best, at most. Three times as many did not help
            (docs).
        effort: Decisions that these candidates have together, at most, so that an ask takes as long
            in a space of many decisions.
        smallest: Candidates at least, however many decisions they have.
        rounds: Rounds in which as many more, in all, are drawn around the leading candidates.
        incumbents: Best trained networks, and leading candidates, that are varied. 16 or 24 did not
            help (docs).
        local: Share of candidates that vary an incumbent; the others are drawn from θ.
        crossed: Share of variations that mix two networks first.
        near: Standard deviation of a number's move, as a share of its range, before it is
            multiplied by a uniform number: small moves are as likely as large ones.
        cheapest: With a price, one part in so many of the draws before ``startup``, the cheapest,
            is chosen from. Measured, docs.
        patience: Draws for each candidate wanted, before fewer will do.
        lost: Share of ``max_refusals`` without one admissible draw after which draws come from the
            whole space. Measured, docs.
        scarce: Share of admissible draws below which refused networks are mended: a draw is a
            variation of the last refused one, which it replaces if it violates no more.
    """

    startup: int = 4
    ranked: bool = True
    leaning: float = 0.5
    together: int = 3
    max_refusals: int = 10_000
    contests: int = 8

    noise: float = 0.25
    step_limit: float = 0.25
    entropy_floor: float = 0.1
    inertia: float = 1.0
    period: int = 4
    growth: int = 5
    elites: float = 0.25
    fewest_elites: int = 8
    probes: int = 32

    most: int = 300
    few: int = 120
    recondition: int = 50
    refit: int = 10

    pool: int = 48
    effort: int = 1_000
    smallest: int = 16
    rounds: int = 4
    incumbents: int = 6
    local: float = 0.5
    crossed: float = 0.2
    near: float = 0.1
    cheapest: int = 8
    patience: int = 4
    lost: float = 0.1
    scarce: float = 0.125


DEFAULTS = Settings()
