"""Progress at a terminal: what is being done, how much is left, and how long it takes.

Where stderr is a pipe or a file, nothing is written.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from joblib import Parallel
from tqdm.auto import tqdm

Item = TypeVar("Item")


def open_bar(total: int, unit: str = "fit", initial: int = 0) -> tqdm:
    """Open a bar, a context manager with `set_postfix_str` and `update`."""
    return tqdm(total=total, initial=initial, unit=unit, disable=None)


def track(
    items: Iterable[Item], describe: Callable[[Item], str] = str, unit: str = "fit"
) -> Iterator[Item]:
    """Yield items, while a bar shows the words for the item that is being worked on."""
    listed = list(items)
    with open_bar(len(listed), unit) as bar:
        for item in listed:
            bar.set_postfix_str(describe(item))
            yield item
            bar.update()


def run_parallel(n_jobs: int, jobs: Sequence[Any], unit: str = "fit") -> list[Any]:
    """Run what joblib's `delayed` has made, and move a bar with each that is done."""
    results = []
    with open_bar(len(jobs), unit) as bar:
        for result in Parallel(n_jobs, return_as="generator")(jobs):
            results.append(result)
            bar.update()
    return results
