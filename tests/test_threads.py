"""What the number of threads decides, and what it does not."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sk_memorize import MemorizingMLP
from sk_memorize._interrupts import watch_interrupts
from sk_memorize._threads import single_thread

X, Y = load_digits(return_X_y=True)

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
    y = np.random.RandomState(0).permutation(Y)
    results = []
    for n_threads in (1, 2, 3):
        set_threads(n_threads)
        clf = MemorizingMLP(random_state=0, max_epochs=20, **params).fit(X, y)
        assert torch.get_num_threads() == n_threads
        results.append(clf.predict_proba(X).tobytes())
    assert len(set(results)) == 1


def in_new_thread(function, *args):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *args).result()


@pytest.fixture
def three_threads(set_threads):
    # Three is neither one nor, on most machines, the number of cores.
    set_threads(3)


def test_overlapping_blocks_leave_the_numbers_of_threads_alone(three_threads):
    a_is_in, b_is_in, a_is_out = (threading.Event() for _ in range(3))
    seen = {"a": [], "b": []}

    def look(name):
        seen[name].append(torch.get_num_threads())

    def a():
        look("a")
        with single_thread():
            look("a")
            a_is_in.set()
            assert b_is_in.wait(60)
        look("a")
        a_is_out.set()

    def b():
        # New to torch while the other thread is inside.
        assert a_is_in.wait(60)
        look("b")
        with single_thread():
            b_is_in.set()
            assert a_is_out.wait(60)
            look("b")
        look("b")

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(a), pool.submit(b)]:
            future.result()
    assert seen == {"a": [3, 1, 3], "b": [3, 1, 3]}
    assert torch.get_num_threads() == 3
    assert in_new_thread(torch.get_num_threads) == 3


def test_blocks_nest_and_end_with_errors(three_threads):
    with pytest.raises(RuntimeError, match="inside"), single_thread():
        with single_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1
        assert in_new_thread(torch.get_num_threads) == 3
        raise RuntimeError("inside")
    assert torch.get_num_threads() == 3
    assert in_new_thread(torch.get_num_threads) == 3


def test_a_thread_with_a_number_of_its_own_keeps_it(three_threads):
    def own():
        assert torch.get_num_threads() == 3
        torch.set_num_threads(2)
        in_new_thread(torch.set_num_threads, 3)  # the default again
        with single_thread():
            pass
        return torch.get_num_threads()

    assert in_new_thread(own) == 2
    assert in_new_thread(torch.get_num_threads) == 3


def press_ctrl_c_at(step, block):
    """Enter and leave a block; press Ctrl-C at a step where Python looks for it."""
    left = step

    def press(frame, event, arg):
        nonlocal left
        left -= event in ("call", "c_return") and frame.f_code.co_filename != __file__
        if left == 0:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.setprofile(press)
    try:
        with block():
            pass
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
        assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
    return False


@pytest.mark.parametrize("block", [single_thread, watch_interrupts])
def test_ctrl_c_at_any_step_leaves_threads_and_handler_alone(block, three_threads):
    step, n_running = 1, len(sys._current_frames())
    while press_ctrl_c_at(step, block):
        step += 1
        deadline = time.monotonic() + 20
        while len(sys._current_frames()) > n_running:  # what keeps the default
            assert time.monotonic() < deadline
        assert torch.get_num_threads() == 3
        assert in_new_thread(torch.get_num_threads) == 3
    assert step > 20


@pytest.mark.slow
def test_fits_at_the_same_time_are_as_if_alone(three_threads):
    def fit(width):
        clf = MemorizingMLP(width=width, max_epochs=2, target_accuracy=None)
        clf.set_params(batch_size=128, random_state=0).fit(X[:300], Y[:300])
        return clf.decision_function(X).tobytes(), torch.get_num_threads()

    widths = [32, 640, 32, 640, 32, 32]  # trained with one thread, and with all
    one_by_one = [fit(width) for width in widths]
    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(fit, widths))
    assert at_once == one_by_one
    assert {n_threads for _, n_threads in at_once} == {3}
    assert in_new_thread(torch.get_num_threads) == 3
