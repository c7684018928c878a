"""Measure what the batch size does to the time to convergence, an epoch and the model.

The course's three claims: the time to convergence has a sweet spot (8 is slow, huge
is slow); the time per epoch falls as batches grow; smaller batches give the better
model. Each is measured for powers of two from 8 to 8192, at a fixed learning rate and
at one that is tuned for each batch size, and judged by the numbers.

What is trained: two hidden layers of 128 units, with batch norm, small enough for
batches of 8 to get to their end; or, with --network course, the course's seven Linear
layers. Optimizer (Adam) and inputs are the course's, the labels true. The schedule is
left out: one that lets the learning rate fall after so many epochs ends the progress
of large batches, which take few steps an epoch, before that of small ones. A training
has converged when 99.99 % of its rows are right in eval mode, with the statistics of
batch norm taken over all rows. That is looked at after each epoch, while the clock
stands still: the time to convergence is that of the epochs, and the time per epoch
their median. The rows of an epoch are spread evenly over its batches, which so may be
smaller than asked for.

The fixed learning rate is that of the course for its batches of 512. The tuned one is
the first to converge in a search: among multiples of the fixed one times the square
root of the batch size over 512. Each gets a limited number of steps, and no more
epochs than the best before it; if none converges, the lowest training loss wins. The
search has a seed of its own and sees no test rows. Its time is in the table, and not
in the time to convergence.

Rules of the verdicts, of which each learning rate has its own. Sweet spot: holds if the
fastest batch size is neither the smallest nor the largest, and both take 1.5 times as
long or more. Time per epoch: holds if it falls to less than 1/1.2 altogether, and never
rises by more than 1.2 times (closer times are taken for equal). Better model: holds if
test accuracy falls as the batch size grows, by Kendall's rank correlation at the level
0.05, among the trainings that converged, and if the best and the worst differ by more
than three standard errors (test rows and seeds); it does not hold if it rises so.
"""

import argparse
import dataclasses
import functools
import math
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd
from _arguments import make_parser, positive_int, positive_seconds, several
from _batch_size_claims import judge
from _common import (
    Data,
    fail,
    fit_small_network,
    load_data,
    run_script,
    warm_up,
)
from _convergence import BASE_BATCH_SIZE, NETWORKS, Outcome, train
from _sweep import Cell, add_output, mean_and_spread, run_sweep
from _tables import format_table, report
from true_labels import normalize

from sk_memorize import BatchSizeDisplay

# Of the initial weights and the order of the rows in the search.
_SEARCH_SEED = 2**31 - 1

_MEASURES = (
    "epochs",
    "seconds",
    "seconds_per_epoch",
    "train_accuracy",
    "test_accuracy",
)


def candidates(lr: float, factors: Sequence[float], batch_size: int) -> list[float]:
    """Scale the learning rate by the root of the batch size, and vary it.

    The one nearest to the root rule comes first: others need not be trained for
    longer than the best before them.
    """
    scaled = lr * math.sqrt(batch_size / BASE_BATCH_SIZE)
    ordered = sorted(set(factors), key=lambda factor: (abs(math.log(factor)), factor))
    return [float(f"{scaled * factor:.4g}") for factor in ordered]


def search(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Find the learning rate that converges first, and tell if it is an extreme one."""
    batch_size = cell["batch_size"]
    steps_per_epoch = math.ceil(len(data.y_train) / batch_size)
    max_epochs = min(args.search_epochs, max(1, args.search_steps // steps_per_epoch))
    tried = candidates(args.lr, args.lr_factors, batch_size)
    best: Outcome | None = None
    best_lr, seconds = math.nan, 0.0
    for lr in tried:
        outcome = train(
            data,
            args,
            batch_size=batch_size,
            lr=lr,
            seed=_SEARCH_SEED,
            max_epochs=max_epochs,
        )
        if outcome.network is not None:
            seconds += outcome.seconds
        if best is None or outcome.rank < best.rank:
            best, best_lr = outcome, lr
        if outcome.reached:
            max_epochs = int(outcome.epochs)
    return {
        "tuned_lr": best_lr,
        "lr_at_edge": len(tried) > 1 and best_lr in (min(tried), max(tried)),
        "search_seconds": seconds,
    }


def measure(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Train with a batch size and a learning rate, and test."""
    network, reached, epochs, seconds = train(
        data,
        args,
        **cell,
        max_epochs=args.max_epochs,
        budget=args.budget,
    )
    record = {
        "epochs": epochs,
        "seconds": seconds,
        "seconds_per_epoch": math.nan,
        "train_accuracy": math.nan,
        "test_accuracy": math.nan,
        "reached": reached,
    }
    if network is not None:
        record["seconds_per_epoch"] = network.history_["seconds"].median()
        record["train_accuracy"] = network.train_accuracy_
        record["test_accuracy"] = network.score(data.X_test, data.y_test)
    return record


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Search the learning rates, and run all trainings; means over the seeds."""
    pixels = {"mean": float(data.X_train.mean()), "scale": float(data.X_train.std())}
    data = dataclasses.replace(
        data,
        X_train=normalize(data.X_train, **pixels),
        X_test=normalize(data.X_test, **pixels),
    )
    warm_up(fit_small_network, args.device)
    in_cells = ("batch_sizes", "seed")
    searches = run_sweep(
        args,
        data,
        [{"batch_size": size, "step": "search"} for size in args.batch_sizes],
        functools.partial(search, args, data),
        in_cells=in_cells,
    )
    rules = pd.concat(
        [
            pd.DataFrame({"batch_size": args.batch_sizes, "lr_rule": "fixed"}).assign(
                lr=args.lr, lr_at_edge=False, search_seconds=math.nan
            ),
            searches.drop(columns="step")
            .rename(columns={"tuned_lr": "lr"})
            .assign(lr_rule="tuned"),
        ],
        ignore_index=True,
    )
    # Where both rules have the same learning rate they share the training.
    pairs = rules[["batch_size", "lr"]].drop_duplicates().to_dict("records")
    fits = run_sweep(
        args,
        data,
        [{**pair, "seed": seed} for seed in args.seed for pair in pairs],
        functools.partial(measure, args, data),
        in_cells=in_cells,
    )
    means = mean_and_spread(fits, ["batch_size", "lr"], _MEASURES)
    reached = fits.groupby(["batch_size", "lr"])["reached"].all().reset_index()
    table = rules.merge(means).merge(reached)
    table["rows_per_step"] = [
        len(data.y_train) / math.ceil(len(data.y_train) / size)
        for size in table["batch_size"]
    ]
    table.insert(0, "dataset", data.name)
    table["n_train"], table["n_test"] = len(data.y_train), len(data.y_test)
    return table


def format_rows(table: pd.DataFrame) -> str:
    """Format the table for reading."""
    return format_table(
        table.assign(
            lr=[f"{lr:.3g}" for lr in table["lr"]],
            rows_per_step=[f"{rows:.5g}" for rows in table["rows_per_step"]],
            seconds_per_epoch=table["seconds_per_epoch"]
            .map("{:.3g}".format)
            .replace("nan", ""),
            search_seconds=table["search_seconds"]
            .map("{:.1f}".format)
            .replace("nan", ""),
            reached=["yes" if reached else "NO" for reached in table["reached"]],
        )[
            [
                *("batch_size", "rows_per_step", "lr_rule", "lr"),
                *(c for m in _MEASURES for c in (m, f"{m}_std")),
                *("reached", "search_seconds"),
            ]
        ]
    )


def choose_batch_sizes(args: argparse.Namespace, data: Data) -> list[int]:
    """Sort the batch sizes, and leave out those that are larger than the data."""
    sizes = sorted(set(args.batch_sizes))
    fitting = [size for size in sizes if size <= len(data.y_train)]
    if not fitting:
        fail(
            f"argument --batch-sizes: none is at most {len(data.y_train)}, the number "
            "of training rows."
        )
    if fitting != sizes:
        print(
            f"notice: batch sizes above {fitting[-1]} are left out: there are "
            f"{len(data.y_train)} training rows",
            file=sys.stderr,
        )
    return fitting


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    parser = make_parser(
        __doc__, ("dataset", "data-home", "max-samples", "seed", "device", "plot")
    )
    # A power of two, of which all the batch sizes are parts.
    parser.set_defaults(max_samples=8192)
    add_output(parser)
    parser.add_argument(
        "--network",
        choices=NETWORKS,
        default="small",
        help="small: two hidden layers of 128 units; course: the course's network, "
        "whose steps take ten times as long",
    )
    parser.add_argument(
        "--batch-sizes",
        type=several,
        nargs="+",
        default=[2**power for power in range(3, 14)],
        metavar="N",
        help="rows of a batch, two at least for batch norm; the rows of an epoch are "
        "spread evenly, so that a batch may have fewer",
    )
    parser.add_argument(
        "--max-epochs",
        type=positive_int,
        default=200,
        help="epochs after which a training that has not converged gives up",
    )
    parser.add_argument(
        "--budget",
        type=positive_seconds,
        default=60.0,
        metavar="SECONDS",
        help="time of the epochs after which it gives up; the epoch in which it is "
        "over is finished, and counts",
    )
    parser.add_argument(
        "--lr",
        type=positive_seconds,
        default=NETWORKS["course"]["lr"],
        help=f"fixed learning rate, and that of the search for {BASE_BATCH_SIZE} rows",
    )
    parser.add_argument(
        "--lr-factors",
        type=positive_seconds,
        nargs="+",
        default=[0.25, 0.5, 1.0, 2.0, 4.0, 8.0],
        metavar="FACTOR",
        help="the search tries these multiples of the scaled learning rate",
    )
    parser.add_argument(
        "--search-steps",
        type=positive_int,
        default=16384,
        help="steps for each learning rate of the search, but one epoch at least",
    )
    parser.add_argument(
        "--search-epochs",
        type=positive_int,
        default=40,
        help="epochs for each learning rate of the search, at most",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    data = load_data(args)
    args.batch_sizes = choose_batch_sizes(args, data)
    table = run(args, data)
    title = (
        f"Batch size: {data.title}, {len(data.y_train)} rows, at most "
        f"{args.max_epochs} epochs or {args.budget:g} s a training"
    )
    report(
        args, title, table, judge(table), format_rows(table), lambda: draw(args, table)
    )


def draw(args: argparse.Namespace, table: pd.DataFrame) -> Any:
    """Draw the times and the test accuracy against the batch size."""
    figure = BatchSizeDisplay.from_results(table).figure_
    n_train, name = table["n_train"].iloc[0], table["dataset"].iloc[0]
    figure.suptitle(f"The {args.network} network on {n_train} rows of {name}", size=10)
    return figure


if __name__ == "__main__":
    run_script(main)
