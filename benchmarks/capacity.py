"""How many random labels for each parameter? Networks, a linear classifier, a tree.

Rows are drawn in random order, each with a class thrown by a coin (or a die). The
capacity is the largest number of them, from the first on, that the classifier fits to
the last label: the median over the repeats, with an interval for it that makes no
assumption on its distribution. "At least" stands where all rows were fitted.

Three kinds of classifiers are measured. MemorizingMLP, of several widths and depths: a
capacity that grows in proportion to the number of parameters has the slope 1 in
logarithms. Logistic regression without penalty, for which the capacity is known: by
Cover's theorem (1965) half of all labelings of twice as many rows as weights are
linearly separable; on real rows the weights that count are as many as the rank of such
rows with a constant column. And a decision tree, which adds nodes until all labels are
fitted, so that its capacity has no end.

Networks are trained on all rows at a time, with a high learning rate. For such small
ones that is faster than small batches, and more is memorized. They still fail if the
training is too short: their capacity is that for at most --max-epochs epochs.
"""

import argparse
import dataclasses
import functools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import (
    add_own,
    add_repeats,
    fraction_below_1,
    make_parser,
    positive_int,
    seed_value,
    several,
)
from _tools.claims import NOISE, Claim, count, exceeds
from _tools.common import Data, load_data, run_script, say, warm_up, warm_up_workers
from _tools.pictures import draw_capacities
from _tools.sweep import Cell, add_output, run_sweep
from _tools.tables import format_rows, report
from scipy.stats import linregress
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import MemorizingMLP, memorization_capacity

NETWORK, LINEAR, TREE = "MemorizingMLP", "LogisticRegression", "DecisionTreeClassifier"
MIN_SAMPLES = 16  # the size that is tried first, except for networks

# Found on digits: with 300 epochs it is 1.8 labels per parameter, as with 1000. With
# the default batches and learning rate it is 1.1 in ten times the time.
LR = 0.05

SLOPE_TOLERANCE = 0.2  # where the slope in logarithms counts as one
COVERAGE = 0.95  # of an interval that can speak against a theorem

_FIRST = ["dataset", "model", "width", "depth", "n_classes", "n_samples"]


def make_classifier(args: argparse.Namespace, cell: Cell) -> Any:
    """Make the classifier of a cell; it gets its seeds from the measurement."""
    if cell["model"] == NETWORK:
        return MemorizingMLP(
            width=cell["width"],
            depth=cell["depth"],
            batch_size=args.max_samples,
            lr=LR,
            max_epochs=args.max_epochs,
            device=args.device,
        )
    if cell["model"] == LINEAR:
        # Scaled rows are separable if, and only if, the given ones are, and sooner.
        unpenalized = LogisticRegression(C=np.inf, max_iter=5000)
        return make_pipeline(StandardScaler(), unpenalized)
    return DecisionTreeClassifier()


def _fit_model(X: np.ndarray, y: np.ndarray, model: str) -> None:
    """Fit a classifier of a kind to few rows."""
    args = argparse.Namespace(max_samples=100, max_epochs=2, device="cpu")
    classifier = make_classifier(args, {"model": model, "width": 2, "depth": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # two epochs
        classifier.fit(X[:100], y[:100])


def measure(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Measure the capacity of a classifier."""
    say(", ".join(f"{name} {value}" for name, value in cell.items() if value))
    is_network = cell["model"] == NETWORK
    warm_up(_fit_model, cell["model"])
    warm_up_workers(args.device, args.n_jobs)
    max_samples = n_rows(args, data)
    result = memorization_capacity(
        make_classifier(args, cell),
        None if args.gaussian is not None else data.X_train,
        n_features=args.gaussian,
        n_classes=args.classes,
        n_repeats=args.repeats,
        # Sizes that a network fits easily take as long as those that it just fits.
        min_samples=min(_count(data, cell), max_samples) if is_network else MIN_SAMPLES,
        max_samples=max_samples,
        rtol=args.rtol if is_network else 0.0,
        n_jobs=args.n_jobs,
        random_state=args.seed,
    )
    low, high = result.interval
    return {
        "parameters": result.n_parameters,
        "labels": result.labels,
        "at_least": result.is_lower_bound,
        "low": low,
        "high": high if math.isfinite(high) else None,
        "coverage": result.coverage,
        "bits": result.bits,
        "labels_per_parameter": result.labels_per_parameter,
        "bits_per_parameter": result.bits_per_parameter,
        "n_fits": len(result.curve),
        "fit_seconds": float(result.curve["seconds"].sum()),
    }


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Measure all classifiers; one row for each."""
    cells: list[Cell] = [
        {"model": NETWORK, "width": width, "depth": depth}
        for depth in sorted(set(args.depths))
        for width in sorted(set(args.widths))
    ]
    cells += [{"model": name, "width": None, "depth": None} for name in (LINEAR, TREE)]
    work = functools.partial(measure, args, data)
    table = run_sweep(args, data, cells, work, in_cells=("widths", "depths"))
    # Counts that are missing for some models would become floats.
    table = table.astype({"width": "Int64", "depth": "Int64", "high": float})
    table["cover"] = math.nan
    if args.classes == 2:  # the theorem is about two classes
        table.loc[table["model"] == LINEAR, "cover"] = 2 * _count_weights(args, data)
    table = table.assign(
        dataset=data.name,
        n_classes=args.classes,
        n_samples=n_rows(args, data),
        seed=args.seed,
    )
    return table[[*_FIRST, *(name for name in table.columns if name not in _FIRST)]]


def n_rows(args: argparse.Namespace, data: Data) -> int:
    """Tell the largest number of labels that is tried."""
    return len(data.X_train) if args.gaussian is None else int(args.max_samples)


def _count(data: Data, cell: Cell) -> int:
    """Count the parameters of a network with a single output, roughly."""
    width = int(cell["width"])
    return width * (data.X_train.shape[1] + (int(cell["depth"]) - 1) * width)


def _count_weights(args: argparse.Namespace, data: Data) -> int:
    """Count the weights that make a difference, the intercept among them."""
    X = data.X_train
    if args.gaussian is not None:
        return int(args.gaussian) + 1
    # A column may be constant in so few rows though it is not in all of them.
    order = np.random.RandomState(args.seed).permutation(len(X))
    rows = X[order[: 2 * (X.shape[1] + 1)]]
    return int(np.linalg.matrix_rank(rows - rows.mean(0))) + 1


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge what the table shows."""
    rows = table.set_index("model")
    linear, tree = rows.loc[LINEAR], rows.loc[TREE]
    of_theorem = Claim(
        f"{LINEAR} has the capacity of Cover's theorem, {linear['cover']:g}",
        _covers(linear),
        f"{_labels(linear)} [{100 * linear['coverage']:.0f} % interval "
        f"{linear['low']:g}, {linear['high']:g}] with {linear['parameters']:g} "
        "parameters",
    )
    of_tree = Claim(
        f"{TREE} grows with the labels, and fits all of them",
        bool(tree["at_least"]),
        f"{_labels(tree)} with {tree['parameters']:g} nodes; equal rows with "
        "different labels are beyond any classifier",
    )
    of_networks = judge_networks(table[table["model"] == NETWORK])
    claims = [of_networks, of_theorem, of_tree]
    return [of_networks, of_tree] if math.isnan(linear["cover"]) else claims


def _covers(linear: pd.Series) -> bool | None:
    """Compare with Cover's capacity; few repeats have an interval that is too sure."""
    if linear["low"] <= linear["cover"] <= linear["high"]:
        return True
    return False if linear["coverage"] >= COVERAGE else None


def judge_networks(networks: pd.DataFrame) -> Claim:
    """Judge whether the capacity is proportional to the number of parameters."""
    text = f"the capacity of {NETWORK} grows in proportion to the number of parameters"
    known = networks[~networks["at_least"].astype(bool)]
    told = []
    if len(known):
        labels, bits = known["labels_per_parameter"], known["bits_per_parameter"]
        told.append(
            f"{count(len(known), 'network')} with {known['parameters'].min():g} to "
            f"{known['parameters'].max():g} parameters memorize {labels.min():.2f} to "
            f"{labels.max():.2f} labels per parameter, {labels.median():.2f} in the "
            f"median, or {bits.median():.2f} bits"
        )
    if len(known) < len(networks):
        told.append(
            f"{len(networks) - len(known)} of {len(networks)} networks fitted all "
            f"{networks['n_samples'].iloc[0]} rows, so that more rows are needed"
        )
    holds = None
    if len(known["parameters"].unique()) > 1:
        line = linregress(*np.log(known[["parameters", "labels"]].to_numpy(float)).T)
        error = line.stderr if len(known) > 2 else math.nan
        holds = exceeds(SLOPE_TOLERANCE, abs(line.slope - 1), NOISE * error)
        told.append(
            f"the slope in logarithms is {line.slope:.2f} ± {error:.2f}, where "
            f"1 ± {SLOPE_TOLERANCE:g} counts as in proportion"
        )
    return Claim(text, holds, "; ".join(told))


def _labels(row: pd.Series) -> str:
    return f"{'at least ' if row['at_least'] else ''}{row['labels']:g} labels"


def format_capacities(table: pd.DataFrame) -> str:
    """Format the table for reading."""
    marks = {
        "labels": ["≥ " if is_least else "" for is_least in table["at_least"]],
        "high": table["high"].map("{:g}".format).replace("nan", "∞"),
    }
    columns = {
        "model": "{model}",
        "width": "{width}",
        "depth": "{depth}",
        "parameters": "{parameters:g}",
        "labels": "{least}{labels:g}",
        f"interval, {100 * table['coverage'].iloc[0]:.0f} %": "{low:g} to {high}",
        "Cover": "{cover:g}",
        "bits": "{bits:.5g}",
        "labels per par.": "{labels_per_parameter:.2f}",
        "bits per par.": "{bits_per_parameter:.2f}",
        "fits": "{n_fits}",
        "fit s": "{fit_seconds:.1f}",
    }
    shown = table.assign(least=marks["labels"], high=marks["high"])
    return format_rows(shown, columns)


def draw(table: pd.DataFrame, title: str) -> Any:
    """Draw the networks of each depth, and the two other classifiers."""
    networks = table[table["model"] == NETWORK].groupby("depth")
    series = {f"{NETWORK}, depth {depth}": rows for depth, rows in networks}
    series |= {name: table[table["model"] == name] for name in (LINEAR, TREE)}
    return draw_capacities(series, title)


def load_rows(args: argparse.Namespace) -> Data:
    """Load the data, or name the Gaussian inputs, which are drawn where needed."""
    if args.gaussian is not None:
        rows, labels = np.empty((0, args.gaussian)), np.empty(0)
        title = f"Gaussian inputs with {args.gaussian} columns"
        return Data("gaussian", title, rows, labels, rows, labels)
    data, n_components = load_data(args), args.components
    if not n_components or n_components >= min(data.X_train.shape):
        return data
    X = PCA(n_components, svd_solver="covariance_eigh").fit_transform(data.X_train)
    title = f"{n_components} principal components of {data.title}"
    return dataclasses.replace(data, title=title, X_train=X)


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    options = ["dataset", "data-home", "max-samples", "device", "plot", "n-jobs"]
    options += ["widths", "depths", "max-epochs"]
    parser = make_parser(__doc__, options, max_samples=4096, max_epochs=300)
    parser.set_defaults(widths=[2, 4, 8], depths=[1, 2])
    add_output(parser)
    meaning = "sequences of rows and labels; 6 are the fewest for an interval of 95 %%"
    add_repeats(parser, meaning)
    own = {
        "gaussian": (
            None,
            positive_int,
            "Gaussian inputs with so many columns, in place of the data set",
        ),
        "components": (
            64,
            seed_value,
            "real inputs with more columns are reduced to so many principal "
            "components, so that small networks are measured with few rows; 0: never",
        ),
        "classes": (2, several, "classes of the random labels"),
        "rtol": (
            0.1,
            fraction_below_1,
            "the search ends when the capacity of a network is known to this part of "
            "itself",
        ),
    }
    add_own(parser, own)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = make_own_parser()
    args = parser.parse_args(argv)
    if args.max_samples < MIN_SAMPLES:
        parser.error(f"argument --max-samples: must be at least {MIN_SAMPLES}")
    data = load_rows(args)
    table = run(args, data)
    title = (
        f"Capacity for random labels: {data.title}, at most {n_rows(args, data)} "
        f"rows, {args.classes} classes, {args.repeats} repeats, at most "
        f"{args.max_epochs} epochs"
    )
    name = f"Capacity for random labels: {data.title}"
    shown = format_capacities(table)
    report(args, title, table, judge(table), shown, lambda: draw(table, name))


if __name__ == "__main__":
    run_script(main)
