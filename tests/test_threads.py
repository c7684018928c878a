"""What the number of threads decides, and what it does not."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_predict

from sk_memorize import MemorizingMLP
from sk_memorize._threads import single_thread

SCRIPT = """
import hashlib, itertools, json
import numpy as np
from sk_memorize import MemorizingMLP

digests = []
# Whitening leaves fewer components than columns.
shapes = (5000, 784, 20), (1500, 3000, 1500)
settings = {"precision": "float32"}, {"precision": "bfloat16", "dropout": 0.1}
for (n, d, rank), params in itertools.product(shapes, settings):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, d))
    clf = MemorizingMLP(
        hidden_layer_sizes=(200, 104),
        max_epochs=2,
        target_accuracy=None,
        random_state=0,
        **params,
    ).fit(X.astype("f"), rng.integers(0, 10, n))
    state = clf.net_.module_.state_dict().values()
    bits = b"".join(tensor.numpy().tobytes() for tensor in state)
    digests.append(hashlib.sha256(bits + clf.predict_proba(X).tobytes()).hexdigest())
print(json.dumps(digests))
"""


@pytest.mark.slow
def test_two_processes_with_as_many_threads_give_the_same_bits():
    run = [sys.executable, "-c", SCRIPT]
    env = {**os.environ, "OMP_NUM_THREADS": "2"}
    first, second = (subprocess.check_output(run, env=env) for _ in range(2))
    assert len(set(json.loads(first))) == 4
    assert first == second


@pytest.mark.parametrize("params", [{}, {"norm": "group", "dropout": 0.2}], ids=str)
@pytest.mark.slow
def test_small_networks_always_use_one_thread(set_threads, params):
    X, y = load_digits(return_X_y=True)
    y = np.random.RandomState(0).permutation(y)
    results = []
    for n_threads in (1, 2, 3):
        set_threads(n_threads)
        clf = MemorizingMLP(random_state=0, max_epochs=20, **params).fit(X, y)
        assert torch.get_num_threads() == n_threads
        results.append(clf.predict_proba(X).tobytes())
    assert len(set(results)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_n_jobs_changes_nothing_for_small_networks(backend):
    X, y = load_digits(return_X_y=True)
    clf = MemorizingMLP(random_state=0)
    with joblib.parallel_backend(backend):
        one, two = (
            cross_val_predict(clf, X, y, n_jobs=n, method="predict_proba")
            for n in (1, 2)
        )
    np.testing.assert_array_equal(one, two)


def test_a_block_limits_its_own_thread_and_leaves_no_trace(set_threads):
    set_threads(6)
    with pytest.raises(RuntimeError, match="inside"), single_thread():
        assert torch.get_num_threads() == 1
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 6
        raise RuntimeError("inside")
    assert torch.get_num_threads() == 6
