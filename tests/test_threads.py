"""No bit of a result depends on the number of threads, however many there are."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from sk_memorize.neural._threads import fair_threads, single_thread, take_fair_part

# Widths, columns and classes are no multiples of 16, which is what MKL, oneDNN and
# torch's sums are sensitive to.
RAGGED = {"hidden_layer_sizes": (200, 104), "batch_size": 1000}
CASES = {
    "float32": (3000, 100, 10, {**RAGGED, "precision": "float32"}),
    "bfloat16": (3000, 203, 7, {**RAGGED, "precision": "bfloat16"}),
    "weights": (3000, 100, 10, {**RAGGED, "label_smoothing": 0.1}),
    "many classes": (3000, 100, 130, {**RAGGED, "precision": "float32"}),
    "large batches": (5000, 100, 10, {**RAGGED, "batch_size": 4999}),
    "large batches, bfloat16": (
        5000,
        100,
        10,
        {**RAGGED, "batch_size": 4999, "precision": "bfloat16"},
    ),
    "small batches": (
        600,
        300,
        10,
        {"width": 1000, "batch_size": 37, "precision": "float32"},
    ),
    "autograd": (3000, 100, 130, {**RAGGED, "dropout": 0.1, "precision": "float32"}),
    "layer norm": (3000, 100, 10, {**RAGGED, "norm": "layer"}),
    "group norm": (5000, 37, 10, {**RAGGED, "norm": "group", "batch_size": 4999}),
    "no norm": (3000, 100, 10, {**RAGGED, "norm": None, "lr": 1e-3}),
    "raw inputs": (3000, 100, 10, {**RAGGED, "whitening_shrinkage": None}),
    "more columns than rows": (300, 500, 10, {"width": 700, "batch_size": 64}),
    "Muon": (3000, 37, 10, {**RAGGED, "optimizer": "muon"}),
    "small, in float64": (4000, 100, 3, {"width": 256, "batch_size": 1024}),
    "few columns": (20000, 7, 10, {}),
}
N_THREADS = (1, 2, 3, 4, 8, 16)

SCRIPT = """
import hashlib, json, sys, warnings
import numpy as np, torch
from sk_memorize import MemorizingMLP

warnings.simplefilter("ignore")
cases, numbers = json.loads(sys.argv[1])
results = {}
for name, (n, d, n_classes, params) in cases.items():
    rng = np.random.default_rng(0)
    X = (rng.standard_normal((n, d)) @ rng.standard_normal((d, d))).astype("float32")
    y = rng.integers(n_classes, size=n)
    weight = rng.uniform(0.5, 2, size=n) if name == "weights" else None
    results[name] = []
    for n_threads in numbers:
        torch.set_num_threads(n_threads)
        clf = MemorizingMLP(
            **params, device="cpu", max_epochs=2, target_accuracy=None, random_state=0
        ).fit(X, y, sample_weight=weight)
        state = clf.net_.module_.state_dict().values()
        assert torch.get_num_threads() == n_threads
        results[name].append([
            hashlib.sha256(b"".join(t.numpy().tobytes() for t in state)).hexdigest(),
            hashlib.sha256(clf.predict_proba(X).tobytes()).hexdigest(),
            hashlib.sha256(clf.predict_proba(X[:7]).tobytes()).hexdigest(),
            [clf.train_accuracy_, clf.train_loss_, clf.attainable_accuracy_],
        ])
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def results():
    # Otherwise MKL would not start more threads than there are cores.
    env = {**os.environ, "MKL_DYNAMIC": "FALSE"}
    arguments = json.dumps([CASES, N_THREADS])
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT, arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_threads_decides_no_bit(results, name):
    alone, *others = results[name]
    assert len(others) == len(N_THREADS) - 1
    assert all(other == alone for other in others)


@pytest.fixture
def six_threads(set_threads):
    set_threads(6)


def test_those_inside_share_the_threads(six_threads):
    both_in, one_out = threading.Barrier(2), threading.Event()
    seen = {"long": [], "short": []}

    def look(name):
        seen[name].append(torch.get_num_threads())

    def long():
        with fair_threads():
            look("long")
            entered.set()
            both_in.wait(60)
            take_fair_part()
            look("long")
            both_in.wait(60)
            assert one_out.wait(60)
            take_fair_part()
            look("long")
        look("long")

    def short():
        assert entered.wait(60)
        with fair_threads():
            both_in.wait(60)
            look("short")
            both_in.wait(60)
        look("short")
        one_out.set()

    entered = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(long), pool.submit(short)]:
            future.result()
    assert seen == {"long": [6, 3, 6, 6], "short": [3, 6]}
    assert torch.get_num_threads() == 6


def test_a_block_in_another_one_does_not_count(six_threads):
    with fair_threads():
        with fair_threads():
            take_fair_part()
            assert torch.get_num_threads() == 6
        with single_thread():
            assert torch.get_num_threads() == 1
        take_fair_part()
        assert torch.get_num_threads() == 6


def test_a_block_that_fails_leaves_no_trace(six_threads):
    with pytest.raises(RuntimeError, match="inside"), fair_threads():
        raise RuntimeError("inside")
    take_fair_part()
    with fair_threads():
        assert torch.get_num_threads() == 6


def test_there_is_a_thread_for_everyone(six_threads):
    everyone = threading.Barrier(8)

    def enter():
        with fair_threads():
            everyone.wait(60)
            take_fair_part()
            n_threads = torch.get_num_threads()
            everyone.wait(60)
        return n_threads

    with ThreadPoolExecutor(8) as pool:
        assert [f.result() for f in [pool.submit(enter) for _ in range(8)]] == [1] * 8
