"""The file of records: what is read back, also after a kill."""

import json
import math
import random
import signal
import subprocess
import sys
import time
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


def records_of(store):
    """Read the file of a store, as a table does."""
    lines = store.path.read_text().split("\n")[1:-1]
    keys = [json.loads(line)["key"] for line in lines]
    return [{**key, **store.get(key)} for key in keys if store.get(key) is not None]


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


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    cells=st.dictionaries(st.integers(), st.dictionaries(st.text(), values), max_size=4)
)
def test_whatever_json_can_express_comes_back_exactly(path, cells):
    path.unlink(missing_ok=True)
    store = RecordStore(path, {})
    for key, record in cells.items():
        store.add({"the key": key, "seed": 0}, record)
    again = RecordStore(path, {})
    assert len(again) == len(cells)
    for key, record in cells.items():
        for found in (store, again):
            got = found.get({"seed": 0, "the key": key})
            assert bits(got) == bits(record)
            assert list(got) == list(record)
            got["changed"] = True  # a copy


def test_numpy_is_understood_and_new_records_are_as_read_ones(path):
    store = RecordStore(path, {"sizes": np.arange(3), "target": np.float64("nan")})
    record = {
        "accuracy": np.float32(0.1),
        "fitted": np.bool_(True),
        "shape": (2, 3),
        "folds": np.array([0.25, np.nan]),
    }
    store.add({"width": np.int64(8), "fraction": np.float64(0.1)}, record)
    again = RecordStore(path, {"target": math.nan, "sizes": [0, 1, 2]})
    for found in (store, again):
        record = found.get({"fraction": 0.1, "width": 8})
        assert record["accuracy"] == float(np.float32(0.1))
        assert record["fitted"] is True
        assert record["shape"] == [2, 3]
    with pytest.raises(TypeError, match="Got an object of type set"):
        store.add({"a": 1}, {"b": {1}})
    assert len(RecordStore(path, {"sizes": [0, 1, 2], "target": math.nan})) == 1


def test_another_header_is_refused_if_anything_is_recorded(path):
    early = RecordStore(path, {"data": "mnist"})
    store_with(path, 2)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="begun the file anew"):
        early.add({"width": 1}, {})
    with pytest.raises(ValueError, match="another run") as refused:
        RecordStore(path, {"script": "sweep", "data": "mnist", "jobs": 2})
    assert "'data' is 'digits' there and 'mnist' here" in str(refused.value)
    assert "'rows' is 100 there and missing here" in str(refused.value)
    assert "'jobs' is missing there and 2 here" in str(refused.value)
    assert "'script'" not in str(refused.value)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "content",
    [
        b"width,accuracy\n8,0.5\n",
        b"\x89PNG\r\n\x1a\n\0",
        b"{}\n{}\n",
        b"[",
        b'{"header": {}}\n',
        b', "crc32": 0}\n',
    ],
)
def test_other_files_are_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged in line 1, or no file of records"):
        RecordStore(path, HEADER)
    assert path.read_bytes() == content


def test_no_changed_byte_is_believed(path):
    expected = store_with(path, 2).get({"width": 1, "seed": 0})
    whole = path.read_bytes()
    for place, byte in enumerate(whole):
        for other in {byte ^ 1, *b"0\n"} - {byte}:
            content = whole[:place] + bytes([other]) + whole[place + 1 :]
            path.write_bytes(content)
            try:
                store = RecordStore(path, HEADER)
            except ValueError:
                assert path.read_bytes() == content
                continue
            assert place == len(whole) - 1  # the last line has no end
            assert store.get({"width": 1, "seed": 0}) == expected
            assert len(store) == 1


def test_a_line_without_end_is_dropped(path):
    store_with(path, 2)
    whole = path.read_bytes()
    first, second = (whole.rindex(end) for end in (b'{"key"', b"}"))
    for size in range(first, second + 2):
        path.write_bytes(whole[:size])
        store = RecordStore(path, HEADER)
        assert len(store) == 1
        store.add({"width": 2, "seed": 0}, {"accuracy": 1 / 4})
        assert path.read_bytes() == whole


def test_a_failed_write_leaves_the_file_as_it_was(path, monkeypatch):
    store = store_with(path, 2)
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        store.add({"width": 99}, {"accuracy": 0.5})
    assert path.read_bytes() == before
    monkeypatch.undo()
    store.add({"width": 99}, {"accuracy": 0.5})
    assert len(RecordStore(path, HEADER)) == 3
    path.unlink()
    with pytest.raises(FileNotFoundError):
        store.add({"width": 100}, {})


# The package's __init__ would import torch, which takes longer than all the rest.
STUB = """
import sys, types
package = types.ModuleType("sk_memorize")
package.__path__ = [sys.argv[1]]
sys.modules["sk_memorize"] = package
from sk_memorize._records import RecordStore
"""

WORKER = """
store = RecordStore(sys.argv[2], {"what": "thirds"})
print("ready", flush=True)
for i in range(int(sys.argv[3])):
    if store.get({"i": i}) is None:
        store.add({"i": i}, {"third": i / 3, "padding": "x" * (i % 700)})
        print(i, flush=True)
"""


def test_a_killed_run_goes_on_where_it_was(path):
    n_records, n_kills = 400, 0
    rng = random.Random(0)
    promised = set()
    source = Path(sk_memorize.__file__).parent
    command = [sys.executable, "-c", STUB + WORKER, source, path, str(n_records)]
    while True:
        worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert worker.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.02))
        worker.send_signal(signal.SIGKILL if n_kills < 12 else 0)
        output = worker.communicate()[0]
        promised |= {
            int(line) for line in output.splitlines(keepends=True) if "\n" in line
        }
        records = records_of(RecordStore(path, {"what": "thirds"}))
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


CROWD = """
store = RecordStore(sys.argv[2], {"what": "numbers"})
print("ready", flush=True)
sys.stdin.readline()
for i in range(100):
    store.add({"who": sys.argv[3], "i": i}, {"padding": "x" * i})
"""


def test_runs_that_write_at_the_same_time_keep_all_records(path):
    command = [sys.executable, "-c", STUB + CROWD, Path(sk_memorize.__file__).parent]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    workers = [subprocess.Popen([*command, path, who], **pipes) for who in "abc"]
    for worker in workers:
        assert worker.stdout.readline() == b"ready\n"
    for worker in workers:
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    assert [worker.communicate()[0] for worker in workers] == [b""] * 3
    assert len(RecordStore(path, {"what": "numbers"})) == 300
