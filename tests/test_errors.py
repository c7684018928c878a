"""Wrong arguments of every public name; those of a larger subject have a file of it."""

import inspect
from dataclasses import is_dataclass

import numpy as np
import pytest
import test_errors_capacity
import test_errors_files
import test_errors_inputs
import test_errors_interpolation
import test_errors_labels
import test_errors_memorization
import test_errors_mislabeled
import test_errors_mlp
import test_errors_plotting
import test_errors_separability
import test_plotting_memorization
import torch
from error_cases import each, never, refused, wrong_data, wrong_parameters
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sk_memorize
from sk_memorize import (
    BatchNormMLP,
    CorruptedTargetClassifier,
    LabelPermuter,
    memorization_scoring,
)

X = np.random.RandomState(0).standard_normal((6, 2))
Y = list("abcabc")

# Scorers


def corrupted():
    return CorruptedTargetClassifier(LogisticRegression())


class Fitted(LogisticRegression):
    """A fitted classifier that is not to predict."""

    predict = predict_proba = decision_function = never


SCORER = "parameter of memorization_scoring()['fitted_accuracy']"
CLASSIFIER = "'estimator' " + SCORER, "must be a fitted classifier"
SCORING = [
    *wrong_data(
        "memorization_scoring",
        ("estimator-None", {"estimator": None}, *CLASSIFIER, "Got None"),
        ("estimator-str", {"estimator": "svc"}, *CLASSIFIER, "Got 'svc'"),
        ("estimator-class", {"estimator": Fitted}, *CLASSIFIER, "Got <class"),
        (
            "permuter",
            {"estimator": LabelPermuter()},
            *CLASSIFIER,
            "Got LabelPermuter()",
        ),
        ("X-None", {"X": None}, "'X' " + SCORER, "array-like", "Got None"),
        ("y-None", {"y": None}, "'y' " + SCORER, "array-like", "Got None"),
        ("y-short", {"y": Y[:5]}, "inconsistent numbers of samples", "[6, 5]"),
    ),
    *wrong_data(
        "memorization_scoring",
        *(
            (f"unfitted-{name}", {"estimator": estimator}, class_name, "not fitted yet")
            for name, class_name, estimator in [
                ("corrupted", "CorruptedTargetClassifier", corrupted()),
                ("search", "GridSearchCV", GridSearchCV(corrupted(), {})),
                (
                    "step",
                    "StandardScaler",
                    make_pipeline(StandardScaler(), corrupted()),
                ),
            ]
        ),
        error=NotFittedError,
    ),
]


@pytest.fixture(scope="module")
def fitted_classifiers():
    within = corrupted().fit(X, Y)
    within.estimator_ = Fitted()
    return [Fitted().fit(X, Y), within]


@each(SCORING)
def test_nothing_is_predicted(case, fitted_classifiers):
    score = memorization_scoring()["fitted_accuracy"]
    for estimator in fitted_classifiers:
        with refused(case):
            score(**({"estimator": estimator, "X": X, "y": Y} | case.data))


def test_the_other_scorer_also_wants_a_fit():
    with pytest.raises(NotFittedError, match="CorruptedTargetClassifier instance is"):
        memorization_scoring()["accuracy"](corrupted(), X, Y)


# The module, whose arguments are checked by torch


def module(**arguments):
    return {"n_features": 4, "n_classes": 3, "hidden_layer_sizes": (8,), **arguments}


MODULE = [
    *wrong_parameters(
        "BatchNormMLP",
        (
            "groups",
            module(norm="group", n_groups=3),
            *("num_channels (8)", "divisible by", "num_groups (3)"),
        ),
        (
            "dropout",
            module(dropout=1.5),
            "dropout probability",
            "between 0 and 1",
            "1.5",
        ),
    ),
    *wrong_parameters(
        "BatchNormMLP",
        ("seed", module(seed="x"), "manual_seed", "expected a long", "str"),
        ("columns", module(n_features=-1), "negative dimension", "-1"),
        error=RuntimeError,
    ),
]
INPUTS = [
    *wrong_data(
        "BatchNormMLP.forward",
        ("columns", {"X": torch.zeros(5, 3)}, "'X'", "(n_samples, 4)", "(5, 3)"),
        ("vector", {"X": torch.zeros(4)}, "'X'", "(n_samples, 4)", "(4,)"),
        ("images", {"X": torch.zeros(5, 2, 2)}, "(n_samples, 4)", "(5, 2, 2)"),
    ),
    *wrong_data(
        "BatchNormMLP.forward",
        ("array", {"X": np.zeros((5, 4))}, "'numpy.ndarray' object has no attribute"),
        error=AttributeError,
    ),
]


@each(MODULE)
def test_arguments_of_the_module(case):
    with refused(case):
        BatchNormMLP(**case.params)


@each(INPUTS)
def test_inputs_of_the_module(case):
    with refused(case):
        BatchNormMLP(**module())(**case.data)


# All of them

CASES = [
    *(SCORING + MODULE + INPUTS),
    *test_errors_capacity.CASES,
    *test_errors_files.CASES,
    *test_errors_inputs.CASES,
    *test_errors_interpolation.CASES,
    *test_errors_labels.CASES,
    *test_errors_memorization.CASES,
    *test_errors_memorization.READS,
    *test_errors_mislabeled.CASES,
    *test_errors_mlp.CASES,
    *test_errors_separability.CASES,
    *test_errors_plotting.CASES,
    *test_plotting_memorization.CASES,
]


def _has_arguments(method):
    return len(inspect.signature(method).parameters) > 1


def entry_points():
    """List what can be given wrong arguments: functions, classes, their methods."""
    for name in sk_memorize.__all__:
        public = getattr(sk_memorize, name)
        if inspect.isclass(public):
            yield from (
                f"{name}.{method}"
                for method, member in vars(public).items()
                if not method.startswith(("_", "set_", "get_"))
                and inspect.isroutine(member)
                # A result is there already; only what is given it can be wrong.
                and (not is_dataclass(public) or _has_arguments(member))
            )
        elif callable(public):
            yield name


@pytest.mark.parametrize("entry_point", list(entry_points()))
def test_every_entry_point_has_a_case(entry_point):
    assert entry_point in {case.of for case in CASES}


def parameters():
    for name in sk_memorize.__all__:
        public = getattr(sk_memorize, name)
        # The module leaves its arguments to torch, which does not name them, and
        # results are made by functions only.
        is_checked = public is not BatchNormMLP and not is_dataclass(public)
        if callable(public) and is_checked:
            for parameter in inspect.signature(public).parameters:
                yield name, parameter


@pytest.mark.parametrize(("name", "parameter"), list(parameters()))
def test_every_parameter_has_a_case_that_names_it(name, parameter):
    messages = ["".join(case.words) for case in CASES if case.of.startswith(name)]
    assert any(f"'{parameter}'" in message for message in messages)


def test_the_names_of_cases_are_unique():
    names = [str(case) for case in CASES]
    assert len(names) == len(set(names))
