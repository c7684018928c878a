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
import math
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from _tools.arguments import (
    add_own,
    add_repeats,
    make_parser,
    positive_int,
    positive_seconds,
)
from _tools.claims import ZERO_ERROR, Claim, count, exceeds
from _tools.common import Data, load_data, run_script, say
from _tools.contenders import (
    CONTENDERS,
    MEMORIZING_MLP,
    PLAIN_LOOP,
    Fit,
    make_labels,
)
from _tools.machine import PeakMemory, gemm_peak
from _tools.plain_loop import Task, whiten
from _tools.small_data import (
    N_EPOCHS,
    SMALL_COLUMNS,
    make_small_task,
    run_small,
    warm_up_contenders,
)
from _tools.tables import Columns, format_rows, report

from sk_memorize import MemorizingMLP

_COMPONENTS = 448  # that MemorizingMLP trains on at most


@dataclasses.dataclass(frozen=True)
class Entry:
    """A contender in the table, what it has to do, and the layers' sizes.

    `sizes` has the columns that the first layer is given, the units of each
    hidden layer and the classes: for whitened inputs the columns are those that
    the whitening leaves, since arithmetic on constant pixels would be no merit.
    """

    name: str
    task: Task
    sizes: tuple[int, ...]

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """Rows, inputs and outputs of the layers' products."""
        return [(self.task.batch_size, *layer) for layer in pairwise(self.sizes)]

    @property
    def dtype(self) -> torch.dtype:
        """Number format of the products."""
        return torch.bfloat16 if self.task.precision == "bfloat16" else torch.float32


def count_flops(sizes: Sequence[int]) -> int:
    """Count the operations that training spends on one row, in matrix products.

    A layer has three: its outputs, the gradient of its weights and the gradient
    of its inputs, which the first layer does not need. Each of them multiplies
    and adds once for each weight.
    """
    weights = [n_inputs * n_outputs for n_inputs, n_outputs in pairwise(sizes)]
    return 2 * (3 * sum(weights) - weights[0])


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
    """Compute the highest accuracy that equal rows with different labels allow."""
    rows = [row.tobytes() for row in X + 0.0]  # zeros of both signs are equal
    pairs = pd.DataFrame({"row": pd.factorize(np.array(rows, object))[0], "label": y})
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


def measure(
    fit: Fit, task: Task, sizes: Sequence[int], n_train: int, memory_mb: float
) -> dict[str, Any]:
    """Work out what is told of a single fit."""
    flops = count_flops(sizes) * n_train * fit.epochs
    return {
        "epochs": fit.epochs,
        "seconds": fit.seconds,
        "reached": task.is_reached(fit.train_accuracy),
        "train_accuracy": fit.train_accuracy,
        "seconds_per_epoch": fit.train_seconds / fit.epochs,
        "tflop": 1e-12 * flops,
        "tflops": 1e-12 * flops / fit.train_seconds,
        "peak_memory_mb": memory_mb,
    }


def summarize(
    fits: list[dict[str, Any]], entry: Entry, peak: float, data: Data
) -> dict[str, Any]:
    """Make the row of a contender: medians of its fits; `reached` if all have."""
    table = pd.DataFrame(fits)
    middle = table.drop(columns="reached").median()
    return {
        "contender": entry.name,
        "dataset": data.name,
        "n_train": len(data.y_train),
        "hidden_layer_sizes": entry.task.hidden_layer_sizes,
        "epochs": middle["epochs"],
        "seconds": middle["seconds"],
        "seconds_low": table["seconds"].min(),
        "seconds_high": table["seconds"].max(),
        "n_fits": len(table),
        "reached": bool(table["reached"].all()),
        "train_accuracy": middle["train_accuracy"],
        "seconds_per_epoch": middle["seconds_per_epoch"],
        "tflop": middle["tflop"],
        "tflops": middle["tflops"],
        "gemm_peak_tflops": peak,
        "peak_fraction": middle["tflops"] / peak,
        "peak_memory_mb": middle["peak_memory_mb"],
    }


def describe_machine(entry: Entry) -> str:
    """Tell the peaks of both number formats, for the shapes of one contender."""
    low, high = (gemm_peak(entry.shapes, t) for t in (torch.bfloat16, torch.float32))
    return (
        f"GEMM peaks of this machine for the shapes of {entry.name}: float32 "
        f"{high:.3g}, bfloat16 {low:.3g} TFLOPS; {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}."
    )


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge who fits the labels, and whether MemorizingMLP is the fastest."""
    rows = table.set_index("contender")
    claims = [
        Claim(
            f"{name} reaches zero training error ({ZERO_ERROR:.2%})",
            bool(row["reached"]),
            f"median accuracy {row['train_accuracy']:.5f} after {row['epochs']:g} "
            f"epochs, {row['seconds']:.1f} s",
        )
        for name, row in rows.iterrows()
    ]
    if MEMORIZING_MLP not in rows.index or not rows.loc[MEMORIZING_MLP, "reached"]:
        return claims
    ours = rows.loc[MEMORIZING_MLP]
    return claims + [
        Claim(
            f"MemorizingMLP is faster than {name}",
            # Some fit of each that is faster than some of the other decides nothing.
            exceeds(row["seconds"], ours["seconds"], _overlap(row, ours)),
            f"{row['seconds'] / ours['seconds']:.2f} times its seconds, medians of "
            f"{count(row['n_fits'], 'fit')} of {_range(row)} s and {_range(ours)} s",
        )
        for name, row in rows.drop(MEMORIZING_MLP).iterrows()
        if row["reached"]
    ]


def _overlap(row: pd.Series, ours: pd.Series) -> float:
    """Give a margin that no difference of medians has, if the ranges overlap."""
    is_apart = (
        row["seconds_low"] > ours["seconds_high"]
        or row["seconds_high"] < ours["seconds_low"]
    )
    return 0.0 if is_apart else math.inf


def _range(row: pd.Series) -> str:
    return f"{row['seconds_low']:.1f} to {row['seconds_high']:.1f}"


COLUMNS: Columns = {
    "contender": "{contender}",
    "hidden layers": lambda row: "-".join(map(str, row["hidden_layer_sizes"])),
    "epochs": "{epochs:g}",
    "seconds": "{seconds:.2f}",
    "99.99 %": lambda row: (
        "reached" if row["reached"] else f"not reached: {row['train_accuracy']:.5f}"
    ),
    "s per epoch": "{seconds_per_epoch:.3g}",
    "TFLOP": "{tflop:.3g}",
    "TFLOPS": "{tflops:.3g}",
    "GEMM peak": "{gemm_peak_tflops:.3g}",
    "of peak": "{peak_fraction:.1%}",
    "memory MB": "{peak_memory_mb:.0f}",
}


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    options = "dataset", "data-home", "max-samples", "output", "labels"
    parser = make_parser(__doc__, options)
    own = {
        "contenders": (list(CONTENDERS), CONTENDERS, "who takes part"),
        "budget": (
            120.0,
            positive_seconds,
            "seconds for each fit; the epoch in which they are over is finished",
        ),
        "small-repeats": (5, positive_int, "the same for the small data"),
        "no-small": (False, None, "leave the small data out"),
    }
    add_own(parser, own)
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
    report(args, title, table, judge(table), format_rows(table, COLUMNS))
    if not args.no_small:
        small = run_small(args.contenders, args.small_repeats, args.seed)
        title = (
            f"Small data, permuted labels: digits, {N_EPOCHS} epochs, "
            f"medians of {args.small_repeats}"
        )
        print(f"\n{title}\n\n{format_rows(small, SMALL_COLUMNS)}")


if __name__ == "__main__":
    run_script(main)
