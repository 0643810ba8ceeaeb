"""The leases of partitions: at any time at most one replica acts on a partition, whatever is late, lost or dead; and
when the trouble is over, all partitions are held, in equal shares.

The state machine drives the real `Seat`s of several replicas against a model of NATS KV, with each step of a beat
(heartbeat stored, snapshot read, table written, answer heard) at a time of its own, and time passing between any two.
Not covered here: the bus itself (tests/bus) and what the reconciler does with its turns (the other files here).
"""

from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import given, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.reconciler.keys import AppKey
from services.reconciler.partitions import (
    BEAT_SECONDS,
    COUNT,
    EVERYTHING,
    NOBODY,
    TAKEOVER_SECONDS,
    Seat,
    Table,
    decide,
    partition_of,
    shares,
)

NAMES = ("a", "b", "c", "d")


def test_the_partition_of_an_application_never_changes() -> None:
    assert [partition_of(AppKey("argocd", name)) for name in ("web", "shop", "db")] == [59, 12, 34]


def test_names_spread_over_all_partitions() -> None:
    found = [partition_of(AppKey("argocd", f"app-{number}")) for number in range(6400)]
    assert {min(map(found.count, EVERYTHING)) > 60, max(map(found.count, EVERYTHING)) < 150} == {True}


@given(st.sets(st.sampled_from([f"r{n}" for n in range(70)]), min_size=1), st.data())
def test_shares_are_even_and_nobody_takes_what_another_living_one_holds(alive: set[str], data: st.DataObject) -> None:
    holders = tuple(data.draw(st.lists(st.sampled_from(["", "gone", *alive]), min_size=COUNT, max_size=COUNT)))
    wanted = shares(alive, {name: holders.count(name) for name in alive})
    assert sum(wanted.values()) == COUNT
    assert max(wanted.values()) - min(wanted.values()) <= 1
    for me in alive:
        plan = decide(me, alive, holders)
        assert all(holders[number] not in alive for number in plan.claim)
        assert all(holders[number] == me for number in plan.release)
        assert not (plan.claim and plan.release)


@given(st.integers(2, 12))
def test_one_that_joins_moves_no_more_than_its_share(count: int) -> None:
    names = [f"r{n}" for n in range(count)]
    holders = tuple(names[number % (count - 1)] for number in range(COUNT))
    moved = sum(len(decide(name, names, holders).release) for name in names[:-1])
    assert moved == shares(names, {name: holders.count(name) for name in names})[names[-1]]


@dataclass
class Server:
    """NATS KV as far as it matters: revisions, and a write upon a revision."""

    revision: int = 0
    members: dict[str, int] = field(default_factory=dict)
    table: Table = field(default_factory=Table)

    def beat(self, name: str) -> None:
        self.revision += 1
        self.members[name] = self.revision

    def write(self, upon: int, holders: tuple[str, ...]) -> Table | None:
        if upon != self.table.revision:
            return None
        self.revision += 1
        self.table = Table(self.revision, holders)
        return self.table


@dataclass
class Replica:
    """One `Seat`, and where its beat stands."""

    seat: Seat
    stage: str = "idle"
    sent: float = 0.0
    seen: tuple[dict[str, int], Table] = field(default_factory=lambda: ({}, Table()))
    write: tuple[int, tuple[str, ...]] | None = None
    written: Table | None = None
    alive: bool = True


class Leases(RuleBasedStateMachine):
    """Three clocks would be one too many: all run alike, which is what the design assumes."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.server = Server()
        self.replicas: dict[str, Replica] = {}
        self.born = 0
        for _ in range(2):
            self.one_joins()

    @rule(seconds=st.sampled_from([0.3, 1.0, 2.5, 4.6, 7.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: sum(one.alive for one in self.replicas.values()) < len(NAMES))
    @rule()
    def one_joins(self) -> None:
        self.born += 1
        name = f"{NAMES[self.born % len(NAMES)]}{self.born}"
        self.replicas[name] = Replica(Seat(name))

    @precondition(lambda self: len(self.living()) > 2)
    @rule(data=st.data())
    def one_dies(self, data: st.DataObject) -> None:
        self.pick(data).alive = False

    @precondition(lambda self: self.living())
    @rule(data=st.data(), steps=st.integers(1, 5))
    def one_goes_some_steps(self, data: st.DataObject, steps: int) -> None:
        replica = self.pick(data)
        for _ in range(steps):
            self.step(replica)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def one_beats(self, data: st.DataObject) -> None:
        self.beat(self.pick(data))

    @precondition(lambda self: self.living())
    @rule(
        data=st.data(),
        before=st.sampled_from([0.0, 2.5, 4.6]),
        steps=st.integers(1, 5),
        stall=st.sampled_from([2.5, 7.0]),
    )
    def one_stalls_in_a_beat(self, data: st.DataObject, before: float, steps: int, stall: float) -> None:
        """The others go on meanwhile, on time: what it knew when it stopped is old when it goes on."""
        self.now += before
        stalled = self.pick(data)
        for _ in range(steps):
            self.step(stalled)
        others = [one for one in self.living() if one is not stalled]
        until = self.now + stall
        while self.now < until:
            for one in others:
                self.beat(one)
                self.nobody_acts_where_another_does()
            self.now += BEAT_SECONDS
        self.beat(stalled)

    @precondition(lambda self: self.living())
    @rule(data=st.data())
    def an_answer_is_lost(self, data: st.DataObject) -> None:
        """Whatever was under way may have been done all the same."""
        self.pick(data).stage = "idle"

    @precondition(lambda self: self.server.table.revision)
    @rule()
    def everybody_recovers(self) -> None:
        self.now += TAKEOVER_SECONDS + 1
        for _ in range(6 * len(self.living()) + 12):
            self.now += BEAT_SECONDS
            for replica in self.living():
                self.beat(replica)
        held = [len(one.seat.held) for one in self.living()]
        if held:
            assert sum(held) == COUNT, "all partitions are held"
            assert max(held) - min(held) <= 1, "in equal shares"

    def living(self) -> list[Replica]:
        return [one for one in self.replicas.values() if one.alive]

    def pick(self, data: st.DataObject) -> Replica:
        return self.replicas[data.draw(st.sampled_from(sorted(n for n, one in self.replicas.items() if one.alive)))]

    def beat(self, replica: Replica) -> None:
        """Go on to the end of the beat."""
        self.step(replica)
        while replica.stage != "idle":
            self.step(replica)

    def step(self, replica: Replica) -> None:
        {
            "idle": self.send,
            "sent": self.store,
            "stored": self.look,
            "looked": self.think,
            "writing": self.save,
            "written": self.hear,
        }[replica.stage](replica)

    def send(self, replica: Replica) -> None:
        replica.sent, replica.stage = self.now, "sent"

    def store(self, replica: Replica) -> None:
        self.server.beat(replica.seat.me)
        replica.stage = "stored"

    def look(self, replica: Replica) -> None:
        replica.seen, replica.stage = (dict(self.server.members), self.server.table), "looked"

    def think(self, replica: Replica) -> None:
        members, table = replica.seen
        step = replica.seat.read(replica.sent, members, (), table, self.now)
        replica.seat.give(step.release)
        replica.write = None if step.write is None else (table.revision, step.write)
        replica.stage = "idle" if step.write is None else "writing"

    def save(self, replica: Replica) -> None:
        assert replica.write is not None
        replica.written = self.server.write(*replica.write)
        replica.stage = "written"

    def hear(self, replica: Replica) -> None:
        if replica.written is not None:
            replica.seat.wrote(replica.sent, replica.written)
        replica.stage = "idle"

    @invariant()
    def nobody_acts_where_another_does(self) -> None:
        for number in range(COUNT):
            acting = [one.seat.me for one in self.living() if one.seat.acts(number, self.now)]
            assert len(acting) <= 1, f"{acting} act on partition {number}"


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


def test_a_table_that_the_server_lost_is_written_again_as_it_was() -> None:
    seat = Seat("a")
    step = seat.read(0.0, {"a": 1}, (), Table(), 0.1)
    assert step.write == ("a",) * COUNT
    seat.wrote(0.0, Table(2, step.write))
    again = seat.read(1.0, {"a": 1, "b": 2}, (), Table(0, NOBODY), 1.1)
    assert again.write == ("a",) * COUNT


def test_what_a_dead_process_held_is_taken_at_once() -> None:
    seat = Seat("a")
    step = seat.read(0.0, {"a": 2, "b": 1}, ("b",), Table(5, ("b",) * COUNT), 0.1)
    assert step.write == ("a",) * COUNT


def test_what_a_silent_replica_held_is_taken_when_its_lease_is_over_for_certain() -> None:
    seat = Seat("a")
    table = Table(5, ("b",) * COUNT)
    for second in range(int(TAKEOVER_SECONDS)):
        assert seat.read(second, {"a": 9 + second, "b": 1}, (), table, second).write is None
    over = TAKEOVER_SECONDS
    assert seat.read(over, {"a": 99, "b": 1}, (), table, over).write == ("a",) * COUNT


def test_one_that_was_late_writes_before_it_acts_again_so_it_and_its_successor_never_both_win() -> None:
    late, successor = Seat("a"), Seat("b")
    late.wrote(0.0, table := Table(3, ("a",) * COUNT))
    successor.read(0.0, {"a": 1, "b": 2}, (), table, 0.1)
    taking = successor.read(9.0, {"a": 1, "b": 4}, (), table, 9.1)
    back = late.read(9.2, {"a": 5, "b": 4}, (), table, 9.3)
    assert taking.write is not None
    assert back.write is not None, "it has to win the table first, which only one of them can"
    assert not late.acts(0, 9.3)
    assert not successor.acts(0, 9.3)


def test_a_snapshot_proves_no_more_silence_than_there_was_when_it_was_asked_for() -> None:
    """One that stalls between looking and judging knows nothing of a beat that came meanwhile and wrote nothing."""
    stalled, other = Seat("a"), Seat("b")
    table = Table(3, ("b",) * COUNT)
    stalled.read(0.0, {"a": 1, "b": 2}, (), table, 0.0)
    other.wrote(0.0, table)
    looked = {"a": 4, "b": 2}
    assert other.read(4.6, {"a": 4, "b": 5}, (), table, 4.6).write is None, "it is not late, so it writes nothing"
    judged = stalled.read(4.6, looked, (), table, 4.6 + 2.5)
    assert other.acts(0, 4.6 + 2.5)
    assert judged.write is None
