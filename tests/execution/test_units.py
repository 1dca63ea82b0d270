from hypothesis import given
from hypothesis import strategies as st

from gensynth.execution.units import (
    Rung,
    Unit,
    base_seed,
    cross_validation,
    full_epochs,
    ladder,
    shared_out,
)

rung_lists = (
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any), min_size=1, max_size=4)
).map(
    lambda steps: [
        Rung(folds=1 + sum(s[0] for s in steps[:n]), epochs=1 + sum(s[1] for s in steps[:n]))
        for n in range(1, len(steps) + 1)
    ]
)


@given(rung_lists, st.integers(0, 2**40))
def test_a_ladder_trains_every_unit_of_every_rung_once(rungs, seed):
    steps = ladder(rungs, seed)
    units = [unit for step in steps for unit in step]
    assert len(units) == len(set(units))
    done: set[Unit] = set()
    for rung, step in zip(rungs, steps, strict=True):
        done.update(step)
        assert set(cross_validation(range(rung.folds), rung.epochs, seed)) <= done
    assert full_epochs(rungs) == sum(unit.epochs for unit in units)


@given(st.integers(0, 2**31), st.text("0123456789abcdef", min_size=8), st.integers(0, 5))
def test_no_network_is_confirmed_with_a_seed_that_it_was_chosen_by(run_seed, genome, repetition):
    chosen = cross_validation(range(50), 3, base_seed(run_seed, genome, "search"))
    fresh = cross_validation(range(50), 3, base_seed(run_seed, genome, "confirm", repetition))
    assert not {unit.seed for unit in chosen} & {unit.seed for unit in fresh}


def test_a_seed_is_a_function_of_its_arguments():
    assert base_seed(3, "ab", "search") == base_seed(3, "ab", "search") < 2**48
    others = {
        base_seed(4, "ab", "search"),
        base_seed(3, "ac", "search"),
        base_seed(3, "ab", "confirm"),
        base_seed(3, "ab", "search", 1),
    }
    assert len(others | {base_seed(3, "ab", "search")}) == 5


@given(st.integers(1, 7), st.integers(1, 5), st.integers(1, 6))
def test_cross_validations_are_shared_out_whole_while_there_is_one_for_each_worker(
    count, folds, workers
):
    parts = [cross_validation(range(folds), 2, 100 * number) for number in range(count)]
    jobs = shared_out(parts, workers)
    assert [unit for job in jobs for unit in job] == [unit for part in parts for unit in part]
    whole = [job for job in jobs if job in parts]
    if folds > 1:
        assert len(whole) % workers == 0
        assert count - len(whole) < workers
    assert all(job in parts or len(job) == 1 for job in jobs)


def test_what_is_left_of_a_cross_validation_is_no_match_for_a_whole_one():
    first, second, third = (cross_validation(range(5), 2, 100 * number) for number in range(3))
    assert shared_out([first[4:], second], 2) == tuple((unit,) for unit in (*first[4:], *second))
    assert shared_out([first[4:], second, third], 2) == (second, third, first[4:])
    assert shared_out([], 2) == ()
