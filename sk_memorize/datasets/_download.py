"""Downloads of bounded size and time, verified before anything is written."""

from __future__ import annotations

import os
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from errno import EACCES
from io import BytesIO
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from time import monotonic

from .._atomic import replacing
from ._files import check_md5
from ._sources import Source

_ANSWER_SECONDS = 4.0
# A download may take this long, and longer by one second for so many bytes.
_SECONDS, _BYTES_PER_SECOND = 30.0, 50_000
_PART_BYTES = 2**16


def download_files(source: Source, folder: Path, names: Sequence[str]) -> None:
    """Download files of a data set and put them into their folder.

    They are written, each atomically, once all of them are verified. On failure
    nothing is left behind.

    Parameters
    ----------
    source : Source
        The data set.
    folder : Path
        Where the files belong. It is made if need be.
    names : sequence of str
        The files to get.

    Raises
    ------
    OSError
        If the files cannot be had or written; the message says why.
    """
    place = next(path for path in (folder, *folder.parents) if path.exists())
    if place.is_dir() and not os.access(place, os.W_OK):
        raise PermissionError(EACCES, "The folder cannot be written to", str(place))
    if source.archive is None:
        contents = _fetch_from_mirrors(source, {n: source.md5[n] for n in names})
    else:
        (archive,) = _fetch_from_mirrors(source, dict([source.archive])).values()
        contents = _extract(archive, source.folder, names)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        with replacing(folder / name) as temporary:
            temporary.write_bytes(contents[name])


def _fetch_from_mirrors(source: Source, md5: dict[str, str]) -> dict[str, bytes]:
    """Download the files of `md5`; what an earlier mirror gave is kept."""
    contents: dict[str, bytes] = {}
    obstacles = []
    for mirror in source.mirrors:
        try:
            for name in [name for name in md5 if name not in contents]:
                content = _fetch(mirror + name, source.most_bytes)
                check_md5(content, md5[name], f"The {name} that was sent")
                contents[name] = content
        except OSError as error:
            obstacles.append(f"{mirror}: {error}")
        else:
            return contents
    raise OSError("; ".join(obstacles))


def _extract(archive: bytes, folder: str, names: Sequence[str]) -> dict[str, bytes]:
    contents = {}
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        for name in names:
            member = tar.extractfile(f"{folder}/{name}")
            assert member is not None
            contents[name] = member.read()
    return contents


def _fetch(url: str, most_bytes: int) -> bytes:
    """Download a file that is neither too large nor too slow."""
    parts: SimpleQueue[bytes | OSError | None] = SimpleQueue()
    is_over = Event()
    # A thread, because no timeout of urlopen bounds the resolution of a host name, or
    # the sum of many short waits. A daemon, so that it cannot hold up exit.
    Thread(target=_receive, args=(url, parts.put, is_over), daemon=True).start()
    content = bytearray()
    begin, seconds = monotonic(), _ANSWER_SECONDS
    try:
        while True:
            part = parts.get(timeout=max(0.0, begin + seconds - monotonic()))
            if part is None:
                return bytes(content)
            if isinstance(part, OSError):
                raise part
            content += part
            if len(content) > most_bytes:
                raise OSError(f"more than {most_bytes} bytes are sent")
            seconds = _SECONDS + len(content) / _BYTES_PER_SECOND
    except Empty:
        raise TimeoutError(
            f"no more than {len(content)} bytes within {seconds:.3g} s"
        ) from None
    finally:
        is_over.set()


def _receive(
    url: str, put: Callable[[bytes | OSError | None], None], is_over: Event
) -> None:
    """Put an empty part when the server answers, the parts, and None or an error."""
    # The default agent of urllib is turned away by some servers.
    request = urllib.request.Request(url, headers={"User-Agent": "sk_memorize"})
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            put(b"")
            # read1, as read would wait for all of a part.
            while (part := response.read1(_PART_BYTES)) and not is_over.is_set():
                put(part)
        put(None)
    except Exception as error:
        # Whatever it is, it belongs to the thread that asked, as one line.
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        put(OSError(" ".join(f"{error}".split())[:300] or type(error).__name__))
