"""A file of records, which a run that was killed finds again."""

import hashlib
import json
import os
import warnings
from collections.abc import Mapping
from errno import ENOSPC
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from ._atomic import replacing

_FORMAT = "sk_memorize.records"
_VERSION = 1


class _Row(NamedTuple):
    key: dict[str, Any]
    record: dict[str, Any]


class RecordStore:
    """Records under keys, each safe in a file as soon as it is added.

    Parameters
    ----------
    path : str or path-like
        The file. If it exists, its records are read; if not, it is made at once.
    header : mapping
        What decides the records but is in none of their keys: arguments, a digest
        of the data, versions. A file with another header is refused.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    header : dict
        The header.
    records : list of dict
        Keys and records, merged, in the order of the file: rows of a table.

    Raises
    ------
    ValueError
        If the file has records under another header, is of a later version, or is
        something else, or so damaged that nothing of it can be read. It stays as it
        is.
    OSError
        If the file cannot be read or written.

    Warns
    -----
    UserWarning
        If a part of the file is damaged. It is kept under its name with ``.damaged``
        behind it, and a new file takes its place, with the records that are intact.

    Notes
    -----
    The file has a line of JSON for the header, and then one for each record. A line
    is appended by a single write, and `add` returns when it is on the disk. By its
    checksum, over the header and itself, damage is seen.

    Header, keys and records are what JSON can express; NumPy's scalars and arrays are
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
    >>> store.records
    [{'width': 8, 'seed': 0, 'accuracy': 0.5}]
    """

    def __init__(self, path: str | os.PathLike[str], header: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self.header: dict[str, Any] = _plain(dict(header))
        self._rows: dict[str, _Row] = {}
        content = self.path.read_bytes() if self.path.exists() else b""
        if content:
            self._read(content)
        else:
            self._write()

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: Mapping[str, Any]) -> bool:
        return _to_json(key) in self._rows

    @property
    def records(self) -> list[dict[str, Any]]:
        """Keys and records, merged."""
        return [_plain({**row.key, **row.record}) for row in self._rows.values()]

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the record of a key.

        Parameters
        ----------
        key : mapping
            The settings under which the record was added, in any order.

        Returns
        -------
        record : dict or None
            A copy of the record; None if there is none.
        """
        row = self._rows.get(_to_json(key))
        return None if row is None else _plain(row.record)

    def add(self, key: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Add a record. It is on the disk when this returns.

        Parameters
        ----------
        key : mapping
            The settings that name the record.
        record : mapping
            What was found for them, under names that `key` has not.

        Raises
        ------
        ValueError
            If there is a record of `key`, or if `key` and `record` share a name.
        TypeError
            If JSON cannot express a value.
        OSError
            If the file cannot be written. It is as it was then.
        """
        if key in self:
            raise ValueError(
                "The 'key' parameter of RecordStore.add must be a new one. Got "
                f"{_to_json(key)} instead, of which {self.path} has a record."
            )
        if shared := sorted(key.keys() & record.keys()):
            raise ValueError(
                "The 'record' parameter of RecordStore.add must not have names that "
                f"the key has. Got {shared} in both instead."
            )
        row = _Row(_plain(dict(key)), _plain(dict(record)))
        self._append(_line(row._asdict(), self.header))
        self._rows[_to_json(row.key)] = row

    def _append(self, line: bytes) -> None:
        # Without O_CREAT: a file that was removed would come back without a header.
        flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0)
        with open(os.open(self.path, flags), "ab", buffering=0) as file:  # noqa: PTH123
            size = file.tell()
            try:
                if file.write(line) != len(line):
                    raise OSError(ENOSPC, os.strerror(ENOSPC), str(self.path))
                os.fsync(file.fileno())
            except BaseException:
                # The next line must not be appended to a part of this one.
                file.truncate(size)
                raise

    def _write(self) -> None:
        """Write all of the file."""
        head = {"format": _FORMAT, "version": _VERSION, "header": self.header}
        rows = [row._asdict() for row in self._rows.values()]
        lines = [_line(content, self.header) for content in (head, *rows)]
        _write_durably(self.path, b"".join(lines))

    def _read(self, content: bytes) -> None:
        """Take the rows of a file; mend it if it is damaged."""
        first, *lines = BytesIO(content).readlines()
        head = _parse(first)
        header = head.get("header", {})
        if head.get("format") == _FORMAT and head.get("version") != _VERSION:
            raise ValueError(
                f"{self.path} has version {head.get('version')} of the format; this "
                f"sk_memorize reads version {_VERSION}."
            )
        has_header = _is_intact(head, header)
        if has_header and _to_json(header) != _to_json(self.header):
            if lines:
                raise ValueError(_tell_difference(self.path, header, self.header))
            self._write()  # nothing was recorded under the other header
            return
        damaged = [] if has_header else [1]
        for number, line in enumerate(lines, 2):
            row = _parse(line)
            if "key" in row and _is_intact(row, self.header):
                key = _to_json(row["key"])
                self._rows.setdefault(key, _Row(row["key"], row["record"]))
            else:
                damaged.append(number)
        if not has_header and not self._rows:
            raise ValueError(
                f"{self.path} is damaged, or no file of records: nothing of it can be "
                "read. Give the name of another file, or remove it."
            )
        if damaged:
            aside = _set_aside(self.path, content)
            self._write()
            numbers = ", ".join(map(str, damaged[:10]))
            warnings.warn(
                f"{self.path} is damaged in line {numbers}"
                f"{' and others' if damaged[10:] else ''}. It is kept as {aside}; "
                f"the records that are intact, {len(self)}, are in {self.path} again.",
                UserWarning,
                stacklevel=3,
            )


def _to_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_as_builtin)


def _as_builtin(value: Any) -> Any:
    """Turn a scalar or an array of NumPy into what JSON knows."""
    if not hasattr(value, "tolist"):
        raise TypeError(
            "A header, key or record must hold what JSON can express: numbers, "
            "strings, booleans, None, lists, and dicts of them. "
            f"Got an object of type {type(value).__name__} instead."
        )
    return value.tolist()


def _plain(value: Any) -> Any:
    """Copy what the file would give back."""
    return json.loads(json.dumps(value, default=_as_builtin))


def _line(content: dict[str, Any], header: dict[str, Any]) -> bytes:
    line = {**content, "checksum": _checksum(content, header)}
    return json.dumps(line).encode() + b"\n"


def _parse(line: bytes) -> dict[str, Any]:
    """Read a line; a line that cannot be read is as good as an empty one."""
    try:
        content = json.loads(line) if line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _is_intact(content: dict[str, Any], header: Any) -> bool:
    unsigned = {name: content[name] for name in content if name != "checksum"}
    return content.get("checksum") == _checksum(unsigned, header)


def _checksum(content: dict[str, Any], header: Any) -> str:
    text = _to_json([header, content])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tell_difference(path: Path, there: dict[str, Any], here: dict[str, Any]) -> str:
    def show(header: dict[str, Any], name: str) -> str:
        return repr(header[name])[:200] if name in header else "missing"

    differences = [
        f"{name!r} is {show(there, name)} there and {show(here, name)} here"
        for name in {**there, **here}
        if name not in there
        or name not in here
        or _to_json(there[name]) != _to_json(here[name])
    ]
    return (
        f"{path} has the records of another run: {'; '.join(differences)}. Give the "
        "name of another file, or remove it."
    )


def _set_aside(path: Path, content: bytes) -> Path:
    """Keep a damaged file under a name that is free."""
    aside = path.with_name(f"{path.name}.damaged")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{number}")
    _write_durably(aside, content)
    return aside


def _write_durably(path: Path, content: bytes) -> None:
    """Write a file, all or nothing, so that it outlasts a power failure."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # for the name of the file
        finally:
            os.close(folder)
