"""Time how fast all labels are fitted, in several ways to train the same layers.

The contenders take turns on the CPU. All but the plain loop, which is what a competent
user writes in an afternoon, have the hidden layers that MemorizingMLP chooses. They are
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
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from _tools.arguments import add_repeats, make_parser, positive_seconds
from _tools.claims import ZERO_ERROR, Claim, count
from _tools.common import Data, load_data, run_script, warm_up
from _tools.contenders import (
    CONTENDERS,
    MEMORIZING_MLP,
    PLAIN_LOOP,
    SMALL,
    Entry,
    choose_entries,
    make_labels,
)
from _tools.machine import gemm_peak, peak_memory
from _tools.plain_loop import Fit, Task
from _tools.progress import track
from _tools.tables import Columns, format_rows, report


def attainable_accuracy(X: np.ndarray, y: np.ndarray) -> float:
    """Compute the highest accuracy that equal rows with different labels allow."""
    rows = [row.tobytes() for row in X + 0.0]  # zeros of both signs are equal
    pairs = pd.DataFrame({"row": pd.factorize(np.array(rows, object))[0], "label": y})
    return float(pairs.value_counts().groupby("row").max().sum() / len(y))


def run(
    args: argparse.Namespace, data: Data, **limits: float
) -> tuple[pd.DataFrame, str]:
    """Let all contenders fit the data; give the table, and what the machine can do."""
    entries = choose_entries(args.contenders, data, **limits)
    machine, peaks = describe_machine(entries[0]), []
    for entry in track(entries, lambda entry: f"warm-up, {entry.name}"):
        peaks.append(gemm_peak(entry.shapes, entry.dtype))
        small = Task(*SMALL[:2], entry.task.precision, n_epochs=2)
        warm_up(CONTENDERS[entry.name].fit, small, 0)
    X, fits = data.X_train, []
    seeds = range(args.seed, args.seed + args.repeats)
    for seed, entry in track(
        product(seeds, entries), lambda turn: f"{turn[1].name}, seed {turn[0]}"
    ):
        y = make_labels(data.y_train, args.labels, seed)
        limit = attainable_accuracy(X, y)
        task = dataclasses.replace(entry.task, attainable_accuracy=limit)
        with peak_memory() as memory:
            fit = CONTENDERS[entry.name].fit(X, y, task, seed)
        about = {"contender": entry.name, "seed": seed, "peak_memory_mb": memory.mb}
        fits.append(about | measure(fit, task, entry.flops * len(y)))
    table = summarize(pd.DataFrame(fits)).assign(gemm_peak_tflops=peaks)
    table["hidden_layer_sizes"] = [entry.task.hidden_layer_sizes for entry in entries]
    table["peak_fraction"] = table["tflops"] / peaks
    return table.assign(dataset=data.name, n_train=len(data.y_train)), machine


def measure(fit: Fit, task: Task, flops: int) -> dict[str, Any]:
    """Work out what is told of a single fit, with so many operations in an epoch."""
    tflop = 1e-12 * flops * fit.epochs
    return {
        "epochs": fit.epochs,
        "seconds": fit.seconds,
        "reached": task.is_reached(fit.train_accuracy),
        "train_accuracy": fit.train_accuracy,
        "seconds_per_epoch": fit.train_seconds / fit.epochs,
        "tflop": tflop,
        "tflops": tflop / fit.train_seconds,
    }


def summarize(fits: pd.DataFrame) -> pd.DataFrame:
    """Take medians; `reached` if all have, and the ratio is that of the same seed."""
    plain = fits[fits["contender"] == PLAIN_LOOP].set_index("seed")["seconds"]
    fits = fits.assign(ratio_to_plain_loop=fits["seconds"] / fits["seed"].map(plain))
    groups = fits.groupby("contender", sort=False)
    table = groups.median().drop(columns="seed")
    table["reached"], table["n_fits"] = groups["reached"].all(), groups.size()
    seconds = groups["seconds"]
    table["seconds_low"], table["seconds_high"] = seconds.min(), seconds.max()
    return table.reset_index()


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
    reached = rows[rows["reached"]]
    if MEMORIZING_MLP not in reached.index:
        return claims
    ours = reached.loc[MEMORIZING_MLP]
    for name, row in reached.drop(MEMORIZING_MLP).iterrows():
        # Some fit of each that is faster than some of the other decides nothing.
        is_faster = ours["seconds_high"] < row["seconds_low"]
        is_apart = is_faster or ours["seconds_low"] > row["seconds_high"]
        ranges = (
            f"{r['seconds_low']:.1f} to {r['seconds_high']:.1f} s" for r in (row, ours)
        )
        claim = Claim(
            f"MemorizingMLP is faster than {name}",
            is_faster if is_apart else None,
            f"{row['seconds'] / ours['seconds']:.2f} times its seconds, medians of "
            f"{count(row['n_fits'], 'fit')} of {' and '.join(ranges)}",
        )
        claims.append(claim)
    return claims


COLUMNS: Columns = {
    "contender": "{contender}",
    "hidden layers": lambda row: "-".join(map(str, row["hidden_layer_sizes"])),
    "epochs": "{epochs:g}",
    "seconds": "{seconds:.2f}",
    "of the plain loop's": "{ratio_to_plain_loop:.2f}",
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


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    words = "seconds for each fit; the epoch in which they are over is finished"
    own = {
        "contenders": (list(CONTENDERS), CONTENDERS, "who takes part"),
        "budget": (120.0, positive_seconds, words),
        "no-small": (False, None, "leave the small data out"),
    }
    parser = make_parser(__doc__, "labels", own)
    add_repeats(parser, "fits of each contender, with one seed after the other")
    args = parser.parse_args(argv)
    # The order of the table, whatever that of the arguments is.
    args.contenders = [name for name in CONTENDERS if name in args.contenders]
    data = load_data(args)
    table, machine = run(args, data, budget=args.budget)
    title = (
        f"Speed, {args.labels} labels: {data.title}, {len(data.y_train)} rows, at most "
        f"{args.budget:g} s a fit, medians of {args.repeats}. {machine}"
    )
    report(args, title, table, judge(table), COLUMNS)
    if not args.no_small:
        args.dataset, args.max_samples = "digits", None
        table, _ = run(args, load_data(args), n_epochs=SMALL[-1])
        title = f"Small data, {args.labels} labels: digits, {SMALL[-1]} epochs, medians"
        print(f"\n{title} of {args.repeats}\n\n{format_rows(table, COLUMNS)}")


if __name__ == "__main__":
    run_script(main)
