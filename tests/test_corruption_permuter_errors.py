"""What LabelPermuter refuses, and what it says."""

import re

import numpy as np
import pandas as pd
import pytest

from sk_memorize.corruption import LabelPermuter

CYCLE = [[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5]]
Y = list("aabbcc")
TRANSITION = {"kind": "transition"}


@pytest.mark.parametrize(
    ("params", "fit_params", "message"),
    [
        ({"kind": "swap"}, {}, "The 'kind' parameter of LabelPermuter must be a str"),
        ({"fraction": 1.5}, {}, "The 'fraction' parameter of LabelPermuter must be a"),
        ({"fraction": np.nan}, {}, "in the range [0.0, 1.0]. Got nan instead."),
        ({"exact": 1}, {}, "The 'exact' parameter of LabelPermuter must be"),
        ({"random_state": "x"}, {}, "The 'random_state' parameter of LabelPermuter"),
        (
            TRANSITION,
            {},
            "must be given for kind='transition' and None for the other kinds. "
            "Got None for kind='transition' instead.",
        ),
        (
            {"transition_matrix": CYCLE},
            {},
            "Got a matrix for kind='permutation' instead.",
        ),
        (
            TRANSITION | {"transition_matrix": np.eye(2)},
            {},
            "must have the shape (3, 3), in the order of the classes. "
            "Got an array of shape (2, 2) instead.",
        ),
        (
            TRANSITION | {"transition_matrix": np.eye(3) * [1, 1, -1]},
            {},
            "must be nonnegative. Got the minimum -1.0 instead.",
        ),
        (
            TRANSITION | {"transition_matrix": np.diag([1, 0.5, 1])},
            {},
            "must have rows that sum to 1. Got the sum 0.5 in row 1 instead.",
        ),
        (
            TRANSITION | {"transition_matrix": np.full((3, 3), np.nan)},
            {},
            "Input transition_matrix contains NaN.",
        ),
        ({"kind": "symmetric"}, {"y": ["a"] * 3}, "Got the single class 'a' instead."),
        ({"kind": "asymmetric"}, {"y": [7]}, "must have at least two classes for kind"),
        ({}, {"y": []}, "must have at least one label. Got an empty array instead."),
        ({}, {"y": None}, "y should be a 1d array, got an array of shape ()"),
        ({}, {"y": np.ones((6, 2))}, "y should be a 1d array, got an array of shape"),
        ({}, {"y": [1, np.nan]}, "be free of missing values. Got nan at position 1"),
        ({}, {"y": ["a", None]}, "free of missing values. Got None at position 1"),
        ({}, {"y": pd.Series([pd.NA, "a"])}, "free of missing values. Got nan at"),
        ({}, {"y": [1, np.inf]}, "Input y contains infinity"),
        ({}, {"y": [0.1, 0.2]}, "Unknown label type: continuous"),
        (
            {},
            {"y": np.array(["a", 1], dtype=object)},
            "must be uniformly strings or numbers. Got the types int, str instead.",
        ),
        (
            {},
            {"groups": [1, 2]},
            "The 'groups' parameter of LabelPermuter must be a 1d array-like with one "
            "value for each of the 6 labels. Got an array of shape (2,) instead.",
        ),
        ({}, {"strata": np.ones((6, 1))}, "Got an array of shape (6, 1) instead."),
        (
            {},
            {"groups": ["u", "u", None, "v", "w", "w"]},
            "The 'groups' parameter of LabelPermuter must be free of missing values. "
            "Got None at position 2 instead.",
        ),
        (
            {},
            {"groups": list("uuvwww")},
            "must give each group a single label, because a group is corrupted as a "
            "whole. Got group 'w' with the labels 'b' and 'c' instead.",
        ),
        (
            {},
            {"groups": list("uuvvww"), "strata": [0, 0, 0, 1, 1, 1]},
            "The 'strata' parameter of LabelPermuter must place each group in a single "
            "stratum, because a group is corrupted as a whole. "
            "Got group 'v' in the strata 0 and 1 instead.",
        ),
    ],
)
def test_errors_tell_parameter_value_and_expectation(params, fit_params, message):
    p = LabelPermuter(**params)
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        p.fit(**({"y": Y} | fit_params))
    assert not hasattr(p, "classes_")


def test_fit_resample_refuses_inconsistent_lengths():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        LabelPermuter().fit_resample(np.zeros((3, 1)), Y)
