"""A file of records, one JSON line each, which an interrupted run reads again."""

import json
import os
from collections.abc import Iterator, Mapping
from errno import EEXIST, ENOSPC
from io import FileIO
from pathlib import Path
from typing import Any
from zlib import crc32

from ._atomic import open_alone

_CHECKSUM = b', "crc32": '  # of what stands before it in the line


class RecordStore:
    """Records under keys, each safe in a file as soon as it is added.

    Parameters
    ----------
    path : str or path-like
        The file. If it exists, its records are read; if not, it is made at once. An
        incomplete last line, which a kill leaves, is dropped. Each line has a checksum.
    header : mapping
        What decides the records without being in their keys: arguments, a digest of
        the data, versions. A file with another header is refused.

    Raises
    ------
    ValueError
        If the file has records under another header, if a line was changed, or if it
        is something else. It is left as it is.
    OSError
        If the file cannot be read or made.

    Notes
    -----
    Headers, keys and records hold what JSON can express; NumPy's scalars and arrays are
    converted. Floats are kept bit for bit, NaN and infinities included. A record is the
    same whether it was just added or read: tuples become lists. Keys are equal if their
    JSON is, whatever the order of their names; 1 and 1.0 are two keys.

    Runs that write to one file at a time, where the system has locks, wait for each
    other, and keep all records; of those under one key the last is read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> path = Path(tempfile.mkdtemp(), "sweep.jsonl")
    >>> store = RecordStore(path, {"data": "digits"})
    >>> store.add({"width": 8, "seed": 0}, {"accuracy": 0.5})
    >>> RecordStore(path, {"data": "digits"}).get({"seed": 0, "width": 8})
    {'accuracy': 0.5}
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._first = _to_line({"header": header})
        with open_alone(self.path, "ab+") as file:
            file.seek(0)
            content = file.read()
            rows = list(self._parse(content))
            # Overwrite a file that has a header only: nothing is lost.
            if len(rows) < 2:
                file.truncate(0)
                _append(file, self._first)
            elif differences := "; ".join(_compare(rows[0], json.loads(self._first))):
                raise ValueError(
                    f"{path} has the records of another run: {differences}. Give the "
                    "name of another file, or remove it."
                )
            else:
                file.truncate(content.rindex(b"\n") + 1)
                self._first = content[: content.index(b"\n") + 1]
        self._records = {_to_json(row["key"]): _keep(row["record"]) for row in rows[1:]}

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a copy of the record of a key, None if there is none."""
        text = self._records.get(_to_json(key))
        return None if text is None else json.loads(text)

    def add(self, key: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Add a record under a new key. It is on the disk when this returns.

        Raises
        ------
        TypeError
            If JSON cannot express a value.
        OSError
            If the file cannot be written, or if a run with another header has begun it
            anew. It is then unchanged.
        """
        line = _to_line({"key": key, "record": record})
        # "rb+" does not create a file: one that was removed would lack its header.
        with open_alone(self.path, "rb+") as file:
            if file.read(len(self._first)) != self._first:
                text = "Another run has begun the file anew"
                raise FileExistsError(EEXIST, text, str(self.path))
            _append(file, line)
        self._records[_to_json(key)] = _keep(record)

    def _parse(self, content: bytes) -> Iterator[dict[str, Any]]:
        """Parse the complete lines, of which the first must be a header."""
        lines = content.split(b"\n")
        for number, line in enumerate(lines[:-1] or lines if content else (), 1):
            start = b'{"header": ' if number == 1 else b'{"key": '
            content, _, _ = line.rpartition(_CHECKSUM)
            if line + b"\n" != _seal(content) or not line.startswith(start):
                raise ValueError(
                    f"{self.path} is damaged in line {number}, or no file of records. "
                    "Give the name of another file, or remove it."
                )
            yield json.loads(line)


def _append(file: FileIO, line: bytes) -> None:
    """Write a whole line to the disk, or leave the file as it is."""
    size = file.seek(0, os.SEEK_END)
    try:
        if file.write(line) != len(line):
            raise OSError(ENOSPC, os.strerror(ENOSPC), str(file.name))
        os.fsync(file.fileno())
    except BaseException:
        file.truncate(size)
        raise


def _keep(record: Mapping[str, Any]) -> bytes:
    return _to_json(record, sort_keys=False)


def _to_line(row: dict[str, Mapping[str, Any]]) -> bytes:
    """Write a row with its checksum."""
    return _seal(_to_json(row, sort_keys=False)[:-1])


def _seal(content: bytes) -> bytes:
    return content + _CHECKSUM + b"%d}\n" % crc32(content)


def _to_json(value: object, *, sort_keys: bool = True) -> bytes:
    return json.dumps(value, sort_keys=sort_keys, default=_as_builtin).encode()


def _as_builtin(value: object) -> Any:
    """Convert a mapping, or a scalar or an array of NumPy, for JSON."""
    if isinstance(value, Mapping):
        return dict(value)
    if not hasattr(value, "tolist"):
        raise TypeError(
            "A header, key or record must hold what JSON can express: numbers, "
            "strings, booleans, None, lists, and dicts of them. "
            f"Got an object of type {type(value).__name__} instead."
        )
    return value.tolist()


def _compare(there: dict[str, Any], here: dict[str, Any]) -> Iterator[str]:
    """Describe each difference between two headers."""
    headers = there["header"], here["header"]
    for name in headers[0] | headers[1]:
        texts = [_to_json(h[name]) if name in h else None for h in headers]
        if texts[0] != texts[1]:
            a, b = (repr(h[name])[:200] if name in h else "missing" for h in headers)
            yield f"{name!r} is {a} there and {b} here"
