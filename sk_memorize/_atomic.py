"""Atomic replacement of files: at any moment the old content or the new."""

import contextlib
import os
import stat
import sys
import tempfile
import uuid
from collections.abc import Iterator
from errno import EINVAL, EISDIR, ENOENT
from io import BufferedReader
from pathlib import Path

if sys.platform != "win32":  # where files of killed runs are left
    import fcntl

_PREFIX, _SUFFIX = ".sk_memorize-", ".tmp"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a file to write to, which takes the place of `path` at the end.

    As with `open`, a link stays and its target is written, a file that exists keeps
    its mode, and a character device is written to. Files that a killed run has left
    in the folder are removed.

    Raises
    ------
    OSError
        If `path` is a folder, a pipe, a socket or a disk, or is in no folder.
    """
    mode = _read_mode(path)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, "The file to write is a folder", str(path))
    if mode and not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        raise OSError(EINVAL, "The file to write is no ordinary file", str(path))
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            ENOENT, "There is no folder for the file to write", str(path)
        )
    if stat.S_ISCHR(mode):
        with tempfile.TemporaryDirectory() as folder:
            temporary = Path(folder, "content")
            temporary.touch()
            yield temporary
            target.write_bytes(temporary.read_bytes())
        return
    _remove_leftovers(target.parent)
    handle, temporary = _create(target.parent)
    try:
        yield temporary
        os.fsync(handle)  # the content must reach the disk before the name
        if mode:
            temporary.chmod(stat.S_IMODE(mode))
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        os.close(handle)


def open_file(path: Path) -> BufferedReader:
    """Open an ordinary file for reading.

    Raises
    ------
    OSError
        If `path` is a device, a pipe or a socket, whose content may never end, or
        cannot be opened.
    """
    mode = _read_mode(path)
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(EINVAL, "The file to read is no ordinary file", str(path))
    return path.open("rb")


def show_path(path: Path) -> str:
    """Show a path in a message of one line, whatever characters it has."""
    text = str(path) if str(path).isprintable() else repr(str(path))
    return text if len(text) <= 250 else f"...{text[-247:]}"


def _read_mode(path: Path) -> int:
    """Return the mode of a file or of a link's target, and 0 if there is none."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


def _create(folder: Path) -> tuple[int, Path]:
    """Create an ordinary file, and lock it: a lock ends with its process."""
    while True:
        path = folder / f"{_PREFIX}{uuid.uuid4().hex}{_SUFFIX}"
        # The mode is that of `open`; `mkstemp` would restrict it to the owner.
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks
            if sys.platform != "win32":
                fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, path
        os.close(handle)  # another process removed it before it was locked


def _remove_leftovers(folder: Path) -> None:
    """Remove files of runs that were killed: they are locked no more."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with contextlib.suppress(OSError), path.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
