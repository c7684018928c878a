"""Tables and figures of the benchmark scripts: averaged, formatted, written."""

import argparse
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _claims import Claim, format_claims

from sk_memorize._atomic import replacing

# Suffixes that --output understands, with the writers.
_WRITERS: dict[str, Callable[[pd.DataFrame], str] | None] = {
    ".csv": lambda table: table.to_csv(index=False),
    ".json": lambda table: table.to_json(orient="records", indent=2) + "\n",
    ".md": None,  # the table as it is printed
}
TABLES = tuple(_WRITERS)
PICTURES = (".png", ".pdf", ".svg")

# What a fit yields; the spread over fits is reported beside the mean.
_MEASURES = (
    "train_accuracy",
    "train_loss",
    "train_accuracy_true",
    "test_accuracy",
    "epochs",
    "fit_seconds",
)

_ORDER = (
    "dataset",
    "labels",
    "protocol",
    "n_train",
    "n_test",
    "train_accuracy",
    "train_loss",
    "train_accuracy_true",
    "test_accuracy",
    "chance_accuracy",
    "epochs",
    "fit_seconds",
    "seed",
)


def summarize(records: list[dict[str, Any]], by: Sequence[str]) -> pd.DataFrame:
    """Average the fits of each setting, in the order in which they were made."""
    rows = []
    for _, group in pd.DataFrame(records).groupby(list(by), sort=False, dropna=False):
        row = group.iloc[0].to_dict()
        for measure in _MEASURES:
            row[measure] = group[measure].mean()
            row[f"{measure}_std"] = group[measure].std()
        row["n_train"] = round(group["n_train"].mean())
        row["n_test"] = round(group["n_test"].mean())
        row["n_fits"] = len(group)
        rows.append(row)
    table = pd.DataFrame(rows)
    first = list(dict.fromkeys([*by, *_ORDER]))
    return table[[*first, *(name for name in table.columns if name not in first)]]


_FORMATS = {
    "train_accuracy": "{:.5f}",
    "train_loss": "{:.4f}",
    "train_accuracy_true": "{:.4f}",
    "test_accuracy": "{:.4f}",
    "chance_accuracy": "{:.4f}",
    "epochs": "{:.3g}",
    "fit_seconds": "{:.1f}",
    "parameters_per_memorized_label": "{:.1f}",
    "fraction": "{:g}",
    "realized_rate": "{:.4f}",
    "test_error": "{:.4f}",
    "seconds": "{:.1f}",
    "relative_epochs": "{:.2f}",
    "relative_seconds": "{:.2f}",
}
_HEADINGS = {
    "train_accuracy": "train acc. (fitted)",
    "train_accuracy_true": "train acc. (true)",
    "test_accuracy": "test acc. (true)",
    "chance_accuracy": "chance acc.",
    "fit_seconds": "fit s",
    "test_error": "test error",
    "relative_epochs": "epochs / true labels",
    "relative_seconds": "seconds / true labels",
}


def format_table(table: pd.DataFrame) -> str:
    """Format a summary for reading: mean, and spread where there are several."""
    shown = pd.DataFrame(index=table.index)
    # What was not measured at all has no column, and in a single row no "nan".
    for name in table.dropna(axis=1, how="all").columns:
        if name.endswith("_std") or name in ("seed", "n_fits"):
            continue
        heading = _HEADINGS.get(name, name.replace("_", " "))
        if name not in _FORMATS:
            shown[heading] = table[name].astype(object).where(table[name].notna(), "")
            continue
        pattern = _FORMATS[name]
        spread = table.get(f"{name}_std")
        shown[heading] = [
            ""
            if np.isnan(mean)
            else pattern.format(mean)
            if spread is None or np.isnan(spread.iloc[i])
            else f"{pattern.format(mean)} ± {pattern.format(spread.iloc[i])}"
            for i, mean in enumerate(table[name])
        ]
    return str(shown.to_markdown(index=False, disable_numparse=True))


def report(
    args: argparse.Namespace,
    title: str,
    table: pd.DataFrame,
    claims: Iterable[Claim],
    shown: str | None = None,
    draw: Callable[[], Any] | None = None,
) -> None:
    """Print a table and its verdicts, and write the files that are asked for.

    `shown` is the table as it is printed, without it what `format_table` makes of it.
    """
    shown = format_table(table) if shown is None else shown
    print(f"\n{textwrap.fill(title, 100)}\n\n{shown}\n\n{format_claims(claims)}")
    if args.output is not None:
        write_table(table, shown, Path(args.output))
    if draw is not None and args.plot is not None:
        save_figure(draw(), args.plot)


def write_table(table: pd.DataFrame, shown: str, path: Path) -> None:
    """Write a table in the format that the suffix names, all of it or nothing.

    Markdown is for reading, and the same as on the screen; other formats have all
    columns.
    """
    write = _WRITERS[path.suffix]
    text = f"{shown}\n" if write is None else write(table)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def finish_figure(figure: Any, panels: Sequence[Any], title: str, columns: int) -> None:
    """Give panels over epochs whole numbers, a common legend below, and a title."""
    for axes in panels:
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles, names = panels[-1].get_legend_handles_labels()
    figure.legend(
        handles,
        names,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=8,
    )
    figure.suptitle(title, fontsize=10)


def save_figure(figure: Any, file: str) -> None:
    """Write a figure of matplotlib, all of it or nothing, and close it."""
    import matplotlib.pyplot as plt

    path = Path(file)
    with replacing(path) as temporary:
        figure.savefig(temporary, format=path.suffix[1:], dpi=150, bbox_inches="tight")
    plt.close(figure)  # those of displays are kept by pyplot
