"""Generators of random numbers that are keyed by the contents of rows."""

from collections.abc import Iterator
from hashlib import blake2b

import numpy as np
from numpy.random import SFC64, Generator
from numpy.typing import NDArray
from sklearn.utils import gen_batches

CHUNK = 128  # rows converted to float64 at a time, instead of a copy of all


def keyed_chunks(
    rows: NDArray, seed: int
) -> Iterator[tuple[slice, Iterator[Generator]]]:
    """Divide rows into chunks, and iterate over a generator for each row of a chunk.

    A generator is keyed by the seed and the values of its row; neither the other rows
    nor the place among them count. Values are compared in float64, and 0.0 equals -0.0.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        Real numbers.
    seed : int
        The key of the hash of a row.

    Yields
    ------
    part : slice
        The chunk.
    generators : iterator of Generator
        For the rows of the chunk, each to be used before the next one is asked for.
    """
    key = str(seed).encode()
    for part in gen_batches(len(rows), CHUNK):
        # Adding zero turns negative zeros into positive ones.
        exact = np.add(rows[part], 0.0, dtype=np.float64, order="C")
        with np.errstate(over="ignore"):
            short = exact.astype(np.float32)
        # Rows that float32 can hold are hashed in half the time, whatever their dtype.
        is_short = (short == exact).all(axis=1).tolist()
        chosen = (short[i] if is_short[i] else exact[i] for i in range(len(exact)))
        digests = [blake2b(row, key=key, digest_size=32).digest() for row in chosen]
        yield part, _generators(b"".join(digests))


def _generators(states: bytes) -> Iterator[Generator]:
    """Set one generator to states of 32 bytes: making one takes longer than to draw."""
    bits = SFC64(0)
    rng, fresh = Generator(bits), bits.state
    for words in np.frombuffer(states, np.uint64).reshape(-1, 4):
        fresh["state"]["state"] = words
        bits.state = fresh
        yield rng
