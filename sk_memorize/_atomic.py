"""Files that are either as they were or complete, at any moment."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from errno import EISDIR, ENOENT
from pathlib import Path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a file to write to, which takes the place of `path` at the end.

    Raises
    ------
    OSError
        If `path` is a folder, or is in none.
    """
    if path.is_dir():
        raise IsADirectoryError(EISDIR, "The file to write is a folder", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(
            ENOENT, "There is no folder for the file to write", str(path)
        )
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        # mkstemp makes files for the owner only; this is an ordinary one.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())  # a new name is nothing without the content
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
