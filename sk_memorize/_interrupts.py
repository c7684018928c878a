"""Ctrl-C, told apart from a KeyboardInterrupt that a library raises to stop."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class InterruptWatch:
    """Whether Ctrl-C was pressed.

    Attributes
    ----------
    pressed : bool
        Whether SIGINT arrived inside the block.
    """

    def __init__(self) -> None:
        self.pressed = False


@contextmanager
def watch_interrupts() -> Iterator[InterruptWatch]:
    """Note each SIGINT inside the block, and handle it as it would be without.

    Signals reach the main thread only: in another one nothing is noted. The
    caller's handler is called, and is in place again afterwards.
    """
    watch = InterruptWatch()
    previous = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or not callable(previous):
        yield watch
        return

    def restore() -> None:
        if signal.getsignal(signal.SIGINT) is note:  # no callback has set its own
            signal.signal(signal.SIGINT, previous)

    def note(number: int, frame: FrameType | None) -> None:
        watch.pressed = True
        restore()  # once is enough; and Ctrl-C may break off the one at the end
        previous(number, frame)

    try:
        signal.signal(signal.SIGINT, note)
        yield watch
    finally:
        restore()
