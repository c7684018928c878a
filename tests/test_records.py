"""The file of records: what comes back, after damage and after a kill as well."""

import math
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sk_memorize
from sk_memorize._records import RecordStore

HEADER = {"script": "sweep", "data": "digits", "rows": 100}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sweep.jsonl"


def store_with(path, n_records, header=HEADER):
    store = RecordStore(path, header)
    for i in range(n_records):
        store.add({"width": 2**i, "seed": 0}, {"accuracy": 1 / (i + 3)})
    return store


def test_records_come_back_in_their_order(path):
    store = store_with(path, 4)
    again = RecordStore(str(path), HEADER)
    assert again.records == store.records
    assert [record["width"] for record in again.records] == [1, 2, 4, 8]
    assert again.get({"seed": 0, "width": 4}) == {"accuracy": 1 / 5}
    assert again.get({"seed": 1, "width": 4}) is None
    assert {"width": 4, "seed": 0} in again
    assert {"width": 4} not in again
    assert len(again) == 4
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208  only the name


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def bits(value):
    """Tell values apart that are equal, and see that NaN is NaN."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value.hex()
    if isinstance(value, dict):
        return {name: bits(item) for name, item in value.items()}
    if isinstance(value, list):
        return [bits(item) for item in value]
    return type(value), value


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.dictionaries(st.integers(), st.dictionaries(st.text(), values), max_size=4)
)
def test_whatever_json_can_express_comes_back_exactly(path, cells):
    path.unlink(missing_ok=True)
    store = RecordStore(path, {})
    for key, record in cells.items():
        store.add({"the key": key}, {f" {name}": v for name, v in record.items()})
    again = RecordStore(path, {})
    assert bits(again.records) == bits(store.records)
    for key, record in cells.items():
        expected = {f" {name}": value for name, value in record.items()}
        assert bits(again.get({"the key": key})) == bits(expected)


def test_numpy_is_understood_and_new_records_are_as_read_ones(path):
    store = RecordStore(path, {"sizes": np.arange(3), "seed": np.int64(1)})
    store.add(
        {"width": np.int64(8), "fraction": np.float64(0.1)},
        {
            "accuracy": np.float32(0.1),
            "fitted": np.bool_(True),
            "shape": (2, 3),
            "folds": np.array([0.25, np.nan]),
        },
    )
    record = store.get({"fraction": 0.1, "width": 8})
    assert record["accuracy"] == float(np.float32(0.1))
    assert record["fitted"] is True
    assert record["shape"] == [2, 3]
    again = RecordStore(path, {"seed": 1, "sizes": [0, 1, 2]})
    assert bits(again.records) == bits(store.records)


def test_what_is_returned_is_a_copy(path):
    store = RecordStore(path, HEADER)
    given = {"folds": [1, 2]}
    store.add({"width": 1}, given)
    given["folds"].append(3)
    store.get({"width": 1})["folds"].append(4)
    store.records[0]["folds"].append(5)
    assert store.get({"width": 1}) == {"folds": [1, 2]}


@pytest.mark.parametrize(
    ("key", "record", "error", "words"),
    [
        ({"width": 1, "seed": 0}, {}, ValueError, "'key' parameter .* a new one"),
        ({"a": 1, "b": 2}, {"b": 3}, ValueError, r"'record' parameter .*\['b'\]"),
        ({"a": 1}, {"b": object()}, TypeError, "Got an object of type object"),
        ({"a": {1}}, {}, TypeError, "Got an object of type set"),
    ],
)
def test_wrong_records_are_refused(path, key, record, error, words):
    store = store_with(path, 2)
    before = path.read_bytes()
    with pytest.raises(error, match=words):
        store.add(key, record)
    assert path.read_bytes() == before
    assert len(store) == 2


def test_another_header_is_refused(path):
    store_with(path, 2)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="another run") as refused:
        RecordStore(path, {"script": "sweep", "data": "mnist", "jobs": 2})
    assert "'data' is 'digits' there and 'mnist' here" in str(refused.value)
    assert "'rows' is 100 there and missing here" in str(refused.value)
    assert "'jobs' is missing there and 2 here" in str(refused.value)
    assert "'script'" not in str(refused.value)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"", None])
def test_a_file_without_records_can_be_taken(path, content):
    if content is None:
        RecordStore(path, {"data": "mnist"})
    else:
        path.write_bytes(content)
    store = store_with(path, 3)
    assert RecordStore(path, HEADER).records == store.records


def test_a_header_may_have_nan(path):
    store_with(path, 1, {"target": math.nan})
    assert len(RecordStore(path, {"target": math.nan})) == 1


@pytest.mark.parametrize(
    "content", [b"width,accuracy\n8,0.5\n", b"\x89PNG\r\n\x1a\n\0", b"{}\n{}\n", b"["]
)
def test_other_files_are_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged, or no file of records") as error:
        RecordStore(path, HEADER)
    assert str(path) in str(error.value)
    assert path.read_bytes() == content
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_later_version_is_refused(path):
    store_with(path, 1)
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(ValueError, match=r"has version 2 .* reads version 1"):
        RecordStore(path, HEADER)


def test_a_folder_that_is_missing_and_a_folder_for_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        RecordStore(tmp_path / "none" / "sweep.jsonl", HEADER)
    with pytest.raises(IsADirectoryError):
        RecordStore(tmp_path, HEADER)


def test_damaged_records_are_named_and_kept_aside(path):
    store = store_with(path, 4)
    lines = path.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"0.25", b"0.75")
    damaged = b"\n".join(lines)
    path.write_bytes(damaged)
    with pytest.warns(UserWarning, match="is damaged in line 3") as caught:
        again = RecordStore(path, HEADER)
    aside = path.with_name("sweep.jsonl.damaged")
    message = str(caught[0].message)
    assert f"{path} is damaged" in message
    assert f"kept as {aside}; the records that are intact, 3," in message
    assert caught[0].filename == __file__
    assert aside.read_bytes() == damaged
    assert again.records == [store.records[i] for i in (0, 2, 3)]
    assert RecordStore(path, HEADER).records == again.records  # and no warning

    again.add({"width": 2, "seed": 0}, {"accuracy": 0.25})
    assert RecordStore(path, HEADER).get({"width": 2, "seed": 0}) == {"accuracy": 0.25}


def test_a_second_damaged_file_has_another_name(path):
    for _ in range(2):
        store_with(path, 0).add({"round": len(list(path.parent.iterdir()))}, {})
        path.write_bytes(path.read_bytes() + b"half a li")
        with pytest.warns(UserWarning, match="is damaged"):
            RecordStore(path, HEADER)
    names = {p.name for p in path.parent.iterdir()}
    assert names == {path.name, f"{path.name}.damaged", f"{path.name}.damaged-2"}


def test_records_outlast_a_header_that_is_damaged(path):
    store = store_with(path, 3)
    path.write_bytes(b"?" + path.read_bytes())
    with pytest.warns(UserWarning, match="line 1"):
        assert RecordStore(path, HEADER).records == store.records


def test_records_of_another_run_are_not_taken_though_the_headers_are_gone(path):
    store_with(path, 3, {"data": "mnist"})
    path.write_bytes(b"?" + path.read_bytes())
    with pytest.raises(ValueError, match="nothing of it can be read"):
        RecordStore(path, HEADER)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_damage_of_any_kind_never_makes_up_records(path, data):
    for old in path.parent.iterdir():
        old.unlink()
    records = store_with(path, 3).records
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    stop = data.draw(st.integers(start + 1, min(start + 40, len(content))))
    content[start:stop] = data.draw(st.binary(max_size=4) | st.just(b""))
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = RecordStore(path, HEADER).records
        except ValueError:
            assert path.read_bytes() == content
            return
    # What is found is a part of what was there, in the same order.
    remaining = iter(records)
    assert all(record in remaining for record in found)
    if len(found) < len(records) and not caught:
        # Nothing tells of records that are missing altogether, with their ends.
        assert content.startswith(b'{"format"')
        assert content.endswith(b"}\n")
        assert content.count(b"\n") == len(found) + 1
    for warning in caught:
        assert str(path) in str(warning.message)
        assert path.with_name(f"{path.name}.damaged").read_bytes() == content


def test_a_failed_write_leaves_the_file_as_it_was(path, monkeypatch):
    store = store_with(path, 2)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.add({"width": 99}, {"accuracy": 0.5})
    assert path.read_bytes() == before
    assert {"width": 99} not in store
    monkeypatch.undo()
    store.add({"width": 99}, {"accuracy": 0.5})
    assert len(RecordStore(path, HEADER)) == 3


def test_a_file_that_was_removed_is_missed(path):
    store = store_with(path, 1)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        store.add({"width": 99}, {})
    assert not path.exists()


# The package's __init__ would import torch, which takes longer than all the rest.
WORKER = """
import importlib.machinery, sys, types
package = types.ModuleType("sk_memorize")
package.__path__ = [sys.argv[1]]
sys.modules["sk_memorize"] = package
from sk_memorize._records import RecordStore

store = RecordStore(sys.argv[2], {"what": "thirds"})
print("ready", flush=True)
for i in range(int(sys.argv[3])):
    if {"i": i} not in store:
        store.add({"i": i}, {"third": i / 3, "padding": "x" * (i % 700)})
        print(i, flush=True)
"""


def test_a_killed_run_goes_on_where_it_was(path):
    n_records, n_kills = 400, 0
    rng = random.Random(0)
    promised = set()
    source = Path(sk_memorize.__file__).parent
    command = [sys.executable, "-c", WORKER, source, path, str(n_records)]
    while True:
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert worker.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.02))
        worker.send_signal(signal.SIGKILL if n_kills < 12 else 0)
        output = worker.communicate()[0]
        promised |= {
            int(line) for line in output.splitlines(keepends=True) if "\n" in line
        }
        with warnings.catch_warnings():
            # The system may write a part of a line before it ends the process.
            warnings.filterwarnings("ignore", ".* is damaged in line")
            records = RecordStore(path, {"what": "thirds"}).records
        found = {record["i"] for record in records}
        assert promised <= found
        assert len(found - promised) <= 1 + n_kills
        assert all(record["third"] == record["i"] / 3 for record in records)
        if worker.returncode == 0:
            break
        assert worker.returncode == -signal.SIGKILL
        n_kills += 1
    assert n_kills
    assert sorted(found) == list(range(n_records))
