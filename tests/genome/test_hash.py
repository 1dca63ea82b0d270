import itertools
import operator
import time
from collections import defaultdict
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gensynth.errors import UserError
from gensynth.genome import Genome
from tests.strategies import generators, genomes

Written = dict[str, Any]

networkx: Any = pytest.importorskip("networkx")


def network(*nodes: Written, outputs: dict[str, str] | None = None, channels: int = 4) -> Genome:
    named = [{"id": f"n{at}", "inputs": ["input"], **node} for at, node in enumerate(nodes)]
    return Genome.parse(
        {
            "input": {"channels": channels, "height": 8, "width": 8},
            "nodes": named,
            "outputs": outputs or {"logits": named[-1]["id"]},
        }
    )


def rewritten(genome: Genome, rng: np.random.Generator) -> Genome:
    """The same network under other names, in another order, its sums in another order."""
    data = genome.model_dump(mode="json")
    names = {"input": "input"}
    for number, at in enumerate(rng.permutation(len(data["nodes"]))):
        names[data["nodes"][at]["id"]] = f"renamed_{number}"
    for node in data["nodes"]:
        node["id"] = names[node["id"]]
        node["inputs"] = [names[source] for source in node["inputs"]]
        if node["op"] == "add":
            rng.shuffle(node["inputs"])
    rng.shuffle(data["nodes"])
    data["outputs"] = {name: names[source] for name, source in data["outputs"].items()}
    data |= {"name": "another", "provenance": {"seed": 3}}
    return Genome.parse(data)


@given(genomes(nodes=24), generators())
@settings(deadline=None, max_examples=150)
def test_hash_ignores_names_listing_and_the_order_of_sums(genome, rng):
    other = rewritten(genome, rng)
    assert other.hash == genome.hash
    assert other.same_network(genome)


def tiny_genome(rng: np.random.Generator) -> Genome:
    """A random graph over so few kinds of nodes that twins are common."""
    nodes: list[Written] = []
    for at in range(rng.integers(3, 8)):
        known = ["input", *(node["id"] for node in nodes)]
        op = str(rng.choice(["relu", "relu", "add", "concat"]))
        count = 1 if op == "relu" else int(rng.integers(2, 4))
        inputs = [str(name) for name in rng.choice(known[-4:], count)]
        nodes.append({"id": f"n{at}", "op": op, "inputs": inputs})
    # Channels grow with concat: convolutions to one width keep every shape equal.
    widened = []
    for node in nodes:
        if node["op"] == "concat":
            inner = f"{node['id']}c"
            widened.append({**node, "id": inner})
            node = {"id": node["id"], "op": "conv", "inputs": [inner]}
            node |= {"out_channels": 1, "kernel": 1}
        widened.append(node)
    used, kept = {nodes[-1]["id"]}, []
    for node in reversed(widened):
        if node["id"] in used:
            used.update(node["inputs"])
            kept.append(node)
    return Genome.parse(
        {
            "input": {"channels": 1, "height": 2, "width": 2},
            "nodes": kept,
            "outputs": {"y": nodes[-1]["id"]},
        }
    )


def as_networkx(genome: Genome) -> Any:
    graph = networkx.DiGraph()
    graph.add_node("input", kind="input")
    for node in genome.nodes:
        kind = (node.op, genome.shapes[node.id], node.id in genome.outputs.values())
        graph.add_node(node.id, kind=kind)
        ports = defaultdict(list)
        for port, source in enumerate(node.inputs):
            ports[source].append(-1 if node.op == "add" else port)
        for source, taken in ports.items():
            graph.add_edge(source, node.id, ports=tuple(sorted(taken)))
    return graph


def isomorphic(one: Genome, other: Genome) -> bool:
    same = operator.eq
    graphs = as_networkx(one), as_networkx(other)
    return bool(networkx.is_isomorphic(*graphs, node_match=same, edge_match=same))


def test_equal_hashes_exactly_for_isomorphic_graphs():
    rng = np.random.default_rng(0)
    sample = [tiny_genome(rng) for _ in range(400)]
    by_hash = defaultdict(list)
    for genome in sample:
        by_hash[genome.hash].append(genome)
    groups = list(by_hash.values())
    assert 50 < len(groups) < 350
    for group in groups:
        assert all(isomorphic(group[0], other) for other in group[1:])
    by_size = defaultdict(list)
    for group in groups:
        by_size[len(group[0].nodes)].append(group[0])
    pairs = [pair for same in by_size.values() for pair in itertools.combinations(same, 2)]
    assert len(pairs) > 1000
    assert not any(isomorphic(one, other) for one, other in pairs)


CONV: Written = {"op": "conv", "out_channels": 4, "kernel": 3, "padding": 1}
SQUEEZE: Written = {"op": "squeeze_excite", "channels": 2}


@pytest.mark.parametrize(
    ("node", "change"),
    [
        (CONV, {"out_channels": 8}),
        (CONV, {"kernel": 1, "padding": 0}),
        (CONV, {"kernel": [3, 1], "padding": [1, 0]}),
        (CONV, {"stride": 2}),
        (CONV, {"stride": [1, 2]}),
        (CONV, {"padding": 0}),
        (CONV, {"groups": 2}),
        (CONV, {"dilation": 2, "padding": 2}),
        (CONV, {"bias": False}),
        (SQUEEZE, {"channels": 3}),
        (SQUEEZE, {"activation": "silu"}),
        (SQUEEZE, {"gate": "hard_sigmoid"}),
        ({"op": "relu"}, {"op": "relu6"}),
        ({"op": "dropout", "rate": 0.1}, {"rate": 0.2}),
        ({"op": "max_pool", "kernel": 2}, {"op": "avg_pool"}),
        ({"op": "max_pool", "kernel": 2}, {"kernel": 3, "padding": "same"}),
    ],
)
def test_hash_differs_when_an_attribute_does(node, change):
    assert network(node).hash != network({**node, **change}).hash


def test_hash_differs_by_linear_width_and_bias():
    head: list[Written] = [{"op": "flatten"}, {"op": "linear", "inputs": ["n0"], "out_features": 3}]
    hashes = {
        network(head[0], {**head[1], **change}).hash
        for change in ({}, {"out_features": 4}, {"bias": False})
    }
    assert len(hashes) == 3


def test_hash_differs_by_image_and_by_output_name():
    relu = {"op": "relu"}
    hashes = [
        network(relu).hash,
        network(relu, channels=3).hash,
        network(relu, outputs={"valence": "n0"}).hash,
    ]
    assert len(set(hashes)) == 3


def test_padding_is_compared_by_what_it_does():
    assert network(CONV).hash == network({**CONV, "padding": "same"}).hash
    assert network(CONV).hash == network({**CONV, "padding": [1, 1]}).hash
    assert (
        network({**CONV, "stride": 2}).hash
        != network({**CONV, "stride": 2, "padding": "same"}).hash
    )


def test_one_layer_read_twice_is_not_two_layers():
    shared = network(CONV, {"op": "add", "inputs": ["n0", "n0"]})
    separate = network(CONV, CONV, {"op": "add", "inputs": ["n0", "n1"]})
    assert shared.hash != separate.hash


def test_concat_is_ordered_and_add_is_not():
    def merged(op: str, *inputs: str) -> str:
        return network(CONV, {"op": "relu"}, {"op": op, "inputs": list(inputs)}).hash

    assert merged("add", "n0", "n1") == merged("add", "n1", "n0")
    assert merged("concat", "n0", "n1") != merged("concat", "n1", "n0")


def test_outputs_swapped_between_different_nodes_differ():
    nodes = [CONV, {"op": "relu", "inputs": ["n0"]}]
    one = network(*nodes, outputs={"a": "n0", "b": "n1"})
    other = network(*nodes, outputs={"a": "n1", "b": "n0"})
    assert one.hash != other.hash


def cycles(*lengths: int, order: np.ndarray | None = None) -> Genome:
    """Equal convolutions in rings, each summed with the next: only the rings' lengths differ."""
    total = sum(lengths)
    names = [f"n{at}" for at in (range(total) if order is None else order)]
    sums: list[Written] = []
    start = 0
    for length in lengths:
        ring = names[start : start + length]
        sums += [
            {"op": "add", "inputs": [ring[at], ring[(at + 1) % length]]} for at in range(length)
        ]
        start += length
    acts = [{"op": "relu", "inputs": [f"n{total + at}"]} for at in range(total)]
    final = {"op": "add", "inputs": [f"n{2 * total + at}" for at in range(total)]}
    return network(*[CONV] * total, *sums, *acts, final)


def test_graphs_that_colour_refinement_cannot_tell_apart_differ():
    hashes = {
        cycles(6).hash,
        cycles(3, 3).hash,
        cycles(8).hash,
        cycles(4, 4).hash,
        cycles(5, 3).hash,
    }
    assert len(hashes) == 5
    shuffled = np.random.default_rng(1).permutation(8)
    assert cycles(5, 3, order=shuffled).hash == cycles(5, 3).hash == cycles(3, 5).hash


def branches(count: int, length: int = 3) -> Genome:
    nodes: list[Written] = []
    for branch in range(count):
        for layer in range(length):
            source = f"n{branch * length + layer - 1}" if layer else "input"
            nodes.append({**CONV, "inputs": [source]})
    ends = [f"n{(branch + 1) * length - 1}" for branch in range(count)]
    return network(*nodes, {"op": "add", "inputs": ends})


def test_many_equal_branches_are_hashed():
    genome = branches(24)
    assert rewritten(genome, np.random.default_rng(0)).hash == genome.hash
    assert branches(24).hash != branches(23).hash


def test_too_many_equal_branches_are_refused_in_one_line():
    with pytest.raises(UserError, match="too symmetric"):
        _ = branches(300, length=1).hash


@pytest.mark.slow
@pytest.mark.parametrize(("sources", "sums"), [(100, 100), (300, 100), (20, 1000)])
def test_a_dense_graph_of_equal_nodes_takes_seconds_at_most(sources: int, sums: int):
    """100 activations each read by 100 sums took a minute."""
    nodes: list[Written] = [
        {"id": f"a{at}", "op": "relu", "inputs": ["input"]} for at in range(sources)
    ]
    read = [node["id"] for node in nodes]
    nodes += [{"id": f"s{at}", "op": "add", "inputs": read} for at in range(sums)]
    last: Written = {"id": "out", "op": "concat", "inputs": [f"s{at}" for at in range(sums)]}
    genome = Genome.parse(
        {
            "input": {"channels": 1, "height": 4, "width": 4},
            "nodes": [*nodes, last],
            "outputs": {"y": "out"},
        }
    )
    began = time.process_time()
    with suppress(UserError):  # too symmetric
        _ = genome.hash
    assert time.process_time() - began < 20
