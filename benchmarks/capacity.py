"""How many random labels for each parameter? Networks, a linear classifier, a tree.

Rows are drawn in random order, each with a class thrown by a coin. The capacity is the
largest number of them, from the first on, that the classifier fits to the last label:
the median over the repeats, with an interval that makes no assumption on the
distribution. "At least" stands where all rows were fitted.

A capacity of MemorizingMLP that grows in proportion to the number of parameters has the
slope 1 in logarithms; it is that for at most --max-epochs epochs. By Cover's theorem
(1965) half of all labelings of twice as many rows as weights are linearly separable; on
real rows the weights of logistic regression that count are as many as the rank of such
rows with a constant column. A decision tree adds nodes until all labels are fitted.
"""

import dataclasses
import functools
import math
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import Args, add_repeats, make_parser
from _tools.claims import NOISE, Claim, count, exceeds
from _tools.common import Data, fit_small_network, load_data, run_script, warm_up
from _tools.pictures import draw_capacities
from _tools.sweep import Cell, list_cells, run_sweep
from _tools.tables import Columns, columns, report
from scipy.stats import linregress
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sk_memorize import MemorizingMLP, memorization_capacity

NETWORK, LINEAR, TREE = "MemorizingMLP", "LogisticRegression", "DecisionTreeClassifier"
MIN_SAMPLES = 16  # the size that is tried first, except for networks
N_COMPONENTS = 64  # more columns are reduced to these, so that few rows are needed
RTOL = 0.1  # the part of itself to which the capacity of a network is found
LR = 0.05  # with all rows at a time; on digits 1.8 labels per parameter, by default 1.1
SLOPE_TOLERANCE = 0.2  # where the slope in logarithms counts as one
COVERAGE = 0.95  # of an interval that can speak against a theorem


def make_classifier(args: Args, cell: Cell) -> Any:
    """Make the classifier of a cell; it gets its seeds from the measurement."""
    if cell["model"] == NETWORK:
        size = {"width": cell["width"], "depth": cell["depth"]}
        training = {"batch_size": args.max_samples, "max_epochs": args.max_epochs}
        return MemorizingMLP(lr=LR, device=args.device, **size, **training)
    if cell["model"] == LINEAR:
        # Scaled rows are separable if, and only if, the given ones are, and sooner.
        unpenalized = LogisticRegression(C=np.inf, max_iter=5000)
        return make_pipeline(StandardScaler(), unpenalized)
    return DecisionTreeClassifier()


def measure(args: Args, data: Data, cell: Cell) -> dict[str, Any]:
    """Measure the capacity of a classifier."""
    clf, (n_rows, n_columns) = make_classifier(args, cell), data.X_train.shape
    search = {"n_repeats": args.repeats, "random_state": args.seed}
    if cell["model"] == NETWORK:
        warm_up(fit_small_network, args.device)
        # Sizes that are fitted easily take as long as those that are just fitted.
        n_parameters = cell["width"] * (n_columns + (cell["depth"] - 1) * cell["width"])
        search |= {"min_samples": min(n_parameters, n_rows), "rtol": RTOL}
    else:
        clf.fit(np.eye(8), np.arange(8) % 2)  # to warm up
        search |= {"min_samples": MIN_SAMPLES, "rtol": 0.0}
    result = memorization_capacity(clf, data.X_train, max_samples=n_rows, **search)
    low, high = result.interval
    names = "labels", "coverage", "bits", "labels_per_parameter", "bits_per_parameter"
    return {name: getattr(result, name) for name in names} | {
        "parameters": result.n_parameters,
        "at_least": result.is_lower_bound,
        "low": low,
        "high": high if math.isfinite(high) else None,
        "n_fits": len(result.curve),
        "fit_seconds": float(result.curve["seconds"].sum()),
    }


def run(args: Args, data: Data) -> pd.DataFrame:
    """Measure all classifiers; one row for each."""
    sizes = {"depth": sorted(set(args.depths)), "width": sorted(set(args.widths))}
    cells = list_cells(model=[NETWORK], **sizes)
    cells += list_cells(model=[LINEAR, TREE], depth=[None], width=[None])
    table = run_sweep(args, data, cells, measure, ("widths", "depths"))
    # Counts that are missing for some models would become floats.
    table = table.astype({"width": "Int64", "depth": "Int64", "high": float})
    table["cover"] = table["model"].map({LINEAR: 2 * count_weights(args, data)})
    facts = {"dataset": data.name, "n_samples": len(data.X_train), "seed": args.seed}
    return table.assign(**facts, n_classes=2)


def count_weights(args: Args, data: Data) -> int:
    """Count the weights that make a difference, the intercept among them."""
    # A column may be constant in so few rows though it is not in all of them.
    order = np.random.RandomState(args.seed).permutation(len(data.X_train))
    rows = data.X_train[order[: 2 * (data.X_train.shape[1] + 1)]]
    return int(np.linalg.matrix_rank(rows - rows.mean(0))) + 1


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge what the table shows."""
    linear, tree = (table[table["model"] == name].iloc[0] for name in (LINEAR, TREE))
    # Few repeats have an interval that is too sure.
    outside = False if linear["coverage"] >= COVERAGE else None
    covers = linear["low"] <= linear["cover"] <= linear["high"] or outside
    told = f"{_labels(linear)} [{100 * linear['coverage']:.0f} % interval "
    told += f"{linear['low']:g}, {linear['high']:g}] with {linear['parameters']:g} "
    text = f"{LINEAR} has the capacity of Cover's theorem, {linear['cover']:g}"
    of_theorem = Claim(text, covers, f"{told}parameters")
    text = f"{TREE} grows with the labels, and fits all of them"
    told = f"{_labels(tree)} with {tree['parameters']:g} nodes; equal rows with "
    told += "different labels are beyond any classifier"
    of_tree = Claim(text, bool(tree["at_least"]), told)
    return [judge_networks(table[table["model"] == NETWORK]), of_theorem, of_tree]


def judge_networks(networks: pd.DataFrame) -> Claim:
    """Judge whether the capacity is proportional to the number of parameters."""
    known, told, holds = networks[~networks["at_least"].astype(bool)], [], None
    sizes, labels = known["parameters"], known["labels_per_parameter"]
    if len(known):
        told.append(
            f"{count(len(known), 'network')} with {sizes.min():g} to {sizes.max():g} "
            f"parameters memorize {labels.min():.2f} to {labels.max():.2f} labels per "
            f"parameter, {labels.median():.2f} in the median, or "
            f"{known['bits_per_parameter'].median():.2f} bits"
        )
    if more := len(networks) - len(known):
        told.append(
            f"{more} of {len(networks)} networks fitted all "
            f"{networks['n_samples'].iloc[0]} rows, so that more rows are needed"
        )
    if len(set(sizes)) > 1:
        line = linregress(*np.log(known[["parameters", "labels"]].to_numpy(float)).T)
        error = line.stderr if len(known) > 2 else math.nan
        holds = exceeds(SLOPE_TOLERANCE, abs(line.slope - 1), NOISE * error)
        told.append(
            f"the slope in logarithms is {line.slope:.2f} ± {error:.2f}, where "
            f"1 ± {SLOPE_TOLERANCE:g} counts as in proportion"
        )
    text = f"the capacity of {NETWORK} grows in proportion to the number of parameters"
    return Claim(text, holds, "; ".join(told))


def _labels(row: pd.Series) -> str:
    return f"{'at least ' if row['at_least'] else ''}{row['labels']:g} labels"


def make_columns(coverage: float) -> Columns:
    """Make the columns for reading."""
    return {
        **columns("model", "width", "depth"),
        "parameters": "{parameters:g}",
        "labels": lambda row: f"{'≥ ' * row['at_least']}{row['labels']:g}",
        f"interval, {100 * coverage:.0f} %": lambda row: (
            f"{row['low']:g} to {row['high']:g}".replace("nan", "∞")
        ),
        "Cover": "{cover:g}",
        "bits": "{bits:.5g}",
        "labels per par.": "{labels_per_parameter:.2f}",
        "bits per par.": "{bits_per_parameter:.2f}",
        "fits": "{n_fits}",
        "fit s": "{fit_seconds:.1f}",
    }


_NAMES = "device plot n-jobs widths depths max-epochs"
_DEFAULTS = {"max_samples": 4096, "max_epochs": 300}
PARSER = make_parser(__doc__, _NAMES, widths=[2, 4, 8], depths=[1, 2], **_DEFAULTS)
add_repeats(PARSER, "sequences of rows; an interval of 95 %% needs 6 at least")


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = PARSER.parse_args(argv)
    if args.max_samples < MIN_SAMPLES:
        PARSER.error(f"argument --max-samples: must be at least {MIN_SAMPLES}")
    data = load_data(args)
    if min(data.X_train.shape) > N_COMPONENTS:
        title = f"{N_COMPONENTS} principal components of {data.title}"
        X = PCA(N_COMPONENTS, svd_solver="covariance_eigh").fit_transform(data.X_train)
        data = dataclasses.replace(data, title=title, X_train=X)
    table = run(args, data)
    name = f"Capacity for random labels: {data.title}"
    title = f"{name}, at most {len(data.X_train)} rows, 2 classes, {args.repeats} "
    title += f"repeats, at most {args.max_epochs} epochs"
    picture = functools.partial(draw_capacities, table, name)
    shown = make_columns(table["coverage"][0])
    report(args, title, table, judge(table), shown, picture)


if __name__ == "__main__":
    run_script(main)
