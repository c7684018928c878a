"""Corrupt more and more labels, up to all of them, and fit them all the same.

The sweep of figure 1 of Zhang et al. (2017, arXiv:1611.03530) with MemorizingMLP:
(a) learning curves for true labels, random labels, and true labels of randomized
inputs: shuffled pixels (the same permutation in all images), random pixels (another one
in each) and Gaussian noise; (b) time until 99.99 % of the labels are fitted, relative
to that for true labels, against the corruption level; (c) test error against it.

At corruption level p each label is independently, with probability p, replaced by a
class drawn uniformly from all of them, so that a share p(1 - 1/K) really changes: the
realized rate in the table. Test labels are never corrupted; inputs are randomized in
the test rows, too.

Time is that of fit: epochs and seconds up to the first epoch after which 99.99 % of the
fitted labels are right in eval mode. With the network's default schedule, cycles of the
learning rate, this is not asked before the rate has fallen to a quarter of its peak:
the epochs are near the end of a cycle, however simple the labels are, and their ratios
near to one. The first cycle has 16 epochs on MNIST, more on smaller data. With
--lr-scheduler exponential any epoch may be the last, and the ratios tell more.

With --output a sweep that was broken off goes on where it was, and a finished one can
be extended: given more --levels or --seed, only the fits that are missing are made.
"""

import argparse
import functools
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _arguments import OPTIONS, fraction, make_parser, positive_int
from _claims import ZERO_ERROR, count
from _common import (
    Data,
    fit_small_network,
    load_data,
    network_of,
    run_script,
    warm_up,
)
from _corruption_claims import NOISE_INPUTS, RANDOM, TRUE, judge
from _sweep import Cell, add_output, mean_and_spread, run_sweep
from _tables import report
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from sk_memorize import (
    CorruptedTargetClassifier,
    CorruptionSweepDisplay,
    GaussianInputs,
    LabelPermuter,
    MemorizingMLP,
    PixelRandomizer,
    PixelShuffler,
    memorization_scoring,
)

# Kinds after which labels tell nothing about the inputs; the others leave some trace.
RANDOM_KINDS = ("uniform", "permutation")
KINDS = (*RANDOM_KINDS, "symmetric", "asymmetric")
INPUTS = ("shuffled pixels", *NOISE_INPUTS)

_MEASURES = (
    "realized_rate",
    "train_accuracy",
    "train_accuracy_true",
    "test_error",
    "epochs",
    "seconds",
    "relative_epochs",
    "relative_seconds",
)


def label_condition(fraction: float, kind: str) -> str:
    """Name what is fitted at a corruption level, in the paper's words."""
    if fraction == 0:
        return TRUE
    if fraction == 1 and kind in RANDOM_KINDS:
        return RANDOM
    return "corrupted labels"


def list_cells(levels: Sequence[float], seeds: Sequence[int], kind: str) -> list[Cell]:
    """List all fits, seed by seed."""
    return [
        {"condition": condition, "fraction": fraction, "seed": seed}
        for seed in seeds
        for condition, fraction in [
            *((label_condition(level, kind), level) for level in levels),
            *((condition, 0.0) for condition in INPUTS),
        ]
    ]


def make_inputs(condition: str, data: Data, seed: int) -> Any:
    """Make what randomizes the inputs, None where they stay as they are."""
    if condition == "shuffled pixels":
        return PixelShuffler(n_channels=data.n_channels, random_state=seed)
    if condition == "random pixels":
        return PixelRandomizer(n_channels=data.n_channels, random_state=seed)
    if condition == "Gaussian inputs":
        return GaussianInputs(random_state=seed)
    return None


def measure(cell: Cell, *, data: Data, args: argparse.Namespace) -> dict[str, Any]:
    """Fit one network, and test it on the clean test labels."""
    warm_up(fit_small_network, args.device)
    seed = cell["seed"]
    classifier = CorruptedTargetClassifier(
        MemorizingMLP(
            target_accuracy=ZERO_ERROR,
            lr_scheduler=args.lr_scheduler,
            max_epochs=args.max_epochs,
            device=args.device,
            random_state=seed,
        ),
        LabelPermuter(
            args.kind, fraction=cell["fraction"], exact=args.exact, random_state=seed
        ),
    )
    inputs = make_inputs(cell["condition"], data, seed)
    X = data.X_train if inputs is None else inputs.fit_transform(data.X_train)
    # The network's time alone: to randomize inputs is no part of fitting them.
    start = time.perf_counter()
    with warnings.catch_warnings():
        # To miss the target is a result here, and is reported as one.
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier.fit(X, data.y_train)
    seconds = time.perf_counter() - start
    model = classifier if inputs is None else make_pipeline(inputs, classifier)
    network = network_of(classifier)
    scorers = memorization_scoring()
    return {
        "realized_rate": classifier.realized_rate_,
        "train_accuracy": scorers["fitted_accuracy"](model, data.X_train, data.y_train),
        "train_accuracy_true": float(
            scorers["accuracy"](model, data.X_train, data.y_train)
        ),
        "test_error": 1 - float(scorers["accuracy"](model, data.X_test, data.y_test)),
        "epochs": network.n_epochs_,
        "seconds": seconds,
        "loss": network.history_["loss"].tolist(),
    }


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Make all fits that are missing; one row for each."""
    fits = run_sweep(
        args,
        data,
        list_cells(args.levels, args.seed, args.kind),
        functools.partial(measure, data=data, args=args),
        n_jobs=args.n_jobs,
        in_cells=("levels", "seed"),
    )
    # Of each seed, because seeds differ in time for all levels alike.
    true = fits[fits["condition"] == TRUE].set_index("seed")
    for name in ("epochs", "seconds"):
        fits[f"relative_{name}"] = fits[name] / fits["seed"].map(true[name])
    return fits


def chance_error(data: Data, kind: str) -> float:
    """Tell the test error of labels that are guessed as the corrupted ones are."""
    if kind == "permutation":
        return 1 - data.chance_accuracy
    return 1 - 1 / len(np.unique(data.y_train))


def summarize(fits: pd.DataFrame, data: Data, kind: str) -> pd.DataFrame:
    """Average over the seeds; one row for each condition and level."""
    table = mean_and_spread(fits, ["condition", "fraction"], _MEASURES)
    table.insert(0, "dataset", data.name)
    table["chance_error"] = chance_error(data, kind)
    table["n_train"], table["n_test"] = len(data.y_train), len(data.y_test)
    table["n_classes"] = len(np.unique(data.y_train))
    return table


def draw(fits: pd.DataFrame, table: pd.DataFrame, kind: str, title: str) -> Any:
    """Draw the three panels."""
    histories = {
        condition: [
            pd.DataFrame({"loss": loss}, index=range(1, len(loss) + 1))
            for loss in fits.loc[
                (fits["condition"] == condition) & (fits["fraction"] == fraction),
                "loss",
            ]
        ]
        for condition, fraction in [
            (TRUE, 0.0),
            (label_condition(1, kind), 1.0),
            *((condition, 0.0) for condition in INPUTS),
        ]
    }
    display = CorruptionSweepDisplay.from_results(table, histories=histories)
    display.figure_.suptitle(title, fontsize=9)
    return display.figure_


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    parser = make_parser(
        __doc__,
        ("dataset", "data-home", "max-samples", "device", "plot"),
    )
    add_output(parser)
    parser.add_argument(
        "--n-jobs",
        **{
            **OPTIONS["n-jobs"],
            "help": "fits at a time; -1: one per core; the seconds are then those of "
            "fits that share the machine",
        },
    )
    parser.add_argument(
        "--seed",
        **{
            **OPTIONS["seed"],
            "help": "seeds of the corruption, the randomized inputs, the initial "
            "weights and the order of the rows; means over several have a spread",
        },
    )
    parser.add_argument(
        "--levels",
        type=fraction,
        nargs="+",
        default=[i / 10 for i in range(11)],
        metavar="P",
        help="corruption levels from 0 to 1; those two are always among them",
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        default="uniform",
        help="what becomes of a selected label; uniform: a class drawn from all, "
        "possibly its own; permutation: the selected ones are permuted among "
        "themselves; symmetric: one of the other classes; asymmetric: the next class",
    )
    parser.add_argument(
        "--exact",
        action="store_true",
        help="select exactly the share of the rows that the level tells, not each row "
        "independently with that probability",
    )
    parser.add_argument(
        "--lr-scheduler",
        choices=("onecycle", "exponential"),
        default="onecycle",
        help="learning rate; onecycle: rises and falls in cycles, MemorizingMLP's "
        "default; exponential: 0.95 times the last epoch's, as in the paper, so that "
        "each epoch may be the last",
    )
    parser.add_argument(
        "--max-epochs",
        type=positive_int,
        default=200,
        help="epochs after which a network that has not fitted the labels gives up",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    args.levels = sorted({0.0, 1.0, *args.levels})
    args.seed = list(dict.fromkeys(args.seed))
    data = load_data(args)
    fits = run(args, data)
    table = summarize(fits, data, args.kind)
    report(
        args,
        f"Corrupted labels ({args.kind}): {data.title}, {len(data.y_train)} rows",
        table,
        judge(fits, table),
        draw=lambda: draw(
            fits,
            table,
            args.kind,
            f"MemorizingMLP on {data.name}, {args.kind} corruption of labels, "
            f"{count(len(args.seed), 'seed')}",
        ),
    )


if __name__ == "__main__":
    run_script(main)
