"""How large must the network be? Grid search over width, depth, and more.

For true and for permuted labels, each cell of the grid is fitted to the training
folds and tested on the clean test folds. The claim: networks large enough to fit
permuted labels are no worse on true ones. It holds if the best test accuracy of
those that fit 99.99 % of the permuted labels is at most 0.01 below that of the best
other one, by more than noise: three standard errors (test rows and folds).
"""

import argparse
import ast
import functools
import itertools
import warnings
from collections.abc import Generator, Sequence
from typing import Any

import pandas as pd
from _tools.arguments import STANDARD, add_own, make_parser
from _tools.claims import NO_WORSE, ZERO_ERROR, Claim, difference, exceeds, tell_test
from _tools.cluster import SCHEDULER_HELP, scheduler_address, workers
from _tools.common import Data, load_data, make_estimator, run_script, warm_up_workers
from _tools.pictures import draw_grid
from _tools.sweep import Cell, add_output, run_batches
from _tools.tables import report
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold

from sk_memorize import MemorizingMLP, memorization_scoring

# What the other options of the script set.
_TAKEN = {"random_state", "device", "max_epochs", "verbose", "callbacks"}


def grid_axis(text: str) -> tuple[str, list[Any]]:
    """Read a parameter of MemorizingMLP and its values: name=v1,v2."""
    name, equals, values = text.partition("=")
    names = sorted(set(MemorizingMLP().get_params()) - _TAKEN)
    if not equals or name not in names:
        raise argparse.ArgumentTypeError(
            f"must be NAME=V1,V2 with a name of {', '.join(names)}; got {text!r}"
        )
    axis = [_read_value(value) for value in _split(values)]
    for value in axis:
        try:
            MemorizingMLP(**{name: value})._validate_params()
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return name, axis


def _split(values: str) -> list[str]:
    """Split at the commas that are outside of brackets."""
    parts, depth = [""], 0
    for character in values:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _read_value(text: str) -> Any:
    """Read a number, None, a bool or a tuple; anything else is a word."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def read(estimator: Any, X: Any, y: Any, name: str) -> int:  # noqa: ARG001  a scorer's signature
    """Read a count of a fitted network, as a scorer."""
    return int(getattr(getattr(estimator, "estimator_", estimator), name))


SCORERS = {
    **memorization_scoring(),
    "parameters": functools.partial(read, name="n_parameters_"),
    "epochs": functools.partial(read, name="n_epochs_"),
}
_SOURCES = {
    "train_accuracy": "train_fitted_accuracy",
    "train_accuracy_true": "train_accuracy",
    "test_accuracy": "test_accuracy",
    "epochs": "train_epochs",
}


def search(
    args: argparse.Namespace, data: Data, labels: str, candidates: list[Cell]
) -> list[dict[str, Any]]:
    """Run a grid search on one kind of labels; one record for each candidate."""
    seed = args.seed[0]
    estimator = make_estimator(
        labels, seed, device=args.device, max_epochs=args.max_epochs
    )
    prefix = "" if labels == "true" else "estimator__"
    grid = GridSearchCV(
        estimator,
        [
            {f"{prefix}{name}": [value] for name, value in candidate.items()}
            for candidate in candidates
        ],
        scoring=SCORERS,
        cv=StratifiedKFold(args.folds, shuffle=True, random_state=seed),
        n_jobs=-1 if args.scheduler else args.n_jobs,
        refit=False,
        return_train_score=True,
        error_score="raise",
    )
    with warnings.catch_warnings():
        # Cells that are too small to fit the labels are what is looked for, and
        # rows that were not fitted have no fitted labels.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "One or more of the test scores")
        results = grid.fit(data.X_train, data.y_train).cv_results_
    n_train = len(data.y_train) * (args.folds - 1) // args.folds
    records = []
    for i in range(len(candidates)):
        record: dict[str, Any] = {
            "n_train": n_train,
            "parameters": int(results["mean_test_parameters"][i]),
        }
        for name, source in _SOURCES.items():
            record[name] = float(results[f"mean_{source}"][i])
            record[f"{name}_std"] = float(results[f"std_{source}"][i])
        record["fit_seconds"] = float(results["mean_fit_time"][i])
        record["fit_seconds_std"] = float(results["std_fit_time"][i])
        n_memorized = record["train_accuracy"] * n_train
        record["parameters_per_memorized_label"] = record["parameters"] / n_memorized
        records.append(record)
    return records


def run(args: argparse.Namespace, data: Data, grid: dict[str, list[Any]]) -> Any:
    """Search all cells that are missing, some at a time."""
    cells = [
        {"labels": labels, **candidate}
        for labels in ("true", "permuted")
        for candidate in _in_order(grid)
    ]

    def measure(missing: Sequence[Cell]) -> Generator[tuple[Cell, dict[str, Any]]]:
        if missing:
            warm_up_workers(args.device, -1 if args.scheduler else args.n_jobs)
        # A search ends when all its cells do, so each gets about as many as there
        # are workers: all have work, and not much is lost if the run is killed.
        for labels, group in itertools.groupby(missing, lambda cell: cell["labels"]):
            cells_left = list(group)
            for start in range(0, len(cells_left), n_workers):
                batch = cells_left[start : start + n_workers]
                candidates = [
                    {name: cell[name] for name in cell if name != "labels"}
                    for cell in batch
                ]
                found = search(args, data, labels, candidates)
                yield from zip(batch, found, strict=True)

    with workers(args.scheduler, args.n_jobs) as n_workers:
        table = run_batches(args, data, cells, measure)
    for name, values in grid.items():
        if not all(isinstance(value, str | int | float) for value in values):
            table[name] = [str(cell[name]) for cell in cells]  # None is not missing
    table.insert(0, "dataset", data.name)
    # Each row is a test row of one fold.
    table["n_test"], table["n_fits"] = len(data.y_train), args.folds
    table["seed"] = args.seed[0]
    return table


def _in_order(grid: dict[str, list[Any]]) -> list[Cell]:
    """List the candidates with the names in the order in which they were given."""
    return [{name: cell[name] for name in grid} for cell in ParameterGrid(grid)]


def _describe(row: pd.Series, names: Sequence[str]) -> str:
    values = row.name if isinstance(row.name, tuple) else (row.name,)
    return ", ".join(
        f"{name} {value}" for name, value in zip(names, values, strict=True)
    )


def judge(table: pd.DataFrame, names: Sequence[str]) -> list[Claim]:
    """Judge what networks large enough for permuted labels do on true ones."""
    true, permuted = (
        table[table["labels"] == labels].set_index(list(names))
        for labels in ("true", "permuted")
    )
    is_large = (permuted["train_accuracy"] >= ZERO_ERROR).to_numpy()
    text = (
        f"networks that fit {ZERO_ERROR:.2%} of permuted labels are no worse (by "
        f"{NO_WORSE:g}) on true ones than smaller networks"
    )
    if is_large.all() or not is_large.any():
        found = "all" if is_large.any() else "none"
        best = permuted["train_accuracy"].max()
        return [
            Claim(
                text, None, f"{found} of {len(permuted)} fit them, at best {best:.5f}"
            )
        ]
    smallest = permuted[is_large].sort_values("parameters").iloc[0]
    large, small = (
        part.loc[part["test_accuracy"].idxmax()]
        for part in (true[is_large], true[~is_large])
    )
    gain, margin = difference(large, small)
    return [
        Claim(
            text,
            exceeds(gain, -NO_WORSE, margin),
            f"the best of {is_large.sum()} large ones has {tell_test(large)} "
            f"({_describe(large, names)}), that of {(~is_large).sum()} others "
            f"{tell_test(small)} ({_describe(small, names)}); the smallest large one "
            f"({_describe(smallest, names)}) has {smallest['parameters']} parameters, "
            f"{smallest['parameters_per_memorized_label']:.1f} per label",
        )
    ]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    names = [name for name in STANDARD if name != "output"]
    defaults = {"widths": [8, 32, 128, 512], "depths": [1, 2, 3]}
    parser = make_parser(
        __doc__,
        (*names, "widths", "depths", "max-epochs"),
        max_samples=10_000,
        **defaults,
    )
    add_output(parser)
    more = (
        "further parameters of MemorizingMLP and their values, NAME=V1,V2 each, such "
        "as norm=batch,None dropout=0,0.2"
    )
    own: dict[str, Any] = {
        "grid": ([], grid_axis, more),
        "scheduler": (None, scheduler_address, SCHEDULER_HELP),
    }
    add_own(parser, own)
    args = parser.parse_args(argv)
    if not args.folds:
        parser.error("argument --folds: a grid search needs at least 2")
    if len(args.seed) > 1:
        parser.error("argument --seed: a grid search takes one seed")
    grid = {"width": args.widths, "depth": args.depths, **dict(args.grid)}
    grid = {name: list(dict.fromkeys(values)) for name, values in grid.items()}
    if "hidden_layer_sizes" in grid:  # which take the place of both
        del grid["width"], grid["depth"]
    data = load_data(args, args.folds)
    table = run(args, data, grid)
    report(
        args,
        f"{', '.join(grid)}: {data.title}",
        table,
        judge(table, list(grid)),
        draw=lambda: draw_grid(table, grid, f"MemorizingMLP on {data.title}"),
    )


if __name__ == "__main__":
    run_script(main)
