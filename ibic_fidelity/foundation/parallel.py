"""Many tasks on many cores, with the same bits for any number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from ibic_fidelity.foundation.randomness import stream

if TYPE_CHECKING:
    import numpy as np

Task = TypeVar("Task")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]


def map_tasks(
    function: Callable[[Task, np.random.Generator], Result],
    tasks: Sequence[Task],
    *,
    seed: int,
    name: str,
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> list[Result]:
    """Run a function on every task and return the results in the order of the tasks.

    Each task gets a random stream of its own, named by its position, and one BLAS thread (two threads
    change the last bits), so that the results do not depend on `n_jobs`, nor on which core took what.

    Parameters
    ----------
    function : callable
        Takes a task and its generator. With ``n_jobs > 1`` it must be importable by name.
    tasks : sequence
        What to do.
    seed, name : int, str
        The random stream of task ``i`` is ``stream(seed, name, i)``.
    n_jobs : int
        Processes; -1 takes all cores. Runs inside any ``joblib.parallel_config``.
    progress : callable, optional
        Called with (done, total) after every task.
    """
    total = len(tasks)
    results: list[Result] = []
    if n_jobs == 1:
        for index, task in enumerate(tasks):
            results.append(_run(function, task, seed, name, index))
            if progress is not None:
                progress(index + 1, total)
        return results
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=n_jobs, return_as="generator" if progress is not None else "list")
    jobs = (delayed(_run)(function, task, seed, name, index) for index, task in enumerate(tasks))
    for result in parallel(jobs):
        results.append(result)
        if progress is not None:
            progress(len(results), total)
    return results


def _run(
    function: Callable[[Task, np.random.Generator], Result], task: Task, seed: int, name: str, index: int
) -> Result:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return function(task, stream(seed, name, index))
