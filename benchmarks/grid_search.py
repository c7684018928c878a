"""How large must the network be? Grid search over width, depth, and more.

For true and for permuted labels, each cell of the grid is fitted to the training folds
and tested on the clean test folds. The claim: networks large enough to fit permuted
labels are no worse on true ones. It holds if the best test accuracy of those that fit
99.99 % of the permuted labels is at most 0.01 below that of the best other one.
"""

import argparse
import ast
import contextlib
import functools
import math
import warnings
from collections.abc import Generator, Sequence
from typing import Any

import pandas as pd
from _tools.arguments import STANDARD, Args, Own, make_parser
from _tools.claims import NO_WORSE, ZERO_ERROR, Claim, difference, exceeds, tell_test
from _tools.cluster import SCHEDULER_HELP, scheduler_address, workers
from _tools.common import Data, load_data, make_estimator, run_script, warm_up_workers
from _tools.pictures import draw_grid
from _tools.sweep import Cell, run_batches
from _tools.tables import report
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.utils import gen_batches

from sk_memorize import MemorizingMLP, memorization_scoring

# What the other options of the script set.
_TAKEN = {"random_state", "device", "max_epochs", "verbose", "callbacks"}


def grid_axis(text: str) -> tuple[str, list[Any]]:
    """Read a parameter of MemorizingMLP and its values: name=v1,v2."""
    name, _, values = text.partition("=")
    names = sorted(set(MemorizingMLP().get_params()) - _TAKEN)
    if not values or name not in names:
        raise argparse.ArgumentTypeError(
            f"must be NAME=V1,V2 with a name of {', '.join(names)}; got {text!r}"
        )
    try:
        listed = ast.parse(f"[{values}]", mode="eval").body
        if not isinstance(listed, ast.List):  # brackets that do not match
            raise argparse.ArgumentTypeError(f"must be a list of values; got {text!r}")
        for value in (axis := [_read_value(node) for node in listed.elts]):
            MemorizingMLP(**{name: value})._validate_params()
    except SyntaxError as error:
        raise argparse.ArgumentTypeError(f"{error.msg}: {values!r}") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return name, axis


def _read_value(node: ast.expr) -> Any:
    """Read a number, None, a bool, a tuple or a dict; anything else is a word."""
    with contextlib.suppress(ValueError):
        return ast.literal_eval(node)
    return ast.unparse(node)


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
    "fit_seconds": "fit_time",
}


def search(args: Args, data: Data, labels: str, batch: list[Cell]) -> list[Cell]:
    """Run a grid search on one kind of labels; one record for each candidate."""
    network = {"device": args.device, "max_epochs": args.max_epochs}
    prefix = "" if labels == "true" else "estimator__"
    grid = GridSearchCV(
        make_estimator(labels, args.seed[0], **network),
        [{f"{prefix}{n}": [v] for n, v in c.items() if n != "labels"} for c in batch],
        scoring=SCORERS,
        cv=StratifiedKFold(args.folds, shuffle=True, random_state=args.seed[0]),
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
    table = pd.DataFrame({"parameters": results["mean_test_parameters"].astype(int)})
    table.insert(0, "n_train", n_train)
    unbiased = math.sqrt(args.folds / (args.folds - 1))  # as of all other tables
    for name, source in _SOURCES.items():
        table[name] = results[f"mean_{source}"]
        table[f"{name}_std"] = results[f"std_{source}"] * unbiased
    n_memorized = table["train_accuracy"] * n_train
    table["parameters_per_memorized_label"] = table["parameters"] / n_memorized
    return list(table.to_dict("records"))


def run(args: Args, data: Data, grid: dict[str, list[Any]]) -> pd.DataFrame:
    """Search all cells that are missing, some at a time."""
    cells = [
        {"labels": labels, **{name: cell[name] for name in grid}}  # in the order given
        for labels in ("true", "permuted")
        for cell in ParameterGrid(grid)
    ]

    def measure(missing: Sequence[Cell]) -> Generator[tuple[Cell, Cell]]:
        if missing:
            warm_up_workers(args.device, -1 if args.scheduler else args.n_jobs)
        # A search ends when all its cells do, so each gets about as many as there
        # are workers: all have work, and not much is lost if the run is killed.
        for labels in ("true", "permuted"):
            left = [cell for cell in missing if cell["labels"] == labels]
            for part in gen_batches(len(left), n_workers):
                found = search(args, data, labels, left[part])
                yield from zip(left[part], found, strict=True)

    with workers(args.scheduler, args.n_jobs) as n_workers:
        table = run_batches(args, data, cells, measure)
    for name, values in grid.items():
        if not all(isinstance(value, str | int | float) for value in values):
            table[name] = [str(cell[name]) for cell in cells]  # None is not missing
    table.insert(0, "dataset", data.name)
    # Each row is a test row of one fold.
    return table.assign(n_test=len(data.y_train), n_fits=args.folds, seed=args.seed[0])


def _describe(row: pd.Series, names: Sequence[str]) -> str:
    values = row.name if isinstance(row.name, tuple) else (row.name,)
    return ", ".join(f"{n} {value}" for n, value in zip(names, values, strict=True))


def judge(table: pd.DataFrame, names: Sequence[str]) -> list[Claim]:
    """Judge what networks large enough for permuted labels do on true ones."""
    by_labels = table.set_index(["labels", *names])
    true, permuted = by_labels.loc["true"], by_labels.loc["permuted"]
    is_large = (permuted["train_accuracy"] >= ZERO_ERROR).to_numpy()
    text = f"networks that fit {ZERO_ERROR:.2%} of permuted labels are no worse (by "
    text += f"{NO_WORSE:g}) on true ones than smaller networks"
    if is_large.all() or not is_large.any():
        found = "all" if is_large.any() else "none"
        best = permuted["train_accuracy"].max()
        told = f"{found} of {len(permuted)} fit them, at best {best:.5f}"
        return [Claim(text, None, told)]
    smallest = permuted[is_large].sort_values("parameters").iloc[0]
    test = true["test_accuracy"]
    large, small = (true.loc[test[of].idxmax()] for of in (is_large, ~is_large))
    gain, margin = difference(large, small)
    told = (
        f"the best of {is_large.sum()} large ones has {tell_test(large)} "
        f"({_describe(large, names)}), that of {(~is_large).sum()} others "
        f"{tell_test(small)} ({_describe(small, names)}); the smallest large one "
        f"({_describe(smallest, names)}) has {smallest['parameters']} parameters, "
        f"{smallest['parameters_per_memorized_label']:.1f} per label"
    )
    return [Claim(text, exceeds(gain, -NO_WORSE, margin), told)]


_MORE = "further parameters of MemorizingMLP, as in norm=batch,None dropout=0,0.2"
OPTIONS: Own = {
    "grid": ([], grid_axis, _MORE),
    "scheduler": (None, scheduler_address, SCHEDULER_HELP),
}
_NAMES = (*STANDARD, "widths", "depths", "max-epochs")
_SIZES = {"widths": [8, 32, 128, 512], "depths": [1, 2, 3]}
PARSER = make_parser(__doc__, _NAMES, OPTIONS, max_samples=10_000, **_SIZES)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = PARSER.parse_args(argv)
    if not args.folds:
        PARSER.error("argument --folds: a grid search needs at least 2")
    if len(args.seed) > 1:
        PARSER.error("argument --seed: a grid search takes one seed")
    grid = {"width": args.widths, "depth": args.depths, **dict(args.grid)}
    grid = {name: list(dict.fromkeys(values)) for name, values in grid.items()}
    if "hidden_layer_sizes" in grid:  # which take the place of both
        del grid["width"], grid["depth"]
    data = load_data(args, args.folds)
    table = run(args, data, grid)
    draw = functools.partial(draw_grid, table, grid, f"MemorizingMLP on {data.title}")
    title = f"{', '.join(grid)}: {data.title}"
    report(args, title, table, judge(table, list(grid)), draw=draw)


if __name__ == "__main__":
    run_script(main)
