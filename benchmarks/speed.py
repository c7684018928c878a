"""Time how fast all labels are fitted, in several ways to train the same layers.

The contenders take turns: each repeat goes once through all of them. All compute
on the CPU and have the hidden layers that MemorizingMLP chooses; only the plain
loop, which is what a competent user writes in an afternoon, has its own. They are
stopped when 99.99 % of the labels are fitted, or in the epoch in which their time is
over; MemorizingMLP and the plain loop go on to 100 %. The others have their stock
settings, and their clock stops while their accuracy is measured. A second table is
about small data, where overhead counts.

Seconds are those of the whole fit, those per epoch and TFLOPS of the epochs alone,
without whitening and checks. TFLOP and TFLOPS, the same per second, count the matrix
products of the training, and are compared with the fastest such product that the
machine can do. Memory is the highest resident memory during a fit less that before it.
"""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from _arguments import add_repeats, make_parser, positive_int, positive_seconds
from _common import Data, load_data, run_script, say
from _contenders import CONTENDERS, MEMORIZING_MLP, PLAIN_LOOP, Task, make_labels
from _machine import PeakMemory, gemm_peak
from _plain_loop import whiten
from _small_data import (
    N_EPOCHS,
    format_small,
    make_small_task,
    run_small,
    warm_up_contenders,
)
from _speed_table import Entry, describe_machine, format_rows, judge, measure, summarize
from _tables import report

from sk_memorize import MemorizingMLP
from sk_memorize._equal_rows import group_equal_rows

_COMPONENTS = 448  # that MemorizingMLP trains on at most


def choose_entries(
    names: Sequence[str], X: np.ndarray, y: np.ndarray, budget: float
) -> list[Entry]:
    """Give each contender its task; one epoch shows what MemorizingMLP chooses."""
    say("one epoch, to see what MemorizingMLP chooses")
    chosen = MemorizingMLP(max_epochs=1, target_accuracy=None, device="cpu").fit(X, y)
    n_whitened = whiten(torch.from_numpy(X)).shape[1]
    columns = {MEMORIZING_MLP: min(n_whitened, _COMPONENTS), PLAIN_LOOP: n_whitened}
    entries = []
    for name in names:
        stock = CONTENDERS[name]
        hidden = stock.hidden_layer_sizes or chosen.hidden_layer_sizes_
        batch_size = min(stock.batch_size or chosen.batch_size_, len(X))
        precision = chosen.precision_ if stock.whitens else "float32"
        task = Task(hidden, batch_size, precision, budget=budget)
        n_inputs = columns[name] if name in columns else X.shape[1]
        entries.append(Entry(name, task, (n_inputs, *hidden, int(y.max()) + 1)))
    return entries


def attainable_accuracy(X: np.ndarray, y: np.ndarray) -> float:
    """Compute what equal rows with different labels leave of an accuracy of 1."""
    groups, _ = group_equal_rows(torch.from_numpy(X))
    pairs = pd.DataFrame({"row": groups, "label": y})
    return float(pairs.value_counts().groupby("row").max().sum() / len(y))


def run(args: argparse.Namespace, data: Data) -> tuple[pd.DataFrame, str]:
    """Let all contenders fit the data; give the table, and what the machine can do."""
    warm_up_contenders(args.contenders, make_small_task())
    X = data.X_train
    entries = choose_entries(
        args.contenders, X, make_labels(data.y_train, "true", 0), args.budget
    )
    print("measuring: matrix products ...", file=sys.stderr, flush=True)
    peaks = {entry.name: gemm_peak(entry.shapes, entry.dtype) for entry in entries}
    machine = describe_machine(entries[0])

    fits: dict[str, list[dict[str, Any]]] = {entry.name: [] for entry in entries}
    for seed in range(args.seed, args.seed + args.repeats):
        y = make_labels(data.y_train, args.labels, seed)
        limit = attainable_accuracy(X, y)
        for entry in entries:
            say(f"{args.labels} labels, {entry.name}, seed {seed}")
            task = dataclasses.replace(entry.task, attainable_accuracy=limit)
            with PeakMemory() as memory:
                fit = CONTENDERS[entry.name].fit(X, y, task, seed)
            fits[entry.name].append(measure(fit, task, entry.sizes, len(y), memory.mb))
    rows = [summarize(fits[e.name], e, peaks[e.name], data) for e in entries]
    return pd.DataFrame(rows), machine


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    parser = make_parser(__doc__, ("dataset", "data-home", "max-samples", "output"))
    parser.add_argument(
        "--labels",
        choices=("permuted", "true"),
        default="permuted",
        help="which labels to fit; those of the small data are permuted",
    )
    parser.add_argument(
        "--contenders",
        choices=CONTENDERS,
        nargs="+",
        default=list(CONTENDERS),
        metavar="NAME",
        help="who takes part",
    )
    parser.add_argument(
        "--budget",
        type=positive_seconds,
        default=120.0,
        metavar="SECONDS",
        help="time for each fit; the epoch in which it is over is finished, and counts",
    )
    parser.add_argument(
        "--small-repeats",
        type=positive_int,
        default=5,
        help="the same for the small data",
    )
    parser.add_argument(
        "--no-small", action="store_true", help="leave the small data out"
    )
    add_repeats(parser, "fits of each contender, with one seed after the other")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    # The order of the table, whatever that of the arguments is.
    args.contenders = [name for name in CONTENDERS if name in args.contenders]
    data = load_data(args)
    table, machine = run(args, data)
    title = (
        f"Speed, {args.labels} labels: {data.title}, {len(data.y_train)} rows, at most "
        f"{args.budget:g} s a fit, medians of {args.repeats}. {machine}"
    )
    report(args, title, table, judge(table), format_rows(table))
    if not args.no_small:
        small = run_small(args.contenders, args.small_repeats, args.seed)
        title = (
            f"Small data, permuted labels: digits, {N_EPOCHS} epochs, "
            f"medians of {args.small_repeats}"
        )
        print(f"\n{title}\n\n{format_small(small)}")


if __name__ == "__main__":
    run_script(main)
