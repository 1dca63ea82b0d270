"""Synthetic faces: people, expressions and pictures drawn from a seed."""

from gensynth.data.synthetic.faces import NUMBERS, SyntheticConfig, drawn_from, load_synthetic
from gensynth.data.synthetic.writers import write_ck48, write_ckplus

__all__ = [
    "NUMBERS",
    "SyntheticConfig",
    "drawn_from",
    "load_synthetic",
    "write_ck48",
    "write_ckplus",
]
