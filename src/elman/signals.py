"""Signals while some work goes on: who hears them, and that afterwards all is as it was."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


@contextmanager
def heard_by(handler: Handler, *numbers: signal.Signals) -> Iterator[None]:
    """Let a handler have these signals; outside the main thread, which alone hears them, change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


@contextmanager
def asking_first(stop: Callable[[], None], *numbers: signal.Signals) -> Iterator[None]:
    """Let the first of these signals ask work to stop where it can, and a second one end it at once.

    Raises:
        KeyboardInterrupt: at the second.
    """
    asked = False

    def hear(*_: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        stop()

    with heard_by(hear, *numbers):
        yield
