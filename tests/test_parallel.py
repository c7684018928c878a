"""Scores with joblib's backends, and the script that times them."""

import json
import math
import os
import re
import sys
from contextlib import nullcontext

import pandas as pd
import parallel
import pytest
from _tools import workers as _workers
from _tools.workers import Backend, open_backends, warm_up
from joblib import cpu_count, parallel_config
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sk_memorize import CorruptedTargetClassifier, LabelPermuter, MemorizingMLP

X, Y = (values[:450] for values in load_digits(return_X_y=True))

# Networks of these widths are trained with one thread, and with all.
SMALL, LARGE = 32, 640


def network(width):
    return MemorizingMLP(
        width=width,
        batch_size=128,
        max_epochs=2,
        target_accuracy=None,
        device="cpu",
        random_state=0,
    )


def run_search(**params):
    clf = CorruptedTargetClassifier(network(SMALL), LabelPermuter(random_state=0))
    search = GridSearchCV(
        clf,
        {"estimator__width": [SMALL // 2, SMALL]},
        scoring=["accuracy", "neg_log_loss"],
        cv=StratifiedKFold(3),
        return_train_score=True,
        refit="accuracy",
        **params,
    ).fit(X, Y)
    scores = {k: v for k, v in search.cv_results_.items() if k.startswith("split")}
    assert len(scores) == 3 * 2 * 2  # folds, scorers, test and train
    best = search.best_estimator_.estimator_.net_.module_.state_dict()
    return {
        **{key: values.tobytes() for key, values in scores.items()},
        **{key: tensor.numpy().tobytes() for key, tensor in best.items()},
    }


@pytest.fixture(scope="module")
def alone():
    return run_search(n_jobs=1)


@pytest.fixture(scope="module")
def cluster():
    pytest.importorskip("distributed", reason="needs dask[distributed]")
    with open_backends(["dask"]) as (_, dask):
        yield dask


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_scores_do_not_depend_on_n_jobs(backend, alone):
    with parallel_config(backend):
        assert run_search(n_jobs=2) == alone


def test_scores_are_the_same_on_a_cluster(cluster, alone):
    with cluster.activate():
        assert run_search() == alone


def test_the_cluster_has_two_processes_with_a_thread_each(cluster):
    workers = warm_up(cluster, network(LARGE), X, Y)
    processes = {worker.process for worker in workers}
    assert len(processes - {os.getpid()}) == 2
    assert {(worker.torch_threads, worker.predict_threads) for worker in workers} == {
        (1, 1)
    }


def test_the_networks_are_of_both_kinds(set_threads):
    set_threads(2)
    sequential = Backend("sequential", 1, lambda: parallel_config("sequential"))
    for width, expected in [(SMALL, 1), (LARGE, 2)]:
        (seen,) = warm_up(sequential, network(width), X, Y)
        assert seen.torch_threads == expected


@pytest.mark.parametrize("width", [SMALL, LARGE])
def test_processes_divide_the_cores(width, monkeypatch):
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    share = max(1, cpu_count() // 2)
    with open_backends(["loky"]) as (_, loky):
        workers = warm_up(loky, network(width), X, Y)
    assert len({worker.process for worker in workers} - {os.getpid()}) == 2
    for worker in workers:
        assert worker.torch_threads == (1 if width == SMALL else share)
        assert worker.predict_threads <= share
        assert math.isnan(worker.busy_threads) or worker.busy_threads <= share


QUICK = ["--dataset", "digits", "--max-samples", "200", "--folds", "2"]
QUICK += ["--widths", "16", "32", "--depths", "1", "--max-epochs", "3"]


def test_every_backend_has_a_row(cluster, tmp_path, capsys, monkeypatch):
    # The cluster that runs already, to save the time to start another.
    monkeypatch.setattr(_workers, "workers", lambda *_: nullcontext())
    turns, time_search = [], parallel.time_search

    def spy(args, data, backend, seed):
        turns.append((backend.name, seed))
        return time_search(args, data, backend, seed)

    monkeypatch.setattr(parallel, "time_search", spy)
    output = tmp_path / "table.json"
    arguments = ["--backends", "dask", "threading", "loky", "--repeats", "2"]
    parallel.main([*QUICK, *arguments, "--seed", "5", "--output", str(output)])
    records = json.loads(output.read_text())
    names = ["sequential", "loky", "threading", "dask"]
    assert [record["backend"] for record in records] == names
    for record in records:
        name = record["backend"]
        assert (record["dataset"], record["n_train"]) == ("digits", 200)
        assert record["workers"] == (1 if name == "sequential" else 2)
        assert record["processes"] == (2 if name in ("loky", "dask") else 1)
        assert record["torch_threads"] == 1
        assert record["os_threads"] is None or record["os_threads"] >= 1
        assert record["start_seconds"] > 0
        assert record["scores_equal"] is True
    assert records[0]["ratio"] == 1
    out = capsys.readouterr().out
    assert "Two workers, permuted labels: digits, 200 rows, 4 fits a search" in out
    for name in names[1:]:
        assert f"- holds: {name}: every score is the same, bit for bit;" in out
    assert turns == [*((name, 5) for name in names), *((n, 6) for n in names[::-1])]
    assert list(tmp_path.iterdir()) == [output]


def test_without_dask_it_is_skipped_by_name(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    parallel.main([*QUICK, "--backends", "threading", "dask", "--repeats", "1"])
    captured = capsys.readouterr()
    assert re.search("skipped: dask needs .*extra 'distributed'", captured.err)
    assert "- holds: threading: every score" in captured.out
    assert "dask" not in captured.out


def test_repeats_are_summarized():
    fits = pd.DataFrame({"backend": ["sequential", "loky"] * 4, "workers": [1, 2] * 4})
    fits["seed"] = [0, 0, 1, 1, 2, 2, 3, 3]
    fits["seconds"] = [10.0, 5.0, 10.0, 9.0, 10.0, 6.0, 10.0, 6.0]
    fits["start_seconds"] = range(8)
    fits["predict_threads"] = [1] * 7 + [4]
    fits["scores"] = [b"same"] * 7 + [b"other"]
    sequential, loky = parallel.summarize(fits[:6]).to_dict("records")
    assert (sequential["workers"], loky["workers"], loky["start_seconds"]) == (1, 2, 1)
    assert (loky["seconds"], loky["ratio"]) == (6, 0.6)
    assert (loky["ratio_low"], loky["ratio_high"]) == (0.5, 0.9)
    assert loky["scores_equal"] is True
    sequential, loky = parallel.summarize(fits).to_dict("records")
    assert loky["scores_equal"] is False
    assert loky["predict_threads"] == 4


def test_workers_that_do_not_come_are_not_waited_for_forever(tmp_path, monkeypatch):
    monkeypatch.setattr(_workers, "_PATIENCE", 0.01)
    with pytest.raises(RuntimeError, match="only 1 of 2 workers came"):
        _workers._meet(tmp_path, 2)


def test_threads_are_nan_where_the_system_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(_workers, "_TASKS", tmp_path / "task")
    with open_backends([]) as (sequential,):
        (seen,) = warm_up(sequential, network(SMALL), X[:100], Y[:100])
    assert seen.torch_threads == 1
    assert math.isnan(seen.os_threads)
    assert math.isnan(seen.busy_threads)
