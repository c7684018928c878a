"""All that is asked of torchvision: downloads, and reading CIFAR-10.

torchvision is imported at use only, because data at hand must stay within reach where
its installation is broken.
"""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from http.client import HTTPException
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import numpy as np

from ._sources import Source

_PROBE_SECONDS = 4.0
_STALL_SECONDS = 30.0
_DOWNLOAD_ERRORS = (OSError, RuntimeError, HTTPException)


def import_datasets() -> Any:
    """Import and return `torchvision.datasets`.

    Raises
    ------
    ImportError
        If that fails, for whatever reason.
    """
    try:
        import torchvision.datasets
    except Exception as error:
        # A torchvision built for another torch raises RuntimeError, among others.
        raise ImportError(
            f"torchvision could not be imported: {type(error).__name__}: {error}"
        ) from error
    return torchvision.datasets


def open_cifar10(root: Path, *, train: bool = True, download: bool = False) -> Any:
    """Return the `torchvision.datasets.CIFAR10` of a folder."""
    with warnings.catch_warnings(), redirect_stdout(sys.stderr):
        # NumPy 2.4.0 to 2.4.4 warn of the way in which these old files were pickled.
        warnings.simplefilter("ignore", np.exceptions.VisibleDeprecationWarning)
        return import_datasets().CIFAR10(str(root), train=train, download=download)


def download_files(source: Source, folder: Path, names: Sequence[str]) -> None:
    """Download files of a data set and put them into their folder.

    They are moved into place, each atomically, once all of them are verified. On
    failure nothing is left behind.

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
    ImportError
        If torchvision cannot be imported.
    OSError
        If the files cannot be had or written; the message says why.
    """
    dataset = getattr(import_datasets(), source.torchvision_name)
    with (
        _staging_folder(folder) as staging,
        _socket_timeout(_STALL_SECONDS),
        redirect_stdout(sys.stderr),  # prints and progress are no output of ours
    ):
        if source.torchvision_name == "CIFAR10":
            fetched = _fetch_cifar10(dataset, staging)
        else:
            md5 = {name: source.md5[name] for name in names}
            fetched = _fetch_from_mirrors(dataset, md5, staging)
        for name in names:
            (fetched / name).replace(folder / name)


def _fetch_from_mirrors(dataset: Any, md5: Mapping[str, str], staging: Path) -> Path:
    """Download the files of `md5` from a mirror and return the folder they are in.

    What an earlier mirror gave is kept: `download_url` skips a file that is there
    with the right checksum.
    """
    download_url = import_datasets().utils.download_url
    obstacles = []
    for mirror in dataset.mirrors:
        try:
            _probe(mirror + next(iter(md5)))
            for name, checksum in md5.items():
                download_url(mirror + name, str(staging), name, checksum)
        except _DOWNLOAD_ERRORS as error:
            obstacles.append(f"{mirror}: {error}")
        else:
            return staging
    raise OSError("; ".join(obstacles))


def _fetch_cifar10(dataset: Any, staging: Path) -> Path:
    """Download and unpack CIFAR-10 and return the folder its files are in."""
    try:
        _probe(dataset.url)
        open_cifar10(staging, download=True)
    except _DOWNLOAD_ERRORS as error:
        raise OSError(f"{dataset.url}: {error}") from error
    return staging / str(dataset.base_folder)


def _probe(url: str) -> None:
    """Raise `OSError` unless `url` answers within a few seconds."""
    outcome: SimpleQueue[Exception | None] = SimpleQueue()
    # A thread, because no timeout of urlopen bounds the resolution of a host name or
    # the sum over the addresses of a host. A daemon, so that it cannot hold up exit.
    Thread(target=lambda: outcome.put(_open_failure(url)), daemon=True).start()
    try:
        failure = outcome.get(timeout=_PROBE_SECONDS)
    except Empty:
        raise TimeoutError(f"no answer within {_PROBE_SECONDS:g} s") from None
    if failure is not None:
        raise OSError(str(failure)) from failure


def _open_failure(url: str) -> Exception | None:
    # The default agent of urllib is turned away by some servers.
    request = urllib.request.Request(url, headers={"User-Agent": "sk_memorize"})
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return error
    except Exception as error:
        # Whatever it is, it belongs to the thread that asked.
        return error


@contextmanager
def _staging_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder inside `folder`, which is made for it if need be.

    Afterwards the folders that were made are removed where they are empty. Inside
    means on the same file system, so that files can be moved out atomically.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".download-", dir=folder) as staging:
            yield Path(staging)
    finally:
        for path in made:
            with suppress(OSError):
                path.rmdir()


@contextmanager
def _socket_timeout(seconds: float) -> Iterator[None]:
    """Bound every wait for the network; torchvision sets no timeout of its own."""
    previous = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(previous)
