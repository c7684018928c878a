"""What MemorizingMLP refuses, and what it says."""

import numpy as np
import pandas as pd
import pytest
import torch
from error_cases import each, never, refused, wrong_data, wrong_parameters
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sk_memorize import MemorizingMLP
from sk_memorize.neural import _memorizing_mlp

X, Y = (values[:60] for values in load_digits(return_X_y=True))
FRAME = pd.DataFrame(X).add_prefix("pixel")
FIT = "MemorizingMLP.fit"
LABELS = "'y' parameter of MemorizingMLP"


def quick(**params):
    small = {"width": 8, "max_epochs": 1, "target_accuracy": None, "random_state": 0}
    return MemorizingMLP(**small | params)


def schedule(name, **arguments):
    return {"lr_scheduler": name, "lr_scheduler_params": arguments}


SIZES = "'hidden_layer_sizes' parameter", "ints of at least 1"
CLASSES = "'class_weight' parameter"
SEED = "'random_state' parameter", "an int in the range"
WRONG = {
    "width": (0, 1.5, "big"),
    "depth": (0, None),
    "hidden_layer_sizes": (8,),
    "norm": ("instance",),
    "norm_position": ("in",),
    "negative_slope": (1, np.nan),
    "n_groups": (0,),
    "dropout": (1.0, "0.5"),
    "whitening_shrinkage": ("a", -1),
    "optimizer": ("adan",),
    "optimizer_params": ([1],),
    "lr": (-0.1, 0, np.nan),
    "weight_decay": (-1,),
    "label_smoothing": (1,),
    "lr_scheduler": ("two",),
    "batch_size": (0, "all"),
    "max_epochs": (0, None),
    "target_accuracy": (1.5, 0),
    "device": (None,),
    "precision": ("float16",),
    "class_weight": ("even",),
    "callbacks": (3,),
    **dict.fromkeys(
        ("norm_affine", "exact_finish", "warm_start", "on_interrupt", "verbose"),
        ("no",),
    ),
}
PARAMETERS = wrong_parameters(
    FIT,
    *(
        (f"{name}-{value!r}", {name: value}, f"'{name}' parameter", f"Got {value!r}")
        for name, values in WRONG.items()
        for value in values
    ),
    ("sizes-0", {"hidden_layer_sizes": (8, 0)}, *SIZES, "Got (8, 0)"),
    ("sizes-bool", {"hidden_layer_sizes": [8, True]}, *SIZES, "Got [8, True]"),
    ("sizes-float", {"hidden_layer_sizes": [8.0]}, *SIZES, "Got [8.0]"),
    (
        "groups-remainder",
        {"norm": "group", "n_groups": 5},
        *("'n_groups' parameter", "divisor of each hidden layer's size, (8, 8)", "5"),
    ),
    ("groups-of-one", {"norm": "group", "n_groups": 8}, "'n_groups'", "smaller", "8"),
    (
        "optimizer-class",
        {"optimizer": dict},
        *("'optimizer' parameter", "a subclass of torch.optim.Optimizer", "'dict'"),
    ),
    (
        "optimizer-argument",
        {"optimizer_params": {"beta": 1}},
        *("'optimizer_params' parameter", "betas", "Got {'beta': 1}"),
    ),
    (
        "optimizer-value",
        {"optimizer_params": {"betas": 3}},
        *("'optimizer_params' parameter", "of Adam (lr, betas", "Got {'betas': 3}"),
    ),
    (
        "optimizer-decay",
        {"optimizer": torch.optim.LBFGS, "weight_decay": 0.1},
        *("'optimizer_params' parameter", "LBFGS", "'weight_decay'"),
    ),
    ("lr-twice", {"optimizer_params": {"lr": 0.5}}, "without 'lr'", "Got {'lr': 0.5}"),
    (
        "scheduler-class",
        {"lr_scheduler": dict},
        *("'lr_scheduler' parameter", "a class of torch.optim.lr_scheduler", "'dict'"),
    ),
    (
        "scheduler-argument",
        schedule("step", size=1),
        *("'lr_scheduler_params' parameter", "step_size", "Got {'size': 1}"),
    ),
    (
        "scheduler-value",
        {"lr_scheduler": torch.optim.lr_scheduler.StepLR},
        *("'lr_scheduler_params' parameter", "step_size", "Got None"),
    ),
    (
        "scheduler-none",
        schedule(None, size=1),
        *("'lr_scheduler_params' parameter", "None without a scheduler", "{'size': 1}"),
    ),
    (
        "warmup",
        schedule("onecycle", warmup=1.0),
        *("'lr_scheduler_params' parameter", "'warmup'", "Got {'warmup': 1.0}"),
    ),
    (
        "cycle",
        schedule("onecycle", cycle_epochs=0),
        *("'lr_scheduler_params'", "'cycle_epochs'", "Got {'cycle_epochs': 0}"),
    ),
    (
        "cycle-words",
        schedule("onecycle", cycle_epochs="ten", warmup="half"),
        *("'lr_scheduler_params'", "'cycle_epochs'", "'ten', 'warmup': 'half'}"),
    ),
    ("batch-1", {"batch_size": 1}, "'batch_size'", "2 (for batch norm", "Got 1"),
    ("device", {"device": "tpu9"}, "'device' parameter", "torch can use", "Got 'tpu9'"),
    *(
        (f"weights-{value}", {"class_weight": {0: value}}, CLASSES, "at least 0", "Got")
        for value in (-1, np.inf, "x")
    ),
    ("weights-0", {"class_weight": dict.fromkeys(range(10), 0)}, CLASSES, "all zero"),
    ("seed-str", {"random_state": "x"}, *SEED, "Got 'x'"),
    ("seed-negative", {"random_state": -1}, *SEED, "Got -1"),
    ("seed-new", {"random_state": np.random.default_rng(0)}, *SEED, "Generator(PCG64)"),
)


def with_value(value):
    wrong = X.copy()
    wrong[3, 2] = value
    return {"X": wrong}


MISSING = (
    "Input X contains NaN in the column 2",
    "MemorizingMLP does not accept missing values",
)
NAN_LABELS = np.where(np.arange(60) == 3, np.nan, Y)
TO_PREDICT = [
    ("X-nan", with_value(np.nan), *MISSING),
    ("X-infinite", with_value(-np.inf), "Input X contains infinity"),
    ("X-1d", {"X": X[:, 0]}, "Expected 2D array", "got 1D array", "Reshape your data"),
    ("X-None", {"X": None}, "Expected 2D array", "got scalar array", "nan"),
    ("X-Series", {"X": FRAME["pixel0"]}, "2-dimensional", "Series", "DataFrame"),
    ("X-complex", {"X": X * 1j}, "Complex data not supported"),
    ("X-words", {"X": X.astype(str) + "x"}, "column 0", "'0.0x'", "OneHotEncoder"),
    *(
        (f"X-{name}", {"X": FRAME.assign(pixel0=values)}, *words)
        for name, values, *words in (
            ("text", "red", "column 'pixel0'", "'red'", "OneHotEncoder"),
            ("category", pd.Categorical(["a"] * 60), "'pixel0'", "'a'", "OneHot"),
            ("date", pd.Timestamp("2020"), "'pixel0'", "dates", "FunctionTransformer"),
            ("period", pd.Period("2020"), "'pixel0'", "dates", "FunctionTransformer"),
            ("missing", None, "NaN", "'pixel0'", "SimpleImputer"),
        )
    ),
    ("X-dates", {"X": X.astype("M8[D]")}, "column 0", "dates", "FunctionTransformer"),
]
DATA = [
    *wrong_data(
        FIT,
        *TO_PREDICT,
        (
            "no-rows",
            {"X": X[:0], "y": []},
            LABELS,
            "at least one label",
            "Got an empty",
        ),
        ("one-row", {"X": X[:1], "y": [0]}, "1 sample(s)", "minimum of 2", FIT[:13]),
        ("no-columns", {"X": X[:, :0]}, "0 feature(s)", "minimum of 1", FIT[:13]),
        ("y-None", {"y": None}, "MemorizingMLP", "requires y", "y is None"),
        ("y-short", {"y": Y[:-1]}, "inconsistent numbers of samples", "[60, 59]"),
        ("y-2d", {"y": np.eye(10)[Y]}, LABELS, "1d array-like", "shape (60, 10)"),
        ("y-scalar", {"y": 3}, LABELS, "1d array-like", "Got 3"),
        ("y-one-class", {"y": Y * 0}, "labels of at least 2 classes", "Got one", "0"),
        ("y-continuous", {"y": Y + 0.5}, "continuous", LABELS, "whole numbers", "0.5"),
        ("y-nan", {"y": NAN_LABELS}, LABELS, "missing values", "position 3"),
        ("weight-sign", {"sample_weight": Y - 1}, "Negative values", "sample_weight"),
        ("weight-0", {"sample_weight": 0 * Y}, "weights", "zero"),
        ("weight-length", {"sample_weight": Y[1:]}, "sample_weight.shape", "59", "60"),
        (
            "weight-class",
            {"sample_weight": Y == 3},
            *("classes among the rows of positive sample_weight", "Got one", "3"),
        ),
        ("weight-nan", {"sample_weight": NAN_LABELS}, "sample_weight contains NaN"),
    ),
]


STREAM = wrong_data(
    "MemorizingMLP.partial_fit",
    ("no-classes", {}, "classes must be passed on the first call"),
    ("label", {"classes": range(9)}, "label 9", "'classes'", "[0, 1"),
    ("one-row", {"X": X[:1], "y": [0], "classes": range(10)}, "1 sample(s)", "of 2"),
    (
        "equal-rows",
        {"X": X[[0, 0]], "y": [0, 0], "classes": range(10)},
        *("two distinct rows", "Got one"),
    ),
    ("weight-0", {"sample_weight": 0 * Y, "classes": range(10)}, "zero"),
)


@each(STREAM)
def test_no_epoch_is_trained(case, monkeypatch):
    monkeypatch.setattr("sk_memorize.neural._training.train_epoch", never)
    with refused(case):
        quick().partial_fit(**({"X": X, "y": Y} | case.data))


@pytest.fixture
def no_work(monkeypatch):
    monkeypatch.setattr("sk_memorize.neural._memorizing_mlp.train", never)


@pytest.mark.usefixtures("no_work")
@each(PARAMETERS + DATA)
def test_nothing_is_fitted(case):
    clf = quick(**case.params)
    with refused(case):
        clf.fit(**({"X": X, "y": Y} | case.data))
    with pytest.raises(NotFittedError):
        check_is_fitted(clf)


@pytest.fixture(scope="module")
def fitted():
    return quick().fit(FRAME, Y)


METHODS = "predict", "predict_proba", "predict_log_proba", "decision_function"
NAMES = "feature names should match"
PREDICTION = [
    *wrong_data(
        "MemorizingMLP.predict",
        *TO_PREDICT,
        ("no-rows", {"X": X[:0]}, "0 sample(s)", "minimum of 1 is required"),
        ("other", {"X": FRAME.rename(columns={"pixel0": "a"})}, NAMES, "- a", "pixel0"),
        (
            "order",
            {"X": FRAME[FRAME.columns[::-1]]},
            NAMES,
            "must be in the same order",
        ),
        ("missing", {"X": FRAME.drop(columns="pixel3")}, NAMES, "missing", "- pixel3"),
    ),
    *(
        case
        for method in METHODS
        for case in wrong_data(
            f"MemorizingMLP.{method}",
            ("columns", {"X": X[:, 1:]}, "X has 63 features", "is expecting 64"),
        )
    ),
]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@each(PREDICTION)
def test_nothing_is_computed(case, fitted, monkeypatch):
    monkeypatch.setattr(_memorizing_mlp, "compute_logits", never)
    with refused(case):
        getattr(fitted, case.of.partition(".")[2])(**case.data)


OTHER_NAMES = wrong_parameters(
    "MemorizingMLP",
    ("max_iter", {"max_iter": 1}, "'max_iter'", "MLPClassifier", "'max_epochs'"),
    ("alpha", {"alpha": 1}, "'alpha'", "MLPClassifier", "'weight_decay'"),
    error=TypeError,
)


@each(OTHER_NAMES)
def test_parameters_of_scikit_learns_network_are_translated(case):
    with refused(case):
        quick(**case.params)


RECIPES = wrong_data(
    "MemorizingMLP.from_recipe",
    ("name", {"name": "fast"}, "'name'", "'generalizing', 'memorizing'", "Got 'fast'"),
)


@each(RECIPES)
def test_there_are_recipes_of_these_names_only(case):
    with refused(case):
        MemorizingMLP.from_recipe(**case.data)


CASES = RECIPES + PARAMETERS + DATA + STREAM + PREDICTION + OTHER_NAMES
