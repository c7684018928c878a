"""Atomic replacement of files: at any moment the old content or the new."""

import contextlib
import os
import stat
import sys
import uuid
from collections.abc import Iterator
from errno import EACCES, EINVAL, EISDIR, ENOENT
from io import BufferedReader, FileIO
from pathlib import Path

if sys.platform != "win32":  # where nothing is locked, and files of killed runs stay
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
        If `path` is a folder, a pipe, a socket or a disk, is write-protected, or is in
        no folder.
    """
    mode = _read_mode(path)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(EISDIR, "The file to write is a folder", str(path))
    if mode and not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        raise OSError(EINVAL, "The file to write is no ordinary file", str(path))
    if mode and not os.access(path, os.W_OK):
        raise PermissionError(EACCES, "The file to write is protected", str(path))
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            ENOENT, "There is no folder for the file to write", str(path)
        )
    if stat.S_ISCHR(mode):
        yield target
        return
    _remove_leftovers(target.parent)
    with _create(target.parent) as file:
        temporary = Path(file.name)
        try:
            yield temporary
            os.fsync(file.fileno())  # the content must reach the disk before the name
            if mode:
                temporary.chmod(stat.S_IMODE(mode))
            if sys.platform == "win32":
                file.close()  # what is open cannot be renamed there
            temporary.replace(target)
        finally:
            file.close()
            temporary.unlink(missing_ok=True)


def open_file(path: Path) -> BufferedReader:
    """Open an ordinary file for reading.

    Raises
    ------
    OSError
        If `path` is a device, a pipe or a socket, whose content may never end, or
        cannot be opened.
    """
    _refuse_endless(path)
    return path.open("rb")


@contextlib.contextmanager
def open_alone(path: Path, mode: str) -> Iterator[FileIO]:
    """Open an ordinary file without a buffer, once no other process has it open so."""
    _refuse_endless(path)
    with FileIO(path, mode) as file:
        _lock(file)
        try:
            yield file
        finally:
            _lock(file, is_over=True)  # the end of the lock for a forked process, too


def show_path(path: Path) -> str:
    """Show a path in a message of one line, whatever characters it has."""
    text = str(path) if str(path).isprintable() else repr(str(path))
    return text if len(text) <= 250 else f"...{text[-247:]}"


def _refuse_endless(path: Path) -> None:
    mode = _read_mode(path)
    if mode and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(EINVAL, "The file to read is no ordinary file", str(path))


def _read_mode(path: Path) -> int:
    """Return the mode of a file or of a link's target, and 0 if there is none."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return 0


def _create(folder: Path) -> FileIO:
    """Create an ordinary file, and lock it."""
    while True:
        # The mode is that of `open`; `mkstemp` would restrict it to the owner.
        file = FileIO(folder / f"{_PREFIX}{uuid.uuid4().hex}{_SUFFIX}", "xb")
        _lock(file)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # another process removed it before it was locked


def _lock(file: FileIO, *, is_over: bool = False) -> None:
    """Wait for the lock of a file, which ends with its process, or give it back."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_UN if is_over else fcntl.LOCK_EX)


def _remove_leftovers(folder: Path) -> None:
    """Remove files of runs that were killed: they are locked no more."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with contextlib.suppress(OSError), path.open("rb+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
