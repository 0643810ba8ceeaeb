"""Taking part among the reconciler's replicas: heartbeats, reading who is there, writing the table of partitions.

In: NATS KV, buckets `members` (heartbeats, which go by themselves) and `leases` (the table). Out: `acts(key)`, and
calls when partitions come, are to be handed over, go, or can't be acted on for a while because the bus is away. The
decisions are `partitions.py`'s. A single replica holds everything from its first beat on.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from uuid import uuid4

import msgspec

from services.reconciler.keys import AppKey
from services.reconciler.partitions import BEAT_SECONDS, COUNT, EVERYTHING, Seat, Step, Table, partition_of
from services.reconciler.process import Process, is_dead, this_process
from shared.bus import Bus, BusError, Conflict, Kv
from shared.telemetry import get_logger

log = get_logger()
TABLE = "reconciler"
FORGOTTEN_AFTER = 60.0
GOODBYE_SECONDS = 3.0
Numbers = frozenset[int]


class Stored(msgspec.Struct, frozen=True):
    """The table as NATS keeps it."""

    holders: tuple[str, ...]


@dataclass(frozen=True)
class Turns:
    """What is told. `hand_over` ends when nothing of these partitions is worked on any more; `lapsed`: act on nothing
    until `resumed`; `state` whether there are leases at all, and why not.
    """

    gained: Callable[[Numbers], None]
    lost: Callable[[Numbers], None]
    hand_over: Callable[[Numbers], Awaitable[None]]
    lapsed: Callable[[], None]
    resumed: Callable[[], None]
    state: Callable[[bool, str], None]


class Membership:
    """One replica. `acts` is asked before every write that matters."""

    def __init__(self, bus: Bus) -> None:
        self.me = uuid4().hex[:12]
        self._bus = bus
        self._buckets: tuple[Kv, Kv] | None = None
        self._seat = Seat(self.me)
        self._told: Numbers = frozenset()
        self._leaving: Numbers = frozenset()
        self._lapsed = False
        self._alarm: asyncio.TimerHandle | None = None
        self._soon = asyncio.Event()

    def acts(self, key: AppKey) -> bool:
        """Tell whether this replica may act on an Application now."""
        return self._seat.acts(partition_of(key), monotonic())

    def takes(self, key: AppKey) -> bool:
        """Tell whether new work on an Application may begin: not when it is about to be handed over."""
        return self.acts(key) and partition_of(key) not in self._leaving

    def holds(self, key: AppKey) -> bool:
        """Tell whether an Application is this replica's, maybe one that it may not act on just now."""
        return partition_of(key) in self._told

    @property
    def held(self) -> Numbers:
        return self._told

    async def run(self, turns: Turns) -> None:
        """Take part until cancelled, then leave everything to the others at once."""
        try:
            async with asyncio.TaskGroup() as tasks:
                while True:
                    self._soon.clear()
                    await self._beat(turns, tasks)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(BEAT_SECONDS * random.uniform(0.9, 1.1)):  # noqa: S311 - jitter
                            await self._soon.wait()
        finally:
            await self._leave(turns)

    async def _beat(self, turns: Turns, tasks: asyncio.TaskGroup) -> None:
        try:
            step = await self._read()
        except Conflict:
            self._soon.set()
        except BusError as error:
            self._buckets = None
            turns.state(False, f"the bus keeps no leases, so nobody knows who works on what: {error}")
        else:
            turns.state(True, "")
            self._tell(turns)
            if leaving := step.release - self._leaving:
                self._leaving |= leaving
                tasks.create_task(self._hand_over(turns, leaving))

    async def _read(self) -> Step:
        """Send a heartbeat, read, and write what follows. Raises BusError, Conflict when another wrote meanwhile."""
        members, leases = await self._opened()
        sent = monotonic()
        await members.put(self.me, msgspec.json.encode(this_process()))
        seen = await members.snapshot()
        dead = [name for name, entry in seen.items() if is_dead(msgspec.json.decode(entry.value, type=Process))]
        table = await read_table(leases)
        revisions = {name: entry.revision for name, entry in seen.items()}
        step = self._seat.read(sent, revisions, dead, table, monotonic())
        if step.write is not None:
            revision = await write_table(leases, table.revision, step.write)
            self._seat.wrote(sent, Table(revision, step.write))
        return step

    async def _opened(self) -> tuple[Kv, Kv]:
        """Give the buckets for heartbeats and for the table, made where they are missing."""
        if self._buckets is None:
            members = await self._bus.kv("members", lifetime=FORGOTTEN_AFTER)
            self._buckets = members, await self._bus.kv("leases")
        return self._buckets

    def _tell(self, turns: Turns) -> None:
        """Tell what changed, and set the alarm anew for the time at which our leases end."""
        if self._alarm is not None:
            self._alarm.cancel()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(max(0.0, self._seat.deadline - monotonic()), self._lapse, turns)
        held, told = self._seat.held, self._told
        self._told = held
        if told - held:
            self._leaving &= held
            turns.lost(told - held)
        if self._lapsed and self._seat.deadline > monotonic():
            self._lapsed = False
            turns.resumed()
        if held - told:
            log.info("partitions", held=len(held), of=COUNT, gained=len(held - told))
            turns.gained(held - told)

    def _lapse(self, turns: Turns) -> None:
        if self._told and not self._lapsed:
            self._lapsed = True
            log.warning("no heartbeat arrived in time: nothing is done until one does", partitions=len(self._told))
            turns.lapsed()

    async def _hand_over(self, turns: Turns, numbers: Numbers) -> None:
        await turns.hand_over(numbers)
        self._seat.give(numbers)
        self._tell(turns)
        self._soon.set()

    async def _leave(self, turns: Turns) -> None:
        """Give everything back, so that nobody has to wait for the leases to end."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._told:
            turns.lost(self._told)
        self._told = frozenset()
        self._seat.give(EVERYTHING)
        with suppress(BusError, TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._read()
                await (await self._opened())[0].delete(self.me)


async def read_table(leases: Kv) -> Table:
    """Read the table; one that nobody can read is written anew."""
    entry = await leases.get(TABLE)
    if entry is None:
        return Table()
    try:
        holders = msgspec.json.decode(entry.value, type=Stored).holders
    except msgspec.DecodeError:
        holders = ()
    return Table(entry.revision, holders) if len(holders) == COUNT else Table(entry.revision)


async def write_table(leases: Kv, revision: int, holders: tuple[str, ...]) -> int:
    """Write the table upon the revision that was read. Raises Conflict."""
    value = msgspec.json.encode(Stored(holders))
    return await (leases.update(TABLE, value, revision) if revision else leases.create(TABLE, value))
