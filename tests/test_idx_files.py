"""IDX files, packed or not: what is read, and what is refused as damaged."""

import gzip
import hashlib
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sk_memorize.datasets._files import read_idx, to_unit_rows

IMAGES = np.arange(30, dtype=np.uint8).reshape(5, 2, 3)
CONTENT = struct.pack(">4I", 0x0803, 5, 2, 3) + IMAGES.tobytes()


def read(path, archive):
    md5 = hashlib.md5(archive, usedforsecurity=False).hexdigest()
    return read_idx(path, md5, (5, 2, 3), 10_000, n_values=30)


def test_the_archive_counts_where_there_is_one(tmp_path):
    (tmp_path / "x").write_bytes(CONTENT)
    assert_array_equal(read(tmp_path / "x.gz", b"a"), IMAGES)
    (tmp_path / "x.gz").write_bytes(b"b")
    with pytest.raises(OSError, match=r"x\.gz is damaged: its md5 is \w+ instead of"):
        read(tmp_path / "x.gz", b"a")


@pytest.mark.parametrize("name", ["x.gz", "x"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (CONTENT[:-1], "it holds 45 bytes instead of 46"),
        (CONTENT[:15], "15 bytes are too few for its header"),
        (b"\0\0\x08\x01" + CONTENT[4:], "magic number is 0x00000801"),
        (b"\0\0\x0d\x03" + CONTENT[4:], "magic number is 0x00000d03"),
        (CONTENT[:8] + CONTENT[12:16] * 2 + CONTENT[16:], r"shape is \(5, 3, 3\)"),
        (CONTENT[:-1] + b"\x1e", "it has the value 30, with 30 allowed"),
    ],
)
def test_damage_is_told(tmp_path, name, content, words):
    archive = gzip.compress(content)
    (tmp_path / name).write_bytes(archive if name == "x.gz" else content)
    with pytest.raises(OSError, match=f"{tmp_path / name} is damaged: .*{words}"):
        read(tmp_path / "x.gz", archive)


@pytest.mark.parametrize("place", [slice(-9, None), slice(20, 29), slice(1, None)])
def test_an_archive_that_cannot_be_decompressed(tmp_path, place):
    archive = bytearray(gzip.compress(CONTENT))
    archive[place] = b"" if place.stop is None else b"\xff" * 9
    (tmp_path / "x.gz").write_bytes(archive)
    with pytest.raises(OSError, match=r"x\.gz is damaged: it cannot be decompressed"):
        read(tmp_path / "x.gz", archive)


def make_giant(path):
    path.touch()
    os.truncate(path, 2**40)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Path.mkdir, "directory: '{}"),
        (os.mkfifo, "no ordinary file: '{}"),
        (lambda path: path.symlink_to("/dev/zero"), "no ordinary file: '{}"),
        (make_giant, "{} is damaged: it holds 1099511627776 bytes, more than"),
    ],
)
@pytest.mark.parametrize("name", ["x.gz", "x"])
def test_what_cannot_be_read(make, words, name, tmp_path):
    make(tmp_path / name)
    with pytest.raises(OSError, match=words.format(tmp_path / name)):
        read(tmp_path / "x.gz", b"a")


@pytest.mark.parametrize("axes", [(0, 1, 2), (0, 2, 1)])
def test_scaling_makes_no_intermediate_array(axes):
    images = np.full((1000, 20, 50), 255, dtype=np.uint8).transpose(axes)
    tracemalloc.start()
    X = to_unit_rows(images)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert X.shape == (1000, 1000)
    assert_array_equal(X, np.float32(1))
    assert peak < 1.2 * X.nbytes
