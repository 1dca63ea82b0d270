from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gensynth.data import Dataset


def fields(**changed: Any) -> dict[str, Any]:
    return {
        "name": "faces",
        "images": np.zeros((3, 1, 8, 6), dtype=np.uint8),
        "labels": np.array([0, 2, 2], dtype=np.int64),
        "classes": ("a", "b", "c"),
        "subjects": np.array(["S1", "S1", "S2"]),
        "sequences": np.array(["S1_1", "S1_2", "S2_1"]),
        **changed,
    }


def test_what_a_dataset_says_of_itself():
    dataset = Dataset(**fields(synthetic=True))
    assert len(dataset) == 3
    assert dataset.image_shape == (1, 8, 6)
    assert dataset.class_counts == {"a": 1, "b": 0, "c": 2}
    assert dataset.summary == (
        "faces (synthetic faces): 3 images, 3 sequences, 2 subjects, 3 classes"
    )
    assert "synthetic" not in Dataset(**fields()).summary


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"images": np.zeros((3, 1, 8, 6), dtype=np.float32)}, "uint8"),
        ({"images": np.zeros((3, 8, 6), dtype=np.uint8)}, r"\(N, C, H, W\)"),
        ({"images": np.zeros((3, 6, 8, 1), dtype=np.uint8).transpose(0, 3, 2, 1)}, "contiguous"),
        ({"labels": np.array([0, 1], dtype=np.int64)}, "labels"),
        ({"labels": np.array([0, 1, 2], dtype=np.int32)}, "labels"),
        ({"labels": np.array([0, 1, 3], dtype=np.int64)}, "indices"),
        ({"labels": np.array([0, 1, -1], dtype=np.int64)}, "indices"),
        ({"sequences": np.array(["a"])}, "sequences"),
        ({"subjects": np.array(["a"])}, "subjects"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changed: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        Dataset(**fields(**changed))
