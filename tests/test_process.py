"""The caller's torch and process decide nothing, and are as before afterwards."""

import multiprocessing
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext

import joblib
import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_predict

from sk_memorize import MemorizingMLP

X, Y = load_iris(return_X_y=True)


@contextmanager
def changed(change, value, back):
    change(value)
    try:
        yield
    finally:
        change(back)


LOOKS = (
    *(torch.get_default_dtype, torch.get_default_device, torch.get_num_threads),
    *(torch.is_inference_mode_enabled, torch.is_grad_enabled),
    *(torch.is_autocast_enabled, torch.is_autocast_cache_enabled),
    lambda: signal.getsignal(signal.SIGINT),
)
STATES = {
    "float64": lambda: changed(torch.set_default_dtype, torch.float64, torch.float32),
    "float16": lambda: changed(torch.set_default_dtype, torch.float16, torch.float32),
    "inference_mode": torch.inference_mode,
    "no_grad": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "device": lambda: torch.device("meta"),
    "default_device": lambda: changed(torch.set_default_device, "meta", None),
    "deterministic": lambda: changed(torch.use_deterministic_algorithms, True, False),
}


@pytest.mark.slow
@pytest.mark.parametrize("context", STATES.values(), ids=STATES)
def test_the_callers_state_of_torch_changes_nothing(context):
    results = []
    for make in (nullcontext, context):
        clf = MemorizingMLP(width=64, precision="bfloat16", random_state=0)
        with make():
            before = [look() for look in LOOKS]
            results.append(clf.fit(X, Y).predict_proba(X))
            results.append(clf.partial_fit(X, Y).decision_function(X))
            assert [look() for look in LOOKS] == before
        clf.set_params(warm_start=True).fit(X, Y)  # no tensor of that context is left
    np.testing.assert_array_equal(results[0], results[2])
    np.testing.assert_array_equal(results[1], results[3])


# 3,000 rows of 200 columns use the second thread outside of the small network, too.
FORKED = np.random.RandomState(0).rand(3000, 200), np.arange(3000) % 10


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="there is no fork")
@pytest.mark.parametrize("width", [16, 256])
def test_a_forked_child_predicts_and_fits(width, set_threads):
    set_threads(2)
    clf = MemorizingMLP(width=width, max_epochs=1, target_accuracy=None, random_state=0)
    expected = clf.fit(*FORKED).predict(FORKED[0])
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for work in (clf.predict, clf.fit(*FORKED).predict):
            result = pool.apply_async(work, FORKED[:1]).get(timeout=60)
            assert (result == expected).mean() > 0.99  # one thread rounds otherwise
        pool.apply_async(clf.fit, FORKED).get(timeout=60)
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        cross_val_predict(clf, *FORKED, cv=2)


@pytest.mark.slow
def test_a_fit_where_python_ends_and_has_no_stderr():
    code = (
        "import atexit, sys, torch; from sklearn.datasets import load_iris\n"
        "from sk_memorize import MemorizingMLP; torch.set_num_threads(2)\n"
        "def work(): print(MemorizingMLP(verbose=1, random_state=0)"
        ".fit(*load_iris(return_X_y=True)).train_accuracy_)\n"
        "atexit.register(work); work(); sys.stderr = None\n"
        "print(sys.modules.keys() & {'torchvision', 'matplotlib'})"
    )
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "1.0\nset()\n1.0\n"
