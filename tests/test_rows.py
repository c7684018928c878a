"""The distinct training rows."""

from collections import Counter, defaultdict

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sk_memorize import _equal_rows
from sk_memorize.preprocessing import Rows

VALUES = arrays(np.float32, (30, 2), elements=st.sampled_from([0.0, -0.0, 1.0, 1e-30]))
LABELS = arrays(np.int64, 30, elements=st.integers(0, 3))
WEIGHTS = arrays(np.int64, 30, elements=st.integers(1, 4))


def make(X, y, weight=None):
    weight = None if weight is None else torch.from_numpy(weight.astype(float))
    return Rows(torch.from_numpy(X), torch.from_numpy(y), weight)


def contents(rows):
    return (
        (torch.cat(list(rows.chunks())) + 0.0).tolist(),
        rows.y.tolist(),
        rows.mass.tolist(),
    )


@given(VALUES, LABELS)
def test_attainable_accuracy_counts_the_most_frequent_label_of_equal_rows(X, y):
    labels = defaultdict(Counter)
    for row, label in zip(X + 0.0, y, strict=True):
        labels[tuple(row)][label] += 1
    best = sum(max(counter.values()) for counter in labels.values())
    rows = make(X, y)
    assert rows.attainable_accuracy == best / 30
    assert len(rows) == sum(map(len, labels.values()))


@given(VALUES, LABELS, WEIGHTS, st.randoms(use_true_random=False))
def test_weights_are_repetitions_and_the_order_does_not_matter(X, y, weight, random):
    order = list(range(30))
    random.shuffle(order)
    expected = contents(make(X.repeat(weight, 0), y.repeat(weight)))
    assert contents(make(X[order], y[order], weight[order])) == expected


def test_rows_that_differ_in_one_bit_are_two():
    X = torch.ones(2, 50)
    X[1, 49] = torch.nextafter(torch.tensor(1.0), torch.tensor(2.0))
    assert Rows(X, torch.tensor([0, 1])).attainable_accuracy == 1.0
    assert Rows(X[[0, 0]], torch.tensor([0, 1])).attainable_accuracy == 0.5


def test_rows_of_negligible_weight_are_not_trained_on():
    X, weight = np.arange(3, dtype=np.float32)[:, None], np.array([1, 1e-6, 2])
    rows = make(X, np.array([0, 1, 0]), weight)
    is_light = rows.mass < 1e-3
    assert torch.equal(rows.weight == 0, is_light)
    assert torch.equal(rows.can_be_right, ~is_light)
    assert rows.accuracy_to_reach < rows.attainable_accuracy == 1


def test_rows_with_one_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr(
        _equal_rows.torch,
        "randint",
        lambda *a, **k: torch.zeros(a[2], dtype=torch.int64),
    )
    X = np.array([[1, 2], [3, 4], [1, 2], [5, 6]], dtype=np.float32)
    rows = make(X, np.zeros(4, dtype=np.int64))
    assert sorted(torch.cat(list(rows.chunks())).tolist()) == [[1, 2], [3, 4], [5, 6]]
    assert sorted(rows.mass.tolist()) == [1, 1, 2]
