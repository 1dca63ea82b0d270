from gensynth.execution.files import first_difference


def test_the_first_difference_is_named_by_its_dotted_key():
    assert first_difference({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}) == ("a.b", [1, 2], [1, 3])
    assert first_difference({"a": 1}, {"a": 1, "c": 2}) == ("c", None, 2)
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 1}}) is None
