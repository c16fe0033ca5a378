"""Tasks on many cores."""

import numpy as np
import pytest

from ibic_fidelity.foundation.parallel import map_tasks
from ibic_fidelity.foundation.randomness import stream


def _drawing():
    """Make the task inside a function: other processes get it by value, since they cannot import a test."""

    def draw(task, rng):
        matrix = rng.normal(size=(60, 60))
        return task, (matrix @ matrix.T).tobytes()

    return draw


@pytest.mark.parametrize("n_jobs", [2, 3])
def test_any_number_of_jobs_gives_the_same_bits_in_the_same_order(n_jobs):
    tasks = [f"task {i}" for i in range(7)]
    one = map_tasks(_drawing(), tasks, seed=5, name="test", n_jobs=1)
    assert [task for task, _ in one] == tasks
    assert map_tasks(_drawing(), tasks, seed=5, name="test", n_jobs=n_jobs) == one


def test_task_i_draws_from_the_stream_named_i():
    drawn = map_tasks(lambda task, rng: rng.random(), ["a", "b"], seed=5, name="test")
    assert drawn == [stream(5, "test", 0).random(), stream(5, "test", 1).random()]


def test_more_tasks_leave_the_first_ones_alone():
    few = map_tasks(lambda task, rng: rng.random(), range(3), seed=5, name="test")
    assert map_tasks(lambda task, rng: rng.random(), range(9), seed=5, name="test")[:3] == few


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_progress_is_told_after_every_task(n_jobs):
    told = []
    result = map_tasks(
        lambda task, rng: task, range(4), seed=0, name="t", n_jobs=n_jobs, progress=lambda *at: told.append(at)
    )
    assert result == [0, 1, 2, 3]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_no_tasks_give_no_results(n_jobs):
    told = []
    assert map_tasks(_drawing(), [], seed=0, name="t", n_jobs=n_jobs, progress=lambda *at: told.append(at)) == []
    assert told == []


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_in_a_task_reaches_the_caller(n_jobs):
    def fail(task, rng):
        return 1 // (task - 2)

    with pytest.raises(ZeroDivisionError):
        map_tasks(fail, range(4), seed=0, name="t", n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_every_task_has_one_thread_of_linear_algebra(n_jobs):
    def threads(task, rng):
        from threadpoolctl import threadpool_info

        return max((pool["num_threads"] for pool in threadpool_info()), default=1)

    assert set(map_tasks(threads, range(2), seed=0, name="t", n_jobs=n_jobs)) == {1}


def test_the_threads_of_the_caller_are_given_back():
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    before = [pool["num_threads"] for pool in threadpool_info()]
    map_tasks(_drawing(), range(2), seed=0, name="t")
    assert [pool["num_threads"] for pool in threadpool_info()] == before
