import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gensynth.dominance import dominates, nondominated

POINTS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[st.integers(0, 3)] * width), max_size=15)
)


def beats(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


@given(POINTS)
def test_what_is_marked_is_what_no_other_point_beats(points):
    marked = nondominated(points)
    assert marked.tolist() == [not any(beats(other, one) for other in points) for one in points]


@given(POINTS, st.randoms())
def test_the_order_of_the_points_does_not_matter(points, random):
    shuffled = random.sample(range(len(points)), len(points))
    marked = nondominated([points[index] for index in shuffled])
    assert marked.tolist() == nondominated(points)[shuffled].tolist()


@given(POINTS.filter(bool))
def test_every_other_point_is_dominated_by_a_marked_one(points):
    values = np.asarray(points)
    marked = nondominated(values)
    assert marked.any()
    for one in values[~marked]:
        assert dominates(values[marked], one).any()


def test_equal_points_stay_together_and_nan_compares_with_nothing():
    assert nondominated([(1, 2), (1, 2), (0, 2)]).tolist() == [True, True, False]
    assert nondominated([(float("nan"), 1.0), (2.0, 2.0)]).tolist() == [True, True]
    assert nondominated([]).tolist() == []
