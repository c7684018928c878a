"""Digests of objects by their contents."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_memorize._fingerprint import digest

SCRIPT = """
import sys
padding = [object() for _ in range(int(sys.argv[1]))]
import functools
import numpy as np
import pandas as pd
from scipy.stats import loguniform
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import RandomizedSearchCV, RepeatedStratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sk_memorize import MemorizingMLP
from sk_memorize._fingerprint import digest, show

class Own:
    def __init__(self, value):
        self.value, self.itself = value, self

def scaled(factor):
    def distance(a, b):
        return factor * np.abs(a - b).sum() if {"c", "d"} else max(a, key=lambda x: -x)
    return distance

search = RandomizedSearchCV(
    KNeighborsClassifier(metric=scaled(2)), {"p": loguniform(1, 2)},
    scoring=make_scorer(accuracy_score), cv=RepeatedStratifiedKFold(random_state=0),
)
frame = pd.DataFrame({"a": [{"k": [1]}, {"l", "m"}], "b": pd.Categorical(["x", None])})
for value in [
    {"one", "two", "three"}, Own({"x", "y"}), Own(Own).__init__, frame, search, np.add,
    functools.partial(scaled(1), names=[]), np.random.default_rng(0), MemorizingMLP(),
]:
    print(digest(value), show(value))
"""


def test_digests_are_the_same_in_any_process():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(10_000 * seed)],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            check=True,
            capture_output=True,
        ).stdout.split(b"\n")
        for seed in (1, 2)
    ]
    assert outputs[0] == outputs[1]
    assert len(set(outputs[0])) == 10


SERIES = pd.Series([1, 2], index=["a", "b"])
OTHER_ORDER = pd.CategoricalDtype([2, 1])


def frozen(values):
    scaler = make_pipeline(StandardScaler()).fit(np.c_[values])
    return [FrozenEstimator(scaler)]


@pytest.mark.parametrize(
    ("value", "same", "other"),
    [
        ([[1], [1]], [[1]] * 2, [[1], [2]]),
        (np.arange(3, dtype=">i4"), np.arange(6, dtype="i4")[:3], np.arange(3.0)),
        (lambda x: x + 1, lambda x: x + 1, lambda x: x + 2),
        (np.array(["a", None], object), np.array(["a", None], object), ["a", "None"]),
        (np.float64(2), 2.0, 2),
        (torch.arange(3), torch.arange(3), np.arange(3)),
        ([json], [json], [math]),
        (np.ma.array([1, 2], mask=[0, 1]), np.ma.array([1, 3], mask=[0, 1]), [1, 2]),
        (
            np.ma.array([1, 2], mask=[0, 0]),
            np.array([1, 2]),
            np.ma.array([1, 2], mask=[0, 1]),
        ),
        (SERIES, SERIES.copy(), SERIES.set_axis(["b", "a"])),
        (
            SERIES.astype("category"),
            SERIES.astype("category"),
            SERIES.astype(OTHER_ORDER),
        ),
        (
            pl.DataFrame({"a": [1], "b": [2]}),
            pl.DataFrame({"a": [1], "b": [2]}),
            pl.DataFrame({"b": [1], "a": [2]}),
        ),
        (frozen([1, 2]), frozen([1, 2]), frozen([1, 3])),
        (LogisticRegression(C=2), LogisticRegression(C=2), LogisticRegression(C=3)),
    ],
)
def test_contents_decide(value, same, other):
    assert digest(value) == digest(same) != digest(other)


def test_what_cannot_be_pickled_is_of_the_wrong_type():
    class Local:
        pass

    def early():
        return late

    for value in (Local(), early, (x for x in "a")):
        with pytest.raises(TypeError):
            digest([value])
    late = None
