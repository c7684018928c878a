"""Set the MLP rows of the paper's Table 1 beside fits of the same networks.

Claims (Zhang et al. 2017, arXiv:1611.03530, sections 2 and 3): MLPs with one and with
three hidden layers of 512 units fit random labels as well as true ones; explicit
regularization changes the test accuracy little, and is neither necessary for
generalization nor, by itself, enough to control it.

The paper's setting is SGD without batch norm on images that are cropped to 28x28 and
whitened one by one; the package's is MemorizingMLP's defaults in the same sizes. What
differs from the paper, or is not stated there: the data, CIFAR-10 only if asked for
(random labels are harder on MNIST, where many digits nearly agree), and a sample of
them; batch size (128 for 50,000 rows), epochs, initial weights, weight decay, dropout.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from _tools import claims
from _tools.arguments import Args, make_parser
from _tools.claims import Claim, difference, exceeds, fitted, tell_fitted, tell_test
from _tools.common import Data, guess_std, load_data, run_script, timed_fit
from _tools.sweep import Cell, list_cells, mean_and_spread, run_sweep
from _tools.tables import columns, report
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sk_memorize import LabelPermuter, MemorizingMLP

MODELS = {"1x512": (512,), "3x512": (512, 512, 512)}
SETTINGS = ("paper", "package")
_EXPLICIT = {"weight decay": {"weight_decay": 5e-4}, "dropout": {"dropout": 0.2}}
REGULARIZERS: dict[str, dict[str, float]] = {"none": {}, **_EXPLICIT}
# Accuracies on the training and the test set; rows of Table 1.
_ROWS = [
    ("1x512", "true", "none", 1.0, 0.5051),
    ("1x512", "true", "weight decay", 0.9980, 0.5039),
    ("1x512", "random", "none", 0.9934, 0.1061),
    ("3x512", "true", "none", 1.0, 0.5239),
    ("3x512", "true", "weight decay", 1.0, 0.5335),
    ("3x512", "random", "none", 1.0, 0.1048),
]
_NAMES = ["model", "labels", "regularizer"]
_FIGURES = ["paper_train_accuracy", "paper_test_accuracy"]
PAPER = pd.DataFrame(_ROWS, columns=[*_NAMES, *_FIGURES])
CROP = 28  # pixels on a side
SMALL_PART = 0.1  # a regularizer's effect beside that of random labels

_SGD = {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9, "nesterov": False}}
_DECAY = {"lr_scheduler": "exponential", "lr_scheduler_params": {"gamma": 0.95}}
PAPER_PARAMS: dict[str, Any] = {**_SGD, "lr": 0.01, **_DECAY, "precision": "float32"}
PAPER_PARAMS |= {"norm": None, "negative_slope": 0.0, "whitening_shrinkage": None}


def crop_center(X: np.ndarray, n_channels: int) -> np.ndarray:
    """Cut the 28x28 pixels at the center out of square images, a row each."""
    side = math.isqrt(X.shape[1] // n_channels)
    start = max(0, (side - CROP) // 2)
    middle = slice(start, start + CROP)
    images = X.reshape(len(X), side, side, n_channels)[:, middle, middle]
    return images.reshape(len(X), -1)


def whiten_images(X: np.ndarray) -> np.ndarray:
    """Bring each image to a mean of 0 and a deviation of 1, unless it is flat."""
    deviation = np.maximum(X.std(axis=1, keepdims=True), 1 / math.sqrt(X.shape[1]))
    centered = X - X.mean(axis=1, keepdims=True)
    return (centered / deviation).astype(np.float32, copy=False)


def choose_batch_size(n_rows: int) -> int:
    """Keep the steps of the paper's epochs, roughly; below 16 rows none is faster."""
    return max(16, 2 ** round(math.log2(128 * n_rows / 50_000)))


def make_model(args: Args, data: Data, cell: Cell) -> Pipeline:
    """Make the pipeline of a cell, from the images to the classifier."""
    steps = [FunctionTransformer(crop_center, kw_args={"n_channels": data.n_channels})]
    params: dict[str, Any] = {"max_epochs": args.max_epochs, "device": args.device}
    if cell["setting"] == "paper":
        steps.append(FunctionTransformer(whiten_images))
        params |= {**PAPER_PARAMS, "batch_size": choose_batch_size(len(data.y_train))}
        # True labels are fitted sooner than a regularizer shows.
        params["target_accuracy"] = None if cell["labels"] == "true" else 1.0
    params |= REGULARIZERS[cell["regularizer"]]
    sizes, seed = MODELS[cell["model"]], cell["seed"]
    network = MemorizingMLP(hidden_layer_sizes=sizes, random_state=seed, **params)
    return make_pipeline(*steps, network)


def measure(args: Args, data: Data, cell: Cell) -> dict[str, Any]:
    """Fit a cell's network, and measure it on the labels fitted and the test set."""
    y = data.y_train
    if cell["labels"] == "random":
        y = LabelPermuter("uniform", random_state=cell["seed"]).fit(y).transform(y)
    model = make_model(args, data, cell)
    return {
        "fit_seconds": timed_fit(model, data.X_train, y),
        "parameters": model[-1].n_parameters_,
        "epochs": model[-1].n_epochs_,
        "train_accuracy": model.score(data.X_train, y),
        "test_accuracy": model.score(data.X_test, data.y_test),
        "guess_std": guess_std(data.y_test, model.predict(data.X_test)),
    }


def run(args: Args, data: Data) -> pd.DataFrame:
    """Run all fits; one row for each setting, model, kind of labels and regularizer."""
    # The order of the table, whatever that of the arguments is.
    settings = [name for name in SETTINGS if name in args.settings]
    models = [name for name in MODELS if name in args.models]
    kinds = {"labels": ("true", "random"), "regularizer": REGULARIZERS}
    cells = list_cells(setting=settings, model=models, **kinds, seed=args.seed)
    fits = run_sweep(
        args, data, cells, measure, in_cells=("settings", "models", "seed")
    )
    measures = ["epochs", "train_accuracy", "test_accuracy", "guess_std", "fit_seconds"]
    table = mean_and_spread(fits, ["setting", *_NAMES, "parameters"], measures)
    return add_paper(table).assign(**data.facts)


def add_paper(table: pd.DataFrame) -> pd.DataFrame:
    """Put the paper's figures beside those found, and the differences."""
    table = table.merge(PAPER, how="left")
    found = table[["train_accuracy", "test_accuracy"]].to_numpy()
    table[["train_difference", "test_difference"]] = found - table[_FIGURES]
    return table


COLUMNS = columns(
    *("setting", *_NAMES, "parameters", "epochs", "train_accuracy", "test_accuracy"),
    *(*_FIGURES, "train_difference", "test_difference", "fit_seconds"),
)


def judge(table: pd.DataFrame) -> list[Claim]:
    """Judge the claims for each network."""
    return [
        Claim(f"{setting} setting, {model}: {text}", holds, evidence)
        for (setting, model), rows in table.groupby(["setting", "model"], sort=False)
        for text, holds, evidence in _judge_network(rows.set_index(_NAMES[1:]))
    ]


def _judge_network(rows: pd.DataFrame) -> Iterator[tuple[str, bool | None, str]]:
    random, true = rows.loc[("random", "none")], rows.loc[("true", "none")]
    chance, accuracy = random["chance_accuracy"], random["test_accuracy"]
    leeway = claims.leeway(random)
    near = f"on the test set, chance {chance:.4f} ± {leeway:.4f}"
    told = f"{tell_fitted(random)} (paper: {random['paper_train_accuracy']:.4f})"
    yield "random labels are fitted", fitted(random), told
    text = "random labels leave nothing to generalize from"
    yield text, abs(accuracy - chance) <= leeway, f"{tell_test(random)} {near}"
    yield (
        "true labels are fitted without a regularizer",
        fitted(true),
        tell_fitted(true),
    )
    text = "no regularizer is necessary for generalization"
    yield text, true["test_accuracy"] - chance > leeway, f"{tell_test(true)} {near}"
    of_labels = true["test_accuracy"] - accuracy
    for name in _EXPLICIT:
        effect, margin = difference(rows.loc[("true", name)], true)
        text = f"{name} changes the test accuracy little (by a tenth of what the "
        text += "labels make, at most)"
        told = f"{100 * effect:+.1f} percentage points, where noise may make "
        told += f"{100 * margin:.1f} and the labels make {100 * of_labels:.1f}"
        yield text, exceeds(SMALL_PART * of_labels, abs(effect), margin), told
        row = rows.loc[("random", name)]
        # What is not fitted without a regularizer tells nothing about one.
        still = fitted(row) if fitted(random) else None
        told = f"{tell_fitted(row)}, without it {random['train_accuracy']:.5f}"
        yield f"random labels are still fitted with {name}", still, told


OPTIONS = {
    "settings": (list(SETTINGS), SETTINGS, "whose network and training"),
    "models": (list(MODELS), MODELS, "one or three hidden layers of 512 units"),
}
PARSER = make_parser(
    __doc__, "seed device n-jobs max-epochs", OPTIONS, max_samples=10_000, n_jobs=-1
)


def main(argv: list[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    args = PARSER.parse_args(argv)
    data = load_data(args)
    table, n_rows = run(args, data), len(data.y_train)
    title = f"Table 1 of Zhang et al.: {data.title}, {n_rows} rows, at most "
    title += f"{args.max_epochs} epochs, batches of {choose_batch_size(n_rows)} in the "
    title += "paper's setting; the paper's figures are for 50,000 rows of CIFAR-10"
    report(args, title, table, judge(table), COLUMNS)


if __name__ == "__main__":
    run_script(main)
