"""Requests whose bodies are on their way in: who may send, how slowly, and who goes first when room is short.

A body that has not come holds no place in the queue. It holds the bytes that it announces, so that at the
quota those go on for which there is room; who sends so slowly that others would have to wait for him, makes
way.
"""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from remend.serve.limits import Ledger, Limits
from remend.serve.problems import Problem
from remend.serve.uploads import Upload

__all__ = ["Arrival", "Arrivals", "client_of"]

LOOK_S = 0.1  # between looks for room
SLOW_AFTER_S = 1.5  # before that nobody is called slow
SLOW_RATE = 64 << 10  # bytes a second; slower ones make way when room is short
SPARE_BYTES = 64 << 20  # of the disk, for results


def client_of(address: str | None) -> str | None:
    """Who counts as one client; None = nobody can be told apart there.

    On this machine all programs have one address, and a proxy's clients have the proxy's.

    >>> client_of("127.0.0.1"), client_of("192.0.2.7"), client_of("2001:db8::1:2")
    (None, '192.0.2.7', '2001:db8::/64')
    """
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            known = known.ipv4_mapped
        elif not known.is_loopback:
            return str(ipaddress.ip_network((known, 64), strict=False))
    return None if known.is_loopback else str(known)


@dataclass(eq=False)
class Arrival:
    """One body on its way in.

    Attributes:
        client: see `client_of`.
        declared: bytes that it announced; None = it did not say.
        upload: what has come of it.
        received: bytes that have come.
        lost: why it may not go on.
        clock: of who reads it, while it is read; set to now when it is lost.
    """

    client: str | None
    declared: int | None
    upload: Upload
    received: int = 0
    since: float = field(default_factory=time.monotonic)
    lost: Problem | None = None
    clock: asyncio.Timeout | None = None

    @property
    def rate(self) -> float:
        """Bytes a second so far."""
        return self.received / max(1e-3, time.monotonic() - self.since)

    @property
    def slow(self) -> bool:
        """Whether it makes way when room is short."""
        sending = self.clock is not None
        return sending and time.monotonic() - self.since > SLOW_AFTER_S and self.rate < SLOW_RATE

    def lose(self, problem: Problem) -> None:
        """It may not go on; who reads it hears of it at once."""
        self.lost = problem
        if self.clock is not None and not self.clock.expired():
            self.clock.reschedule(asyncio.get_running_loop().time())


class Arrivals:
    """All bodies on their way in.

    Args:
        limits, ledger: how much may come.
        held_by: bytes that a client's jobs hold already.
        room_in: seconds until so many bytes are likely to be free.
    """

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        *,
        held_by: Callable[[str], int],
        room_in: Callable[[int], int],
    ) -> None:
        self.limits, self.ledger, self.held_by, self.room_in = limits, ledger, held_by, room_in
        self.folder = Path()
        self._all: list[Arrival] = []
        self._at_the_door = 0

    def __len__(self) -> int:
        return len(self._all) + self._at_the_door

    @asynccontextmanager
    async def welcome(self, client: str | None, declared: int | None) -> AsyncIterator[Arrival]:
        """A place for a body, as soon as there is room, for a few seconds at most.

        Raises:
            Problem: ``too-many-bytes``, ``disk-full``, or ``queue-full``.
        """
        if declared is not None and declared > self.limits.max_bytes:
            raise self.too_many()
        arrival = Arrival(client, declared, Upload(self.ledger))
        self._at_the_door += 1
        try:
            await self._find_room(arrival)
            arrival.since = time.monotonic()
            self._all.append(arrival)
        finally:
            self._at_the_door -= 1
        try:
            yield arrival
        finally:
            self._all.remove(arrival)

    async def _find_room(self, arrival: Arrival) -> None:
        need = arrival.declared or 0
        free = (await asyncio.to_thread(shutil.disk_usage, self.folder)).free
        if free < need + SPARE_BYTES:
            raise Problem("disk-full", f"{free >> 20} MiB are free where pictures are kept")
        until = time.monotonic() + self.limits.room_seconds
        while (short := self._shortage(arrival, need)) is not None:
            mine, problem = short
            self._make_way(need, mine)
            # Where one client has its share, or it can never fit, waiting is of no use.
            if time.monotonic() >= until or need > self.ledger.limit:
                raise problem
            await asyncio.sleep(LOOK_S)
        arrival.upload.hold(need)

    def _shortage(self, arrival: Arrival, need: int) -> tuple[list[Arrival], Problem] | None:
        """Who might make way, and what is said when nobody does; None = there is room."""
        limits, share = self.limits, self.limits.client_share
        if arrival.client is not None and share < 1:
            own = [other for other in self._all if other.client == arrival.client]
            held = sum(other.upload.held for other in own) + self.held_by(arrival.client)
            if len(own) >= max(1, share * limits.arrivals) or (
                held and held + need > share * self.ledger.limit
            ):
                return own, self._full("requests from your address fill its share")
        if len(self._all) >= limits.arrivals:
            return self._all, self._full(f"{len(self._all)} requests are on their way in already", need)
        if not self.ledger.fits(need):
            return self._all, self._full(self.ledger.full(), need)
        return None

    def _full(self, detail: str, need: int = 0) -> Problem:
        return Problem("queue-full", detail, retry_after=self.room_in(need))

    def _make_way(self, need: int, among: list[Arrival]) -> None:
        """The slowest lose their place, as many as it takes."""
        lost = [other for other in among if other.lost is not None]
        room = self.ledger.limit - self.ledger.held + sum(other.upload.held for other in lost)
        places = self.limits.arrivals - len(self._all) + len(lost)
        for other in sorted((one for one in among if one.slow), key=lambda one: one.rate):
            if room >= need and places > 0:
                break
            if other.lost is None:
                other.lose(Problem("upload-too-slow", "the body came slowly, and others needed its room"))
                room, places = room + other.upload.held, places + 1

    async def take(self, arrival: Arrival, count: int) -> None:
        """So many bytes have come. Who announced them has them already; of others the youngest makes way.

        Raises:
            Problem: ``too-many-bytes``, or ``queue-full``.
        """
        if arrival.lost is not None:
            raise arrival.lost
        arrival.received += count
        if arrival.received > self.limits.max_bytes:
            raise self.too_many()
        if arrival.declared is not None:
            return
        while not self.ledger.fits(count):
            if any(one.lost is not None for one in self._all):
                await asyncio.sleep(LOOK_S / 10)  # its bytes come back first
                continue
            youngest = [one for one in self._all if one.declared is None and one.lost is None][-1:]
            if not youngest or youngest[0] is arrival:
                raise self._full(self.ledger.full(), count)
            youngest[0].lose(self._full(self.ledger.full(), youngest[0].received))
        arrival.upload.hold(count)

    def too_many(self) -> Problem:
        """The request is larger than any may be."""
        allowed = self.limits.max_bytes / 2**20
        return Problem(
            "too-many-bytes", f"the request is larger than the {allowed:,.1f} MiB allowed", "image"
        )
