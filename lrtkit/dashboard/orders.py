"""A thread that carries out orders one after the other, and whenever it is due what comes round."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeAlias

Order: TypeAlias = Callable[[], object]
_Waiting: TypeAlias = "queue.SimpleQueue[Order | None]"


class Orders:
    """Orders may be left from any thread, and none of them waits.

    ``round`` is carried out when ``due_in_s()`` seconds have gone by without an order, never where that
    says None; ``complain`` hears of whatever went wrong, and the thread goes on.
    """

    def __init__(
        self, round_: Order, *, due_in_s: Callable[[], float | None], complain: Callable[[Exception], object]
    ) -> None:
        self._round, self._due_in_s, self._complain = round_, due_in_s, complain
        self._waiting: _Waiting = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, order: Order) -> None:
        """Leave an order."""
        self._waiting.put(order)

    def start(self) -> None:
        """Start a thread, in the place of one that may be about to end; it ends with the process."""
        self.stop()
        self._waiting = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._obey, args=(self._waiting,), name="dashboard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Let the thread end after the orders that it has."""
        self._waiting.put(None)

    @property
    def is_running(self) -> bool:
        """Whether there is a thread."""
        return self._thread is not None and self._thread.is_alive()

    def _obey(self, waiting: _Waiting) -> None:
        while True:
            try:
                order = waiting.get(timeout=self._due_in_s())
            except queue.Empty:
                order = self._round
            if order is None:
                return
            self._carry_out(order)

    def _carry_out(self, order: Order) -> None:
        try:
            order()
        except Exception as error:  # noqa: BLE001 - of a thread's exceptions nobody would hear
            self._complain(error)
