"""A file of records, which a run that was killed finds again."""

import json
import os
import warnings
import zlib
from collections.abc import Mapping
from errno import ENOSPC
from pathlib import Path
from typing import Any, ClassVar

from joblib.hashing import NumpyHasher

from ._atomic import open_file, replacing


class RecordStore:
    """Records under keys, each safe in a file as soon as it is added.

    Parameters
    ----------
    path : str or path-like
        The file, with a line of JSON for each record. If it exists, its records are
        read; if not, it is made at once. A last line that a kill has broken is skipped,
        and other damaged ones with a warning.
    header : mapping
        What decides the records but is in none of their keys: arguments, a digest
        of the data, versions. A file with another header is refused.

    Raises
    ------
    ValueError
        If the file has records under another header, or is something else. It stays as
        it is.
    OSError
        If the file cannot be read or made.

    Notes
    -----
    Headers, keys and records hold what JSON can express; NumPy's scalars and arrays are
    turned into that. Floats come back bit for bit, NaN and the infinities too. A
    record is the same whether it was added just now or read from the file: a tuple is
    a list in both cases. Keys are equal if their JSON is, in whatever order their
    names are; 1 and 1.0 are two keys.

    One process writes at a time.

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
        self._header = json.loads(_to_json(dict(header)))
        self._records: dict[str, str] = {}
        content = b""
        if self.path.exists():
            with open_file(self.path) as file:
                content = file.read()
        lines = content.split(b"\n")[:-1]  # the last part is a line that is not whole
        if content:
            self._read(lines or [content])
        if len(lines) <= 1:  # with nothing but a header, which may be of another run
            lines = [_line({"header": self._header})]
            with replacing(self.path) as temporary:
                temporary.write_bytes(lines[0] + b"\n")
        self._size = sum(len(line) + 1 for line in lines)

    def __len__(self) -> int:
        return len(self._records)

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return a copy of the record of a key, None if there is none."""
        record = self._records.get(_to_json(key))
        return None if record is None else json.loads(record)

    def add(self, key: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Add a record under a new key. It is on the disk when this returns.

        Raises
        ------
        TypeError
            If JSON cannot express a value.
        OSError
            If the file cannot be written. It is as it was then.
        """
        line = _line({"key": key, "record": record}) + b"\n"
        # Without O_CREAT: a file that was removed would come back without a header.
        with open(os.open(self.path, os.O_RDWR), "rb+", buffering=0) as file:  # noqa: PTH123
            file.truncate(self._size)  # without the half line of a killed run
            file.seek(self._size)
            try:
                if file.write(line) != len(line):
                    raise OSError(ENOSPC, os.strerror(ENOSPC), str(self.path))
                os.fsync(file.fileno())
            except BaseException:
                file.truncate(self._size)
                raise
        self._size += len(line)
        self._records[_to_json(key)] = _dump(record)

    def _read(self, lines: list[bytes]) -> None:
        """Take the records of a file, apart from damaged lines, which stay there."""
        head, *rows = (_parse(line) for line in lines)
        if "header" not in head:
            raise ValueError(
                f"{self.path} is damaged in line 1, or no file of records. Give the "
                "name of another file, or remove it."
            )
        if rows and _to_json(head["header"]) != _to_json(self._header):
            raise ValueError(_tell_difference(self.path, head["header"], self._header))
        for row in filter(None, rows):
            self._records[_to_json(row["key"])] = _dump(row["record"])
        damaged = [str(i) for i, row in enumerate(rows, 2) if not row]
        if damaged:
            numbers = ", ".join(damaged[:10]) + " and others" * (len(damaged) > 10)
            warnings.warn(
                f"{self.path} is damaged in line {numbers}. The records that are "
                f"intact, {len(self)}, are used.",
                UserWarning,
                stacklevel=3,
            )


def digest(value: Any) -> str:
    """Hash what a value holds; the same for equal values, in any process."""
    try:
        return _ContentHasher(fast=True).hash(value)
    except RecursionError:  # a value that holds itself
        return _ContentHasher().hash(value)


class _ContentHasher(NumpyHasher):
    """joblib's hasher, for which an object that is met twice is not a reference.

    Otherwise equal values would have digests that depend on the identity of parts.
    """

    dispatch: ClassVar = {
        **NumpyHasher.dispatch,
        frozenset: NumpyHasher.dispatch[set],
    }

    def __init__(self, *, fast: bool = False) -> None:
        super().__init__()
        self.fast = fast  # pickle's name for it


def _dump(value: Any) -> str:
    return json.dumps(value, default=_as_builtin)


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_as_builtin)


def _as_builtin(value: Any) -> Any:
    """Turn a mapping, or a scalar or an array of NumPy, into what JSON knows."""
    if isinstance(value, Mapping):
        return dict(value)
    if not hasattr(value, "tolist"):
        raise TypeError(
            "A header, key or record must hold what JSON can express: numbers, "
            "strings, booleans, None, lists, and dicts of them. "
            f"Got an object of type {type(value).__name__} instead."
        )
    return value.tolist()


def _line(content: dict[str, Any]) -> bytes:
    plain = json.loads(_dump(content))
    return _dump({**plain, "crc": zlib.crc32(_dump(plain).encode())}).encode()


def _parse(line: bytes) -> dict[str, Any]:
    """Read a line; a line that is damaged is as good as an empty one."""
    try:
        content = json.loads(line)
        crc = content.pop("crc")
    except (ValueError, AttributeError, TypeError, LookupError, RecursionError):
        return {}
    return content if crc == zlib.crc32(_dump(content).encode()) else {}


def _tell_difference(path: Path, there: dict[str, Any], here: dict[str, Any]) -> str:
    def show(header: dict[str, Any], name: str) -> str:
        return repr(header[name])[:200] if name in header else "missing"

    differences = [
        f"{name!r} is {show(there, name)} there and {show(here, name)} here"
        for name in {**there, **here}
        if show(there, name) != show(here, name)
    ]
    return (
        f"{path} has the records of another run: {'; '.join(differences)}. Give the "
        "name of another file, or remove it."
    )
