"""One FIFO queue of SQS in memory: letters in groups, some of them hidden, and what becomes of them as time goes on.

Every call costs the logarithm of what is in the queue at most: groups whose first letter can be
received lie in one heap, what happens by itself (a lease runs out, a delay ends) in another, and
whatever has been overtaken is thrown away when it comes to the top.
"""

from __future__ import annotations

import heapq
import json
import random
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import replace

from tests.simulation.letters import Attempt, Group, Letter, Place

DEDUPLICATION_S = 300
LEASE_CAP_S = 43_200
LONGEST_LAG_S = 60
FIRST_SEQUENCE = 18_850_000_000_000_000_000


class Fifo:
    """A queue. ``settle`` lets happen what was due by now; every other method expects that it was called."""

    def __init__(
        self,
        name: str,
        attributes: dict[str, str],
        *,
        arn: str,
        now: float,
        rng: random.Random,
        most_in_flight: int,
    ) -> None:
        self.name = name
        self.arn = arn
        self.attributes = attributes
        self.created = self.modified = now
        self.purged: float | None = None
        self.counts = {Place.VISIBLE: 0, Place.IN_FLIGHT: 0, Place.DELAYED: 0}
        self.past: deque[tuple[float, tuple[int, ...]]] = deque([(now, (0, 0, 0))])
        self.letters: OrderedDict[str, Letter] = OrderedDict()
        self._rng = rng
        self._most_in_flight = most_in_flight
        self._groups: dict[str, Group] = {}
        self._ready: list[tuple[int, str]] = []
        self._due: list[tuple[float, int, Letter]] = []
        self._sequence = FIRST_SEQUENCE
        self._sent: OrderedDict[tuple[str, str], tuple[float, str, int]] = OrderedDict()
        self._attempts: OrderedDict[str, Attempt] = OrderedDict()

    def seconds(self, name: str) -> int:
        """Return an attribute that is a number."""
        return int(self.attributes[name])

    def settle(self, now: float) -> None:
        """Let leases and delays end and old letters expire, each at its own time."""
        while (at := self.next_change()) <= now:
            if self._due and self._due[0][0] == at:
                self._reveal(heapq.heappop(self._due)[2], at)
            else:
                self.drop(next(iter(self.letters.values())), at)

    def next_change(self) -> float:
        """Return when something happens by itself."""
        while self._due and not _is_due(*self._due[0]):
            heapq.heappop(self._due)
        ends = self._due[0][0] if self._due else float("inf")
        return min(ends, self._expiry())

    def _expiry(self) -> float:
        for oldest in self.letters.values():
            return oldest.sent + self.seconds("MessageRetentionPeriod")
        return float("inf")

    def _reveal(self, letter: Letter, at: float) -> None:
        self._move(letter, Place.VISIBLE, at)
        self._offer(letter.group)

    def known(self, key: tuple[str, str], now: float) -> tuple[str, int] | None:
        """Return id and sequence of the letter that was sent under this deduplication key within five minutes."""
        while self._sent and next(iter(self._sent.values()))[0] <= now - DEDUPLICATION_S:
            self._sent.popitem(last=False)
        found = self._sent.get(key)
        return found[1:] if found else None

    def put(self, letter: Letter, now: float) -> Letter:
        """Put a letter at the end."""
        letter.sent = now
        letter.sequence = self._sequence = self._sequence + 256
        delay_s = self.seconds("DelaySeconds")
        letter.place = Place.DELAYED if delay_s else Place.VISIBLE
        self.letters[letter.message_id] = letter
        self._groups.setdefault(letter.group, Group()).letters[letter.sequence] = letter
        self.counts[letter.place] += 1
        if delay_s:
            self._wake(letter, now + delay_s)
        self._offer(letter.group)
        self._note(now)
        return letter

    def remember(self, key: tuple[str, str], letter: Letter) -> None:
        """Know the letter's deduplication key for five minutes, whatever becomes of the letter."""
        self._sent[key] = (letter.sent, letter.message_id, letter.sequence)

    def new_id(self) -> str:
        """Return an id that no other message has."""
        text = f"{self._rng.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def take(self, most: int, hold_s: float, now: float, dead: Fifo | None) -> list[Letter]:
        """Hide up to ``most`` letters, as many of one group as there are; move those of too many receives away."""
        taken: list[Letter] = []
        limit = self._max_receives() if dead else 0
        while len(taken) < most and self._room() and (group := self._next_group()):
            for letter in self._first_of(group, most - len(taken)):
                if dead and letter.receives >= limit:
                    self._bury(letter, dead, now)
                else:
                    taken.append(letter)
                    self._hold(letter, hold_s, now)
            self._offer(group)
        self.settle(now)  # those that are held for no time at all are back at once
        return taken

    def _first_of(self, name: str, most: int) -> Iterator[Letter]:
        """Yield the letters of a group that can be received together, as many as fit into the answer and the limit."""
        for letter in list(_heads(self._groups[name], min(most, self._room()))):
            if letter.place is not Place.VISIBLE:
                return
            yield letter

    def _room(self) -> int:
        """Return how many more can be in flight."""
        return self._most_in_flight - self.counts[Place.IN_FLIGHT]

    def _hold(self, letter: Letter, hold_s: float, now: float) -> None:
        letter.receives += 1
        letter.received = now
        letter.first_received = letter.first_received or now
        self._move(letter, Place.IN_FLIGHT, now)
        self._wake(letter, now + hold_s)

    def _bury(self, letter: Letter, dead: Fifo, now: float) -> None:
        """Move a letter to the dead-letter queue: group and deduplication id go with it, its age begins anew."""
        self.drop(letter, now)
        dead.put(replace(letter, source=self.arn), now)  # another one, for what was due of this may still lie here

    def _max_receives(self) -> int:
        return int(json.loads(self.attributes["RedrivePolicy"])["maxReceiveCount"])

    def repeated(self, attempt_id: str, now: float) -> list[Letter] | None:
        """Return what a receive of this id gave, hidden anew, if within five minutes nobody has touched it."""
        while self._attempts and next(iter(self._attempts.values())).at <= now - DEDUPLICATION_S:
            self._attempts.popitem(last=False)
        found = self._attempts.get(attempt_id)
        if not found or not all(_is_untouched(*each) for each in found.given):
            return None
        return [letter for letter, _, _ in found.given]

    def keep_attempt(self, attempt_id: str, letters: list[Letter], now: float) -> None:
        """Remember what a receive gave."""
        at = self._attempts[attempt_id].at if attempt_id in self._attempts else now
        self._attempts[attempt_id] = Attempt(at, tuple((each, each.receipt, each.visible_at) for each in letters))

    def hide(self, letter: Letter, seconds: float, now: float) -> None:
        """Hide a letter from now on for so long; none at all gives it back at once."""
        if seconds > 0:
            self._move(letter, Place.IN_FLIGHT, now)
            self._wake(letter, now + seconds)
        else:
            letter.visible_at = now
            self._reveal(letter, now)

    def drop(self, letter: Letter, at: float) -> None:
        """Take a letter out of the queue."""
        group = self._groups[letter.group]
        self._move(letter, Place.GONE, at)
        del self.letters[letter.message_id], group.letters[letter.sequence]
        self._offer(letter.group)

    def purge(self, now: float) -> None:
        """Take every letter out of the queue."""
        for letter in list(self.letters.values()):
            self.drop(letter, now)
        self.purged = now

    def _move(self, letter: Letter, place: Place, at: float) -> None:
        group, old = self._groups[letter.group], letter.place
        group.in_flight += (place is Place.IN_FLIGHT) - (old is Place.IN_FLIGHT)
        self.counts[old] -= 1
        letter.place = place
        if place is not Place.GONE:
            self.counts[place] += 1
        if place is not old:
            self._note(at)

    def _offer(self, name: str) -> None:
        """Let a group be received from, if it can be; forget it when it is empty."""
        group = self._groups.get(name)
        if group and group.ready is not None:
            heapq.heappush(self._ready, (group.ready, name))
        elif group and not group.letters:
            del self._groups[name]

    def _next_group(self) -> str | None:
        """Return the group whose first letter is the oldest of those that can be received."""
        while self._ready:
            sequence, name = heapq.heappop(self._ready)
            group = self._groups.get(name)
            if group and group.ready == sequence:
                return name
        return None

    def _wake(self, letter: Letter, at: float) -> None:
        letter.visible_at = at
        heapq.heappush(self._due, (at, letter.sequence, letter))

    def _note(self, at: float) -> None:
        self.past.append((at, tuple(self.counts.values())))
        while len(self.past) > 1 and self.past[1][0] <= at - LONGEST_LAG_S:
            self.past.popleft()


def _is_due(at: float, _: int, letter: Letter) -> bool:
    return letter.visible_at == at and letter.place in (Place.IN_FLIGHT, Place.DELAYED)


def _is_untouched(letter: Letter, receipt: str, visible_at: float) -> bool:
    return letter.place is Place.IN_FLIGHT and letter.receipt == receipt and letter.visible_at == visible_at


def _heads(group: Group, most: int) -> Iterator[Letter]:
    for _, letter in zip(range(most), group.letters.values(), strict=False):
        yield letter
