"""Set the MLP rows of the paper's Table 1 beside fits of the same networks.

Claims (Zhang et al. 2017, arXiv:1611.03530, sections 2 and 3): MLPs with one and with
three hidden layers of 512 units fit random labels as well as true ones; explicit
regularization changes the test accuracy little, and is neither necessary for
generalization nor, by itself, enough to control it.

The paper's setting: images cropped to the 28x28 pixels at their center; each image
less its mean, divided by its standard deviation (at least one over the root of the
number of its values); ReLU, no batch norm; SGD with a momentum of 0.9 and a learning
rate of 0.01 that falls by the factor 0.95 each epoch; the same for true and random
labels. Random labels are drawn uniformly, each on its own. The other setting is this
package's: the same images, as they are, and MemorizingMLP's defaults (inputs whitened,
batch norm, a folding rectifier, Adam in cycles of the learning rate) in the same sizes.

What the paper does not state, or what differs from it. The data: CIFAR-10 only with
--dataset cifar10; the paper's figures are for CIFAR-10 in all cases, and random labels
are harder on MNIST, where many digits nearly agree. The rows: a sample, by default.
The batch size: 128 is taken for the paper's 50,000 rows, and fewer in proportion for
fewer rows (a power of two, at least 16), so that the learning rate, which falls by
epochs, allows as many steps. The epochs: --epochs; with random labels, and in the
package's setting, training ends before if all labels are fitted. Weight decay 0.0005
and dropout 0.2: the former is customary, the latter is not in the paper's table. The
initial weights: uniform, in plus or minus one over the root of the number of inputs.

Rules of the verdicts. Labels are fitted if 99.99 % are right in eval mode. Random
labels leave nothing to generalize from if the test accuracy is within four binomial
standard deviations of chance (the guesses for similar images are alike, so they scatter
more widely than independent ones). A regularizer's effect is its difference in test
accuracy with true labels; it is small if at most a tenth of the difference that true
instead of random labels make without any. What three standard errors could turn around,
and whether labels are "still" fitted that were not without a regularizer, is undecided.
"""

import argparse
import dataclasses
import functools
import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from _tools.arguments import (
    add_own,
    fraction_below_1,
    make_parser,
    positive_int,
    positive_seconds,
)
from _tools.claims import Claim, difference, exceeds, fitted, tell_fitted, tell_test
from _tools.common import (
    Data,
    fit_small_network,
    load_data,
    run_script,
    timed_fit,
    warm_up,
)
from _tools.sweep import Cell, add_output, mean_and_spread, run_sweep
from _tools.tables import Columns, format_rows, report, with_spread
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_memorize import LabelPermuter, MemorizingMLP

MODELS = {"1x512": (512,), "3x512": (512, 512, 512)}
SETTINGS = ("paper", "package")
LABELS = ("true", "random")
REGULARIZERS = ("none", "weight decay", "dropout")

# Accuracies on the training and the test set; rows of Table 1.
PAPER = {
    ("1x512", "true", "none"): (1.0, 0.5051),
    ("1x512", "true", "weight decay"): (0.9980, 0.5039),
    ("1x512", "random", "none"): (0.9934, 0.1061),
    ("3x512", "true", "none"): (1.0, 0.5239),
    ("3x512", "true", "weight decay"): (1.0, 0.5335),
    ("3x512", "random", "none"): (1.0, 0.1048),
}

PAPER_ROWS, PAPER_BATCH_SIZE, CROP = 50_000, 128, 28

# The rules of the verdict.
SMALL_PART = 0.1
N_DEVIATIONS = 4

# SGD as in the paper, without what MemorizingMLP adds to it.
PAPER_PARAMS: dict[str, Any] = {
    "norm": None,
    "negative_slope": 0.0,
    "whitening_shrinkage": None,
    "optimizer": "sgd",
    "optimizer_params": {"momentum": 0.9, "nesterov": False},
    "lr": 0.01,
    "lr_scheduler": "exponential",
    "lr_scheduler_params": {"gamma": 0.95},
    "precision": "float32",
}

_SETTING = ["setting", "model", "labels", "regularizer"]
_MEASURES = ("epochs", "train_accuracy", "test_accuracy", "fit_seconds")


def crop_center(X: np.ndarray, n_channels: int) -> np.ndarray:
    """Cut the 28x28 pixels at the center out of square images, a row each."""
    side = math.isqrt(X.shape[1] // n_channels)
    if side <= CROP:
        return X
    start = (side - CROP) // 2
    middle = slice(start, start + CROP)
    images = X.reshape(len(X), side, side, n_channels)[:, middle, middle]
    return images.reshape(len(X), -1)


def whiten_images(X: np.ndarray) -> np.ndarray:
    """Bring each image to a mean of 0 and a deviation of 1, unless it is flat."""
    deviation = X.std(axis=1, keepdims=True)
    least = 1 / math.sqrt(X.shape[1])
    centered = X - X.mean(axis=1, keepdims=True)
    return (centered / np.maximum(deviation, least)).astype(np.float32, copy=False)


def choose_batch_size(n_rows: int) -> int:
    """Keep the steps of an epoch that 128 rows make of the paper's data, roughly."""
    wanted = PAPER_BATCH_SIZE * n_rows / PAPER_ROWS
    # Below 16 rows a step takes as long as with 16.
    return max(16, 2 ** round(math.log2(wanted)))


def make_model(args: argparse.Namespace, data: Data, cell: Cell) -> Pipeline:
    """Make the pipeline of a cell, from the images to the classifier."""
    steps = [FunctionTransformer(crop_center, kw_args={"n_channels": data.n_channels})]
    params: dict[str, Any] = {
        "hidden_layer_sizes": MODELS[cell["model"]],
        "max_epochs": args.epochs,
        "device": args.device,
        "random_state": cell["seed"],
    }
    if cell["setting"] == "paper":
        steps.append(FunctionTransformer(whiten_images))
        # What a regularizer does to true labels may take longer to show than these
        # take to be fitted.
        target = None if cell["labels"] == "true" else 1.0
        params |= {**PAPER_PARAMS, "target_accuracy": target}
        params["batch_size"] = args.batch_size
    if cell["regularizer"] == "weight decay":
        params["weight_decay"] = args.weight_decay
    if cell["regularizer"] == "dropout":
        params["dropout"] = args.dropout
    return make_pipeline(*steps, MemorizingMLP(**params))


def measure(args: argparse.Namespace, data: Data, cell: Cell) -> dict[str, Any]:
    """Fit a cell's network, and measure it on the labels fitted and the test set."""
    warm_up(fit_small_network, args.device)
    y = data.y_train
    if cell["labels"] == "random":
        y = LabelPermuter("uniform", random_state=cell["seed"]).fit(y).transform(y)
    model = make_model(args, data, cell)
    seconds = timed_fit(model, data.X_train, y)
    return {
        "parameters": model[-1].n_parameters_,
        "epochs": model[-1].n_epochs_,
        "train_accuracy": model.score(data.X_train, y),
        "test_accuracy": model.score(data.X_test, data.y_test),
        "fit_seconds": seconds,
    }


def run(args: argparse.Namespace, data: Data) -> pd.DataFrame:
    """Run all fits; one row for each setting, model, kind of labels and regularizer."""
    cells = [
        dict(zip((*_SETTING, "seed"), values, strict=True))
        for values in itertools.product(
            args.settings, args.models, LABELS, REGULARIZERS, args.seed
        )
    ]
    fits = run_sweep(
        args,
        data,
        cells,
        functools.partial(measure, args, data),
        n_jobs=args.n_jobs,
        in_cells=("settings", "models", "seed"),
    )
    table = mean_and_spread(fits, [*_SETTING, "parameters"], _MEASURES)
    return add_paper(table).assign(
        dataset=data.name,
        n_train=len(data.y_train),
        n_test=len(data.y_test),
        chance_accuracy=data.chance_accuracy,
    )


def add_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's figures beside those found, and the differences."""
    names = ["model", "labels", "regularizer"]
    keys = table[names].itertuples(index=False, name=None)
    figures = [PAPER.get(key, (math.nan, math.nan)) for key in keys]
    table = table.copy()
    table[["paper_train_accuracy", "paper_test_accuracy"]] = figures
    for part in ("train", "test"):
        found = table[f"{part}_accuracy"]
        table[f"{part}_difference"] = found - table[f"paper_{part}_accuracy"]
    return table


COLUMNS: Columns = {
    **{name: f"{{{name}}}" for name in (*_SETTING, "parameters")},
    "epochs": with_spread("epochs", ".3g"),
    "train acc. (fitted)": with_spread("train_accuracy", ".5f"),
    "test acc. (true)": with_spread("test_accuracy", ".4f"),
    "paper train acc.": "{paper_train_accuracy:.4f}",
    "paper test acc.": "{paper_test_accuracy:.4f}",
    "train difference": "{train_difference:+.4f}",
    "test difference": "{test_difference:+.4f}",
    "fit s": with_spread("fit_seconds", ".1f"),
}


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the claims for each network."""
    claims = []
    for (setting, model), rows in table.groupby(["setting", "model"], sort=False):
        rows = rows.set_index(["labels", "regularizer"])
        claims += [
            dataclasses.replace(claim, text=f"{setting} setting, {model}: {claim.text}")
            for claim in (
                *_judge_labels(*(rows.loc[(of, "none")] for of in ("random", "true"))),
                *_judge_regularizers(rows),
            )
        ]
    return claims


def _judge_labels(random: pd.Series, true: pd.Series) -> list[Claim]:
    chance = random["chance_accuracy"]
    leeway = N_DEVIATIONS * math.sqrt(chance * (1 - chance) / random["n_test"])
    near = f"on the test set, chance {chance:.4f} ± {leeway:.4f}"
    return [
        Claim(
            "random labels are fitted",
            fitted(random),
            f"{tell_fitted(random)} (paper: {random['paper_train_accuracy']:.4f})",
        ),
        Claim(
            "random labels leave nothing to generalize from",
            abs(random["test_accuracy"] - chance) <= leeway,
            f"{tell_test(random)} {near}",
        ),
        Claim(
            "true labels are fitted without a regularizer",
            fitted(true),
            tell_fitted(true),
        ),
        Claim(
            "no regularizer is necessary for generalization",
            true["test_accuracy"] - chance > leeway,
            f"{tell_test(true)} {near}",
        ),
    ]


def _judge_regularizers(rows: pd.DataFrame) -> list[Claim]:
    true, random = rows.loc[("true", "none")], rows.loc[("random", "none")]
    of_labels = true["test_accuracy"] - random["test_accuracy"]
    claims = []
    for name in REGULARIZERS[1:]:
        effect, margin = difference(rows.loc[("true", name)], true)
        claims.append(
            Claim(
                f"{name} changes the test accuracy little (by a tenth of what the "
                "labels make, at most)",
                exceeds(SMALL_PART * of_labels, abs(effect), margin),
                f"{100 * effect:+.1f} percentage points, where noise may make "
                f"{100 * margin:.1f} and the labels make {100 * of_labels:.1f}",
            )
        )
        # What is not fitted without a regularizer tells nothing about one.
        still = fitted(rows.loc[("random", name)]) if fitted(random) else None
        claims.append(
            Claim(
                f"random labels are still fitted with {name}",
                still,
                f"{tell_fitted(rows.loc[('random', name)])}, without it "
                f"{random['train_accuracy']:.5f}",
            )
        )
    return claims


def make_own_parser() -> argparse.ArgumentParser:
    """Make the parser; options of other scripts have the same meaning here."""
    options = "dataset", "data-home", "max-samples", "seed", "device", "n-jobs"
    parser = make_parser(__doc__, options, max_samples=10_000, n_jobs=-1)
    add_output(parser)
    own = {
        "settings": (list(SETTINGS), SETTINGS, "whose network and training"),
        "models": (list(MODELS), MODELS, "one or three hidden layers of 512 units"),
        "epochs": (60, positive_int, "largest number of epochs"),
        "batch-size": (
            None,
            positive_int,
            "rows of a batch in the paper's setting; without it, 128 for 50,000 rows, "
            "and in proportion a power of two for others",
        ),
        "weight-decay": (5e-4, positive_seconds, "of the rows with weight decay"),
        "dropout": (
            0.2,
            fraction_below_1,
            "probability of dropping a hidden unit, of the rows with dropout",
        ),
    }
    add_own(parser, own)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = make_own_parser().parse_args(argv)
    # The order of the table, whatever that of the arguments is.
    args.settings = [name for name in SETTINGS if name in args.settings]
    args.models = [name for name in MODELS if name in args.models]
    data = load_data(args)
    if args.batch_size is None:
        args.batch_size = choose_batch_size(len(data.y_train))
    table = run(args, data)
    title = (
        f"Table 1 of Zhang et al.: {data.title}, {len(data.y_train)} rows, at most "
        f"{args.epochs} epochs, batches of {args.batch_size} in the paper's setting; "
        "the paper's figures are for 50,000 rows of CIFAR-10"
    )
    report(args, title, table, judge(table), format_rows(table, COLUMNS))


if __name__ == "__main__":
    run_script(main)
