"""The sweeps of the benchmark scripts: resumed, refused, damaged, and killed."""

import argparse
import dataclasses
import functools
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import corruption
import numpy as np
import pandas as pd
import pytest
from _tools import sweep as _sweep
from _tools.common import Data
from _tools.sweep import cells_file, mean_and_spread, run_batches, run_sweep

CELLS = [{"width": w, "seed": s} for s in (0, 1) for w in (8, 16)]


@pytest.fixture
def data():
    X, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    return Data("toy", "toy", X, y, X, y)


@pytest.fixture
def args(tmp_path):
    return arguments(tmp_path)


def arguments(tmp_path, **changed):
    given = {"kind": "uniform", "seed": [0, 1], "widths": [8, 16], "n_jobs": 1}
    output = str(tmp_path / "table.csv")
    return argparse.Namespace(**(given | {"output": output} | changed))


def measure(args, data, cell, calls=None):
    if calls is not None:
        calls.append(cell)
    return {
        "accuracy": 1 / (cell["width"] + cell["seed"]),
        "loss": [cell["width"], 0.1],
    }


def counting(calls):
    return functools.partial(measure, calls=calls)


def broken_after(n_cells, calls):
    def measure_some(args, data, cell):
        if len(calls) == n_cells:
            raise SystemError("power cut")
        return measure(args, data, cell, calls)

    return measure_some


def test_rows_are_in_the_order_of_the_cells(args, data):
    table = run_sweep(args, data, CELLS, measure)
    assert table[["width", "seed"]].to_dict("records") == CELLS
    assert table["accuracy"].tolist() == [1 / 8, 1 / 16, 1 / 9, 1 / 17]
    assert table["loss"].tolist()[0] == [8, 0.1]


def test_without_output_nothing_is_written(tmp_path, data):
    table = run_sweep(arguments(tmp_path, output=None), data, CELLS, measure)
    assert len(table) == 4
    assert not list(tmp_path.iterdir())


def test_only_what_is_missing_is_measured(args, data, capsys):
    no_file = argparse.Namespace(**vars(args) | {"output": None})
    whole = run_sweep(no_file, data, CELLS, measure)
    calls = []
    with pytest.raises(SystemError, match="power cut"):
        run_sweep(args, data, CELLS, broken_after(3, calls))
    assert len(cells_file(args.output).read_text().splitlines()) == 1 + 3
    resumed = run_sweep(args, data, CELLS, counting(calls := []))
    assert calls == CELLS[3:]
    pd.testing.assert_frame_equal(resumed, whole)
    assert "table.cells.jsonl has 3 finished cells" in capsys.readouterr().err
    again = run_sweep(args, data, CELLS, counting(calls := []))
    assert not calls
    pd.testing.assert_frame_equal(again, whole)


def test_other_processes_measure_the_same(tmp_path, args, data):
    one = run_sweep(args, data, CELLS, measure)
    output = str(tmp_path / "two.csv")
    two = run_sweep(arguments(tmp_path, output=output, n_jobs=2), data, CELLS, measure)
    pd.testing.assert_frame_equal(one, two)


def test_batches_may_come_in_any_order(args, data):
    def backwards(missing):
        for cell in reversed(missing):
            yield cell, measure(args, data, cell)

    table = run_batches(args, data, CELLS, backwards)
    assert table[["width", "seed"]].to_dict("records") == CELLS


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"kind": "symmetric"}, "'kind' is 'uniform' there and 'symmetric' here"),
        ({"widths": [8]}, r"'widths' is \[8, 16\] there and \[8\] here"),
        ({"new": 3}, "'new' is missing there and 3 here"),
    ],
)
def test_another_sweep_is_refused(changed, words, tmp_path, args, data, capsys):
    run_sweep(args, data, CELLS, measure)
    before = cells_file(args.output).read_bytes()
    with pytest.raises(SystemExit) as stop:
        run_sweep(arguments(tmp_path, **changed), data, CELLS, counting(calls := []))
    assert stop.value.code == 1
    assert not calls
    err = capsys.readouterr().err
    assert err.splitlines()[-1].startswith("error: ")
    assert re.search(words, err)
    assert "table.cells.jsonl has the records of another run" in err
    assert cells_file(args.output).read_bytes() == before


def test_other_data_and_versions_are_refused(args, data, capsys, monkeypatch):
    run_sweep(args, data, CELLS, measure)
    changed = dataclasses.replace(data, X_train=data.X_train + 1)
    for given, words in [(changed, "'data' is"), (data, "'torch' is")]:
        with pytest.raises(SystemExit):
            run_sweep(args, given, CELLS, measure)
        assert words in capsys.readouterr().err
        monkeypatch.setattr(_sweep.torch, "__version__", "0.1")


def test_what_does_not_matter_may_change(tmp_path, args, data):
    run_sweep(args, data, CELLS, measure)
    other = arguments(tmp_path, n_jobs=3, output=str(tmp_path / "table.json"))
    run_sweep(other, data, CELLS, counting(calls := []))
    assert not calls


def test_a_sweep_can_be_extended(tmp_path, args, data):
    more = [{"width": w, "seed": s} for s in (0, 1, 2) for w in (8, 32)]
    in_cells = ("seed", "widths")
    run_sweep(args, data, CELLS, measure, in_cells=in_cells)
    extended = arguments(tmp_path, seed=[0, 1, 2], widths=[8, 32])
    table = run_sweep(extended, data, more, counting(calls := []), in_cells=in_cells)
    assert calls == [cell for cell in more if cell not in CELLS]
    assert table[["width", "seed"]].to_dict("records") == more
    with pytest.raises(SystemExit):
        other = arguments(tmp_path, kind="symmetric")
        run_sweep(other, data, CELLS, measure, in_cells=in_cells)


def test_a_broken_last_line_is_measured_again(args, data):
    whole = run_sweep(args, data, CELLS, measure)
    path = cells_file(args.output)
    path.write_bytes(path.read_bytes()[:-20])
    resumed = run_sweep(args, data, CELLS, counting(calls := []))
    assert calls == [CELLS[3]]
    pd.testing.assert_frame_equal(resumed, whole)


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
def test_a_full_disk_keeps_the_finished_cells(args, data, capsys):
    import resource

    run_sweep(args, data, CELLS[:2], measure)
    before = cells_file(args.output).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 50, hard))
    try:
        with pytest.raises(SystemExit):
            run_sweep(args, data, CELLS, measure)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert cells_file(args.output).read_bytes() == before
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert last.endswith("keeps the 2 cells before")
    run_sweep(args, data, CELLS, counting(calls := []))
    assert calls == CELLS[2:]


def test_another_file_is_left_alone(args, data, capsys):
    path = cells_file(args.output)
    path.write_text("width,accuracy\n8,0.5\n")
    with pytest.raises(SystemExit):
        run_sweep(args, data, CELLS, counting(calls := []))
    assert not calls
    assert (
        f"error: {path} is damaged in line 1, or no file of records"
        in capsys.readouterr().err
    )
    assert path.read_text() == "width,accuracy\n8,0.5\n"


def test_means_and_spreads():
    table = pd.DataFrame(
        {"width": [32, 32, 32, 8], "seed": [0, 1, 2, 0], "accuracy": [1, 2, 6, 0.5]}
    )
    summary = mean_and_spread(table, ["width"], ["accuracy"])
    assert list(summary) == ["width", "accuracy", "accuracy_std", "n_seeds"]
    assert summary["width"].tolist() == [32, 8]
    assert summary["accuracy"].tolist() == [3, 0.5]
    expected = pytest.approx([7**0.5, np.nan], nan_ok=True)
    assert summary["accuracy_std"].tolist() == expected
    assert summary["n_seeds"].tolist() == [3, 1]


# The kill

SCRIPT = """
import os, sys
import corruption

# Imports take longer than a small sweep. For each line of arguments this process, which
# has not computed anything yet, forks one that runs the script.
for line in sys.stdin:
    process = os.fork()
    if process == 0:
        os.dup2(2, 1)
        corruption.main(line.split())
        os._exit(0)
    print(process, flush=True)
    print(os.waitpid(process, 0)[1], flush=True)
"""
SWEEP = [
    *("--dataset", "digits", "--max-samples", "100", "--levels", "0", "0.5", "1"),
    *("--lr-scheduler", "exponential", "--max-epochs", "10"),
]
TIMES = ["seconds", "seconds_std", "relative_seconds", "relative_seconds_std"]


class Script:
    """The script, each run in a process of its own."""

    def __enter__(self):
        self.server = subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(Path(corruption.__file__).parent),
                "OMP_NUM_THREADS": "1",  # threads would wait for each other only
            },
        )
        return self

    def __exit__(self, *error):
        self.server.communicate()

    def start(self, output):
        self.server.stdin.write(" ".join([*SWEEP, "--output", str(output), "\n"]))
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def status(self):
        """Wait for the end of the run; zero if it came to its own."""
        return int(self.server.stdout.readline())


def n_cells(output):
    try:
        return cells_file(str(output)).read_bytes().count(b"\n") - 1
    except FileNotFoundError:
        return 0


def signaled(process, number):
    """Send a signal, if there still is such a process."""
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")
def test_a_sweep_that_is_killed_ends_with_the_same_table(tmp_path):
    outputs = whole, killed = tmp_path / "whole.csv", tmp_path / "killed.csv"
    rng, n_kills = random.Random(0), 0
    with Script() as script:
        script.start(whole)
        assert script.status() == 0
        while True:
            before, process = n_cells(killed), script.start(killed)
            # At random moments after something new was finished.
            while n_cells(killed) <= before and signaled(process, 0):
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.1))
            if n_kills < 4:
                signaled(process, signal.SIGKILL)
            if not (status := script.status()):
                break
            assert status == signal.SIGKILL
            n_kills += 1
            assert n_cells(killed) > before  # what was finished is not lost
    assert n_kills
    tables = [pd.read_csv(output).drop(columns=TIMES) for output in outputs]
    pd.testing.assert_frame_equal(*tables)
    assert len(tables[0]) == 6
    fits = [
        [
            {**row["key"], **row["record"], "seconds": None}
            for row in map(json.loads, cells_file(str(output)).read_text().splitlines())
            if "key" in row
        ]
        for output in outputs
    ]
    assert fits[0] == fits[1]
    assert len(fits[0]) == 6
