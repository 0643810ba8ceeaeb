"""Which replica works on which Applications: 64 partitions of their names, each held by at most one replica. Pure.

Two facts stand in NATS: a heartbeat of each replica, and one table of who holds what, which is written only upon the
revision that was read. A replica acts on what it holds for `LEASE_SECONDS` after it *sent* its last heartbeat that
arrived; the others take over when they have seen no new one for `TAKEOVER_SECONDS`, which is longer, up to the time at
which they *asked*: however long an answer takes, it proves no more. Nobody's clock is compared with another's. A
replica that was late for its own lease writes the table before it acts again: whoever was about to take over then finds
it changed. Never: I/O, a clock of its own.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import NamedTuple

from services.reconciler.keys import AppKey

COUNT = 64
BEAT_SECONDS = 1.0
LEASE_SECONDS = 5.0
TAKEOVER_SECONDS = 6.5
EVERYTHING = frozenset(range(COUNT))
NOBODY = ("",) * COUNT


def partition_of(key: AppKey) -> int:
    """Give the partition of an Application; the same everywhere and for ever."""
    return int.from_bytes(blake2b(str(key).encode(), digest_size=8).digest()) % COUNT


class Plan(NamedTuple):
    """What a replica should take and give so that all have the same share."""

    claim: frozenset[int] = frozenset()
    release: frozenset[int] = frozenset()


def decide(me: str, alive: Collection[str], holders: tuple[str, ...]) -> Plan:
    """Share evenly among those alive, moving as little as possible."""
    held = Counter(holder for holder in holders if holder in alive)
    mine = [number for number, holder in enumerate(holders) if holder == me]
    free = [number for number, holder in enumerate(holders) if holder not in alive]
    short = shares(alive, held)[me] - len(mine)
    if short >= 0:
        return Plan(claim=frozenset(sorted(free, key=lambda number: affinity(me, number))[:short]))
    return Plan(release=frozenset(sorted(mine, key=lambda number: affinity(me, number))[short:]))


def shares(alive: Collection[str], held: Mapping[str, int]) -> dict[str, int]:
    """Give how many partitions each is to hold; what can't be divided stays with those who have most."""
    each, over = divmod(COUNT, len(alive))
    ranked = sorted(alive, key=lambda name: (-held.get(name, 0), name))
    return {name: each + (rank < over) for rank, name in enumerate(ranked)}


def affinity(name: str, number: int) -> bytes:
    """Order partitions differently for each replica, so that two that claim at once rarely want the same."""
    return blake2b(f"{name} {number}".encode(), digest_size=8).digest()


class Table(NamedTuple):
    """Who holds which partition, as read at a revision; revision 0: there is no table."""

    revision: int = 0
    holders: tuple[str, ...] = NOBODY


class Step(NamedTuple):
    """What follows from reading: partitions to hand over, and a table to write upon the one that was read."""

    release: frozenset[int] = frozenset()
    write: tuple[str, ...] | None = None


class Seat:
    """One replica's place among the others. `held`: what is its own as long as `now` is before `deadline`."""

    def __init__(self, me: str) -> None:
        self.me = me
        self.held: frozenset[int] = frozenset()
        self.deadline = float("-inf")
        self._given: frozenset[int] = frozenset()
        self._seen: dict[str, tuple[int, float]] = {}
        self._table = Table()

    def acts(self, number: int, now: float) -> bool:
        """Tell whether this replica may act on a partition."""
        return now < self.deadline and number in self.held

    def give(self, numbers: frozenset[int]) -> None:
        """Act no more on these; the next table says so."""
        self._given |= numbers
        self.held -= numbers

    def alive(self, members: Mapping[str, int], dead: Collection[str], asked: float, now: float) -> frozenset[str]:
        """Take the revisions of all heartbeats, asked for at `asked`; give whose is not too old, me always.

        What was not there yet when we asked may be there by now: silence is proven up to then, and no further.
        """
        self._seen = {
            name: known if (known := self._seen.get(name)) and known[0] == revision else (revision, now)
            for name, revision in members.items()
        }
        fresh = {name for name, (_, since) in self._seen.items() if asked < since + TAKEOVER_SECONDS}
        return frozenset(fresh - set(dead) | {self.me})

    def read(self, sent: float, members: Mapping[str, int], dead: Collection[str], table: Table, now: float) -> Step:
        """Take what was read after the heartbeat sent at `sent` had arrived."""
        if table.revision == 0 and self._table.revision:
            table = table._replace(holders=self._table.holders)  # the server lost it: what was true is written again
        self._table = table
        mine = self._mine(table.holders)
        late = now >= self.deadline
        if late:
            self.held &= mine
        else:
            self.held, self.deadline = mine - self._given, sent + LEASE_SECONDS
        plan = decide(self.me, self.alive(members, dead, sent, now), table.holders)
        wanted = self._wanted(table.holders, plan.claim)
        if wanted != table.holders or not table.revision or (late and mine):
            return Step(plan.release & self.held, wanted)
        if late:
            self.deadline = sent + LEASE_SECONDS
        return Step(plan.release & self.held)

    def _mine(self, holders: tuple[str, ...]) -> frozenset[int]:
        return frozenset(number for number, holder in enumerate(holders) if holder == self.me)

    def _wanted(self, holders: tuple[str, ...], claim: frozenset[int]) -> tuple[str, ...]:
        def holder(number: int, now: str) -> str:
            if number in claim and number not in self._given:
                return self.me
            return "" if now == self.me and number in self._given else now

        return tuple(holder(number, now) for number, now in enumerate(holders))

    def wrote(self, sent: float, table: Table) -> None:
        """The table that `read` asked for is written: what it says is so."""
        self._table = table
        self._given &= self._mine(table.holders)
        self.held = self._mine(table.holders) - self._given
        self.deadline = max(self.deadline, sent + LEASE_SECONDS)
