import pytest

from gensynth.errors import UserError


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("budget={candidates: null, minutes: null}", "without a limit never ends"),
        ("fidelity.rungs=[{folds: 2, epochs: 2}, {folds: 1, epochs: 3}]", "rungs must rise"),
        ("fidelity.rungs=[]", "at least 1"),
        ("name='a/b'", "not a folder name"),
        ("budget.hours=3", "unknown key"),
        ("workers=0", "greater than or equal to 1"),
        ("fidelity.risk=0.7", "less than 0.5"),
    ],
)
def test_a_mistake_is_one_line(small, override, problem):
    with pytest.raises(UserError, match=problem) as caught:
        small(override)
    assert "\n" not in str(caught.value)


def test_a_name_is_made_of_the_choices(small):
    assert small("name=null").label == "nano_b-resnet14_slim-synthetic"
    assert small("name=mine").label == "mine"
