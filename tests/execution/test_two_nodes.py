"""A search on a Ray cluster of two nodes, real processes, one of which is killed in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from gensynth.execution import Progress
from gensynth.execution.journal import read
from gensynth.search import search

NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 200 * 2**20}


@pytest.fixture
def nodes() -> Iterator[Cluster]:
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    cluster.add_node(**NODE)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


class Killing:
    """Kills a node once some folds are trained."""

    def __init__(self, cluster: Cluster, journal: Path) -> None:
        self.cluster, self.journal, self.killed = cluster, journal, False

    def banner(self, lines: tuple[str, ...]) -> None:
        """Nothing to see."""

    def update(self, progress: Progress) -> None:
        if not self.killed and len(read(self.journal)) >= 2:
            self.killed = True
            (node,) = self.cluster.worker_nodes
            self.cluster.remove_node(node, allow_graceful=False)


@pytest.mark.slow
def test_a_node_that_is_killed_costs_its_folds_only(small, nodes: Cluster):
    experiment = small(f"ray_address={nodes.address}", "workers=2", "budget.candidates=4")
    journal = Path(experiment.runs) / "small" / "journal.jsonl"
    watcher = Killing(nodes, journal)
    results = search(experiment, watcher=watcher)
    assert watcher.killed
    assert len(nodes.worker_nodes) == 0
    counts = results["counts"]
    assert counts["trained"] + counts["stopped"] == 4
    assert counts["failed"] == 0
    entries = read(journal)
    assert len({(entry.genome, entry.unit) for entry in entries}) == len(entries)
    assert any(one["confirmed"] for one in results["networks"])
