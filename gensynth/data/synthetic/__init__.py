"""Synthetic faces: people, expressions and pictures drawn from a seed."""

from gensynth.data.synthetic.faces import SyntheticConfig, load_synthetic

__all__ = ["SyntheticConfig", "load_synthetic"]
