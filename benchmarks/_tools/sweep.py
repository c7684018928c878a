"""Sweeps: many cells, each on the disk as soon as it is finished."""

import argparse
import itertools
import json
import sys
import warnings
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import joblib
import pandas as pd
import sklearn
import torch

import sk_memorize
from _tools.common import Data, fail
from _tools.files import RecordStore
from _tools.progress import open_bar

Cell = dict[str, Any]

# What changes neither the cells nor what is found for them.
_NO_INFLUENCE = {"output", "plot", "n_jobs", "data_home", "scheduler"}

CELLS_SUFFIX = ".cells.jsonl"


def cells_file(output: str) -> Path:
    """Name the file of the cells beside the table."""
    return Path(output).with_suffix(CELLS_SUFFIX)


def list_cells(**values: Iterable[Any]) -> list[Cell]:
    """List all combinations of values; the last name varies fastest."""
    combinations = itertools.product(*values.values())
    return [dict(zip(values, each, strict=True)) for each in combinations]


def run_sweep(
    args: argparse.Namespace,
    data: Data,
    cells: Iterable[Cell],
    measure: Callable[[argparse.Namespace, Data, Cell], dict[str, Any]],
    in_cells: Collection[str] = (),
) -> pd.DataFrame:
    """Measure each cell that is not in the results file yet.

    Parameters
    ----------
    args : argparse.Namespace
        The script's arguments; with ``output``, and where ``n_jobs`` is among them,
        joblib measures as many cells at a time.
    data : Data
        What the cells are measured on.
    cells : iterable of dict
        What differs between the cells, by name; no two are alike.
    measure : callable
        Takes the arguments, the data and a cell, and returns what was found, under
        other names. With several jobs it is sent to other processes.
    in_cells : collection of str, default=()
        Arguments whose values are in the cells, and change nothing else: with other
        values the sweep takes the cells that are there, and measures the others.

    Returns
    -------
    table : pandas.DataFrame
        One row for each cell, in the order of `cells`.
    """

    def pair(cell: Cell) -> tuple[Cell, dict[str, Any]]:
        return cell, measure(args, data, cell)

    def measure_many(missing: Sequence[Cell]) -> Generator[tuple[Cell, Any]]:
        n_jobs = getattr(args, "n_jobs", 1)
        if n_jobs == 1:
            yield from map(pair, missing)
            return
        # As they come, so that none waits in memory for one that takes longer.
        yield from joblib.Parallel(n_jobs, return_as="generator_unordered")(
            joblib.delayed(pair)(cell) for cell in missing
        )

    return run_batches(args, data, list(cells), measure_many, in_cells=in_cells)


def run_batches(
    args: argparse.Namespace,
    data: Data,
    cells: list[Cell],
    measure_many: Callable[[Sequence[Cell]], Generator[tuple[Cell, dict[str, Any]]]],
    *,
    in_cells: Collection[str] = (),
) -> pd.DataFrame:
    """Measure the missing cells in batches and an order that suit the script.

    Like `run_sweep`, but `measure_many` takes all missing cells, and yields pairs of a
    cell and what was found.
    """
    store = None if args.output is None else _open_store(args, data, in_cells)
    found: dict[str, dict[str, Any]] = {}
    if store is not None:
        records = ((_name(cell), store.get(cell)) for cell in cells)
        found = {name: record for name, record in records if record is not None}
        if found:
            words = f"{store.path} has {len(found)} finished cells"
            print(f"notice: {words}", file=sys.stderr)
    missing = [cell for cell in cells if _name(cell) not in found]
    finished = measure_many(missing)
    try:
        with open_bar(len(cells), "cell", initial=len(found)) as bar:
            for cell, record in finished:
                found[_name(cell)] = (
                    record if store is None else _keep(store, cell, record)
                )
                bar.set_postfix(cell, refresh=False)
                bar.update()
    except _NotKeptError as error:
        with warnings.catch_warnings():
            # joblib tells what it cancels.
            warnings.simplefilter("ignore")
            finished.close()
        fail(str(error))
    return pd.DataFrame([{**cell, **found[_name(cell)]} for cell in cells])


class _NotKeptError(Exception):
    """A finished cell cannot be written, for instance on a full disk."""


def _keep(store: RecordStore, cell: Cell, record: dict[str, Any]) -> dict[str, Any]:
    """Write a record; return it as it will be read, when the sweep goes on."""
    try:
        store.add(cell, record)
    except OSError as error:
        text = f"{error.strerror}; {store.path} keeps the {len(store)} cells before"
        raise _NotKeptError(text) from error
    return store.get(cell) or record


def _open_store(
    args: argparse.Namespace, data: Data, in_cells: Collection[str]
) -> RecordStore:
    # What else decides the cells: arguments, data, versions.
    header = {
        name: _simple(value)
        for name, value in vars(args).items()
        if name not in _NO_INFLUENCE and name not in in_cells
    } | {
        "data": joblib.hash((data.X_train, data.y_train, data.X_test, data.y_test)),
        "sk_memorize": sk_memorize.__version__,
        "scikit-learn": sklearn.__version__,
        "torch": torch.__version__,
    }
    path = cells_file(args.output)
    try:
        store = RecordStore(path, header)
    except (OSError, ValueError) as error:
        fail(str(error))
    return store


def _simple(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _simple(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_simple(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _name(cell: Cell) -> str:
    return json.dumps(cell, sort_keys=True)


def mean_and_spread(
    table: pd.DataFrame, by: Sequence[str], measures: Sequence[str]
) -> pd.DataFrame:
    """Average over what is not named, mostly seeds; spreads get names with ``_std``."""
    groups = table.groupby(list(by), sort=False, dropna=False)
    means = groups[list(measures)].mean()
    spreads = groups[list(measures)].std().add_suffix("_std")
    columns = [c for name in measures for c in (name, f"{name}_std")]
    summary = pd.concat([means, spreads], axis=1)[columns]
    summary["n_seeds"] = groups.size()
    return summary.reset_index()
