"""From what people write to a search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from gensynth.cost import cost
from gensynth.errors import UserError
from gensynth.genome import Genome
from gensynth.prototype import Prototype, expand
from gensynth.space.choosing import Space
from gensynth.space.decisions import checked, decode
from gensynth.space.residual import Residual
from gensynth.space.residual_config import ResidualConfig
from gensynth.validation import validate


class _Holder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    search_space: ResidualConfig


def check_ranges(
    search_space: Mapping[str, Any], *, locate: Callable[[str], str] | None = None
) -> ResidualConfig:
    """Checks what is written of a search space, without a prototype.

    Args:
        search_space: The space, as read from a file in ``search_spaces/``.
        locate: From a dotted key, ``search_space.width``, to what an error calls the place.

    Returns:
        The space's ranges.

    Raises:
        UserError: One line with the place: a wrong key or range.
    """
    return validate(_Holder, {"search_space": search_space}, where=locate or "").search_space


def load_space(
    search_space: Mapping[str, Any], prototype: Mapping[str, Any], classes: int | None = None
) -> Space:
    """Makes a search space around a prototype.

    Args:
        search_space: The space, as read from a file in ``search_spaces/``.
        prototype: φ, as read from a file in ``prototypes/``.
        classes: Classes to tell apart; φ's own number when None.

    Returns:
        The space; its ``start`` is φ.

    Raises:
        UserError: One line with the key: a wrong key or range, a prototype that is no point of the
            space, or whose decisions are not the network that it draws.
    """
    config = check_ranges(search_space)
    genome = expand(prototype, classes)
    written = Prototype.model_validate(prototype).decisions
    where = f"prototype {genome.name}: decisions.{config.kind}"
    if config.kind not in written:
        raise UserError(
            f"missing: the prototype is no known point of the search space {config.kind}",
            where=where,
            remedy="choose prototype=resnet20, or write the decisions that decode to it",
        )
    space = Residual(config, genome, {})
    space = Residual(config, genome, checked(space, written[config.kind], where=where))
    _check_same(decode(space, space.start), genome, where)
    return space


def _check_same(decoded: Genome, drawn: Genome, where: str) -> None:
    if decoded.same_network(drawn):
        return
    ours, theirs = cost(decoded), cost(drawn)
    raise UserError(
        f"they decode to another network ({ours.params:,} parameters, {ours.macs:,} MACs) than the "
        f"prototype's ({theirs.params:,}, {theirs.macs:,})",
        where=where,
        remedy="change one of them, or widen the search space",
    )
