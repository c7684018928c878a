"""Reading files that are verified before anything in them is used.

Every function raises `FileNotFoundError` for a file that is not there, and a plain
`OSError` that names the file by its full path for one that is damaged.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .._atomic import open_file, show_path

# The third byte of an IDX file stands for unsigned bytes, the fourth counts the axes.
_IDX_UNSIGNED_BYTE = 0x0800


def read_verified(path: Path, md5: str, most_bytes: int) -> bytes:
    """Return the content of a file whose checksum is `md5`.

    Parameters
    ----------
    path : Path
        The file.
    md5 : str
        The checksum it must have, in hexadecimal digits.
    most_bytes : int
        How large it may be.

    Returns
    -------
    content : bytes
        What the file holds.
    """
    content = _read(path, most_bytes)
    check_md5(content, md5, show_path(path))
    return content


def check_md5(content: bytes, md5: str, what: str) -> None:
    """Raise `OSError` unless the checksum of a content is `md5`."""
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != md5:
        raise OSError(f"{what} is damaged: its md5 is {found} instead of {md5}")


def read_idx(
    path: Path,
    md5: str,
    shape: tuple[int, ...],
    most_bytes: int,
    n_values: int = 256,
) -> NDArray[np.uint8]:
    """Read an IDX archive, or the unpacked file next to it if there is no archive.

    Nothing is written, so that the folder may be read-only.

    Parameters
    ----------
    path : Path
        The archive, a name that ends in ``.gz``.
    md5 : str
        The checksum of the archive.
    shape : tuple of int
        The shape that the array must have.
    most_bytes : int
        How large the file may be.
    n_values : int, default=256
        The number of different values allowed, from 0.

    Returns
    -------
    array : ndarray of shape `shape`
        The array, which must not be written to.
    """
    unpacked = path.with_suffix("")
    if not path.exists() and unpacked.exists():
        return _parse_idx(_read(unpacked, most_bytes), shape, n_values, unpacked)
    content = _unpack(read_verified(path, md5, most_bytes), path)
    return _parse_idx(content, shape, n_values, path)


def to_unit_rows(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Flatten images and scale their pixels to [0, 1].

    Parameters
    ----------
    images : ndarray of shape (n_images, ...)
        Pixels from 0 to 255.

    Returns
    -------
    X : ndarray of shape (n_images, n_pixels)
        C-contiguous rows of float32.
    """
    # The dtype is asked of the division itself: dividing first would make an
    # intermediate array of float64, twice the size of the result.
    scaled: NDArray[np.float32] = np.divide(images, 255, dtype=np.float32, order="C")
    return scaled.reshape(len(images), -1)


def _read(path: Path, most_bytes: int) -> bytes:
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most_bytes:
            raise _damaged(path, f"it holds {size} bytes, more than {most_bytes}")
        return file.read(size)


def _unpack(content: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, f"it cannot be decompressed ({error})") from error


def _parse_idx(
    content: bytes, shape: tuple[int, ...], n_values: int, path: Path
) -> NDArray[np.uint8]:
    n_header = 4 * (1 + len(shape))
    if len(content) < n_header:
        raise _damaged(path, f"{len(content)} bytes are too few for its header")
    magic, *found = struct.unpack_from(f">{1 + len(shape)}I", content)
    expected_magic = _IDX_UNSIGNED_BYTE + len(shape)
    if magic != expected_magic:
        raise _damaged(
            path, f"its magic number is {magic:#010x} instead of {expected_magic:#010x}"
        )
    if tuple(found) != shape:
        raise _damaged(path, f"its shape is {tuple(found)} instead of {shape}")
    n_bytes = n_header + math.prod(shape)
    if len(content) != n_bytes:
        raise _damaged(path, f"it holds {len(content)} bytes instead of {n_bytes}")
    values = np.frombuffer(content, np.uint8, offset=n_header)
    if (largest := values.max(initial=0)) >= n_values:
        raise _damaged(path, f"it has the value {largest}, with {n_values} allowed")
    return values.reshape(shape)


def _damaged(path: Path, why: str) -> OSError:
    return OSError(f"{show_path(path)} is damaged: {why}")
