"""Genomes as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gensynth.errors import UserError
from gensynth.genome.graph import Genome, GenomeError
from gensynth.reading import parse_json, read_text


def dumps(genome: Genome) -> str:
    """Writes a genome as JSON, one line a node, every default spelled out.

    JSON has no infinities and no NaN: in the provenance they become null.
    """
    data = genome.model_dump(mode="json")
    data["provenance"] = _finite(data["provenance"])
    heads = [{key: node[key] for key in ("id", "op", "inputs")} for node in data["nodes"]]
    nodes = ",\n    ".join(
        json.dumps(head | node) for head, node in zip(heads, data.pop("nodes"), strict=True)
    )
    rest = {key: json.dumps(value) for key, value in data.items()}
    lines = [f'  "{key}": {value}' for key, value in rest.items() if key not in _AFTER_NODES]
    lines.append(f'  "nodes": [\n    {nodes}\n  ]')
    lines += [f'  "{key}": {rest[key]}' for key in _AFTER_NODES]
    return "{\n" + ",\n".join(lines) + "\n}\n"


_AFTER_NODES = ("outputs", "provenance")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def loads(text: str, *, where: str = "genome") -> Genome:
    """Reads a genome from JSON.

    Args:
        text: The JSON.
        where: The file, for the error.

    Raises:
        GenomeError: One line that names the file, the key and what is wrong.
    """
    with _as_genome_error():
        data = parse_json(text, where=where, strict=True)
    return Genome.parse(data, where=where)


def load(path: str | Path) -> Genome:
    """Reads a genome file.

    Raises:
        GenomeError: If it is missing, larger than 16 MiB, or not a network.
    """
    with _as_genome_error():
        text = read_text(path)
    return loads(text, where=str(path))


@contextmanager
def _as_genome_error() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise GenomeError(error.problem, where=error.where, remedy=error.remedy) from error


def save(genome: Genome, path: str | Path) -> None:
    """Writes a genome file.

    Raises:
        UserError: If the file cannot be written.
    """
    try:
        Path(path).write_text(dumps(genome), encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(path)) from error


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a genome file, as in ``docs/reference/schemas/genome.json``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gensynth genome",
        **Genome.model_json_schema(),
    }
