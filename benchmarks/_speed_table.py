"""The table of speed.py: what is worked out of the fits, and how it is shown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
import torch
from _claims import ZERO_ERROR, Claim, count, exceeds
from _common import Data
from _contenders import MEMORIZING_MLP, Fit, Task
from _machine import gemm_peak


@dataclass(frozen=True)
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


def format_rows(table: pd.DataFrame) -> str:
    """Format the table for reading."""
    shown = pd.DataFrame(
        {
            "contender": table["contender"],
            "hidden layers": [
                "-".join(map(str, s)) for s in table["hidden_layer_sizes"]
            ],
            "epochs": table["epochs"].map("{:g}".format),
            "seconds": table["seconds"].map("{:.2f}".format),
            "99.99 %": [
                "reached" if r else f"not reached: {a:.5f}"
                for r, a in zip(table["reached"], table["train_accuracy"], strict=True)
            ],
            "s per epoch": table["seconds_per_epoch"].map("{:.3g}".format),
            "TFLOP": table["tflop"].map("{:.3g}".format),
            "TFLOPS": table["tflops"].map("{:.3g}".format),
            "GEMM peak": table["gemm_peak_tflops"].map("{:.3g}".format),
            "of peak": table["peak_fraction"].map("{:.1%}".format),
            "memory MB": table["peak_memory_mb"]
            .map("{:.0f}".format)
            .replace("nan", ""),
        }
    )
    return str(shown.to_markdown(index=False, disable_numparse=True))


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
