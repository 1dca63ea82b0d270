"""Prototypes: the YAML in which a person writes a network, and its expansion into a genome.

A prototype is a chain. Each entry reads the one before it, unless it says otherwise::

    name: two_blocks
    input: [1, 48, 48]                  # channels, height, width
    classes: 7                          # $classes, unless the data set says otherwise
    modules:                            # templates, written once
      layer:
        parameters: {width, stride: 1}  # without a value: has to be given
        network:
          - {op: conv, out_channels: $width, kernel: 3, stride: $stride, bias: false}
          - {op: batch_norm}
          - {op: relu}
      block:
        parameters: {width}
        network:
          - {use: layer, width: $width}
          - {op: add, inputs: [layer, input]}
    network:
      - {id: stem, use: layer, width: 16}
      - {use: block, width: 16, repeat: 2}
      - {id: tail, use: layer, width: 16, inputs: [stem, block]}
      - {op: global_avg_pool}
      - {op: flatten}
      - {op: linear, out_features: $classes}

* ``op`` names an operation of the genome and takes its attributes; ``use`` names a template and
  takes its parameters. ``$name`` is a parameter's value. ``parameters`` of the prototype itself are
  known everywhere. ``$channels`` is how many channels the entry reads. Numbers may be multiplied
  and divided, ``$expansion * $channels / 4``: the result is rounded to a whole number, at least 1.
* ``id`` names an entry; without one it is called after its op or template, from the second on with
  a number (``conv``, ``conv2``). ``input`` is what the chain is given. An id is known to the later
  entries of its own chain.
* ``inputs`` is an id, or a list whose sum is read; ``add`` and ``concat`` take the list itself.
  Sums of the same terms are computed once.
* ``repeat`` puts an entry several times in a row; its id then stands for the last. ``then`` is what
  the copies after the first have otherwise (``stride: 2, repeat: 3, then: {stride: 1}``).
* ``when: false`` leaves an entry out, and ``when: fits`` leaves an operation out where the shapes
  that it reads do not fit, as a residual sum where a block changes the width. The id then stands
  for what the entry would have read, the first of several.
* A convolution's padding is half its kernel unless it says otherwise; everything else defaults as
  in the genome. ``kernel: map`` is the whole map that is read, without padding: such a convolution
  is a dense layer that a ``batch_norm`` can follow.
* ``classes`` may hold several heads by name, ``{expression: 8, affect: 2}``, and does where a task
  has several: the first entry that reads ``$classes``, and all that follow it, are then there once
  for each head, which is an output of that name.
* ``outputs`` maps output names to ids; without it the last entry is the output ``logits``.
* ``decisions`` holds, for each search space that needs them, the point that decodes to the
  prototype. Expansion leaves it alone.

**What varies.** Any value may be a mapping that says what else it could be, for a search of the
space ``open`` (:class:`gensynth.space.Open`); expansion takes its ``start``::

    kernel: {start: 3, choices: [3, 5, 7]}
    width: {start: 16, low: 8, high: 64, step: 8}       # or log: true
    repeat: {start: 2, low: 1, high: 4}
    when: {start: false, choices: [true, false]}        # an entry that may be left out
    inputs: {start: [stem, block], any_of: [stem, block, tail]}  # any of these, at least one

Each such value is a decision of its own, called after its place: ``stem.width``, ``block.repeat``.
A template's are decided for each use: ``block.layer.width``, ``block-2.layer.width`` in a second
copy, where copies are numbered if there are several or ``repeat`` varies. To share a decision, mark
a parameter. Of varying ``inputs`` those are read that fit the last one chosen; what nothing reads
is left out of the network.
"""

from gensynth.prototype.document import Classes, Prototype, Template
from gensynth.prototype.expansion import OUTPUT, WHOLE_MAP, Blueprint, expand, load
from gensynth.prototype.marks import Choose, Mark, Value, read_mark

__all__ = [
    "OUTPUT",
    "WHOLE_MAP",
    "Blueprint",
    "Choose",
    "Classes",
    "Mark",
    "Prototype",
    "Template",
    "Value",
    "expand",
    "load",
    "read_mark",
]
