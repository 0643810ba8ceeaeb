"""The work queue: no key twice at a time, none lost, failures later and later. Time is virtual in the state machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.kube import WorkQueue
from shared.kube.backlog import Backlog

KEYS = st.sampled_from("abcde")


class BacklogMachine(RuleBasedStateMachine):
    """Against a model: which keys are owed a call, and from when."""

    def __init__(self) -> None:
        super().__init__()
        self.backlog: Backlog[str] = Backlog()
        self.now = 0.0
        self.owed: set[str] = set()
        self.due: dict[str, float] = {}
        self.taken: set[str] = set()

    @rule(key=KEYS)
    def add(self, key: str) -> None:
        self.backlog.add(key)
        self.owed.add(key)

    @rule(key=KEYS, seconds=st.integers(1, 50))
    def add_later(self, key: str, seconds: int) -> None:
        self.backlog.add_at(key, self.now + seconds)
        self.due[key] = min(self.due.get(key, self.now + seconds), self.now + seconds)

    @rule(seconds=st.integers(0, 60))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.backlog.promote(self.now)
        ripe = {key for key, when in self.due.items() if when <= self.now}
        self.owed |= ripe
        self.due = {key: when for key, when in self.due.items() if key not in ripe}

    @rule()
    def take(self) -> None:
        key = self.backlog.take()
        if key is None:
            assert self.owed <= self.taken, "a key that is owed a call waits in vain"
            return
        assert key not in self.taken, "two workers have the same key"
        assert key in self.owed, "a call that nobody asked for"
        self.taken.add(key)
        self.owed.discard(key)

    @precondition(lambda self: self.taken)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.taken)))
        self.backlog.done(key)
        self.taken.discard(key)

    @invariant()
    def the_next_time_is_the_earliest(self) -> None:
        assert self.backlog.next_due() == min(self.due.values(), default=None)

    @invariant()
    def the_counts_are_right(self) -> None:
        assert self.backlog.taken == len(self.taken)
        assert len(self.backlog) == len(self.owed - self.taken)
        assert self.backlog.idle == (not (self.owed or self.taken or self.due))


TestBacklog = BacklogMachine.TestCase
TestBacklog.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


@asynccontextmanager
async def working(
    queue: WorkQueue[Any], handler: Callable[[Any], Awaitable[float | None]], workers: int
) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run(handler, workers))
    try:
        async with asyncio.timeout(60):
            yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_five_thousand_keys_are_served_once_each_by_sixteen_workers() -> None:
    queue: WorkQueue[int] = WorkQueue()
    served: list[int] = []
    at_once: set[int] = set()
    done = asyncio.Event()

    async def handle(key: int) -> None:
        assert key not in at_once
        at_once.add(key)
        await asyncio.sleep(0)
        at_once.discard(key)
        served.append(key)
        if len(served) == 5000:
            done.set()

    async with working(queue, handle, 16):
        for key in (*range(5000), *range(5000)):
            queue.add(key)
        await done.wait()
    assert sorted(served) == list(range(5000))


async def test_a_key_added_during_its_call_is_called_once_more_afterwards() -> None:
    queue: WorkQueue[str] = WorkQueue()
    calls = 0
    entered, release, again = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def handle(_key: str) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            again.set()
        entered.set()
        await release.wait()

    async with working(queue, handle, 4):
        queue.add("a")
        await entered.wait()
        for _ in range(5):
            queue.add("a")
        assert calls == 1
        release.set()
        await again.wait()
    assert calls == 2


async def test_failures_pause_longer_and_longer_up_to_the_cap_until_one_call_succeeds() -> None:
    queue: WorkQueue[str] = WorkQueue(base=1, cap=60, jitter=lambda: 1.0)
    assert [queue.add_rate_limited("a") for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [queue.add_rate_limited("a") for _ in range(2000)][-1] == 60
    queue.forget("a")
    assert queue.add_rate_limited("a") == 1
    assert WorkQueue[str](base=1, jitter=lambda: 0.0).add_rate_limited("a") == 0.5


async def test_a_handler_that_raises_is_reported_and_called_again() -> None:
    reports: list[tuple[str, str]] = []
    succeeded = asyncio.Event()
    queue: WorkQueue[str] = WorkQueue(base=0.001, on_error=lambda key, error, _pause: reports.append((key, str(error))))

    async def handle(key: str) -> None:
        if len(reports) < 3:
            raise ValueError(f"no {len(reports)}")
        succeeded.set()

    async with working(queue, handle, 2):
        queue.add("a")
        await succeeded.wait()
    assert reports == [("a", "no 0"), ("a", "no 1"), ("a", "no 2")]
    assert queue.failures("a") == 0


async def test_a_handler_may_ask_to_be_called_again() -> None:
    queue: WorkQueue[str] = WorkQueue()
    calls = 0
    enough = asyncio.Event()

    async def handle(_key: str) -> float | None:
        nonlocal calls
        calls += 1
        if calls == 3:
            enough.set()
            return None
        return 0.001

    async with working(queue, handle, 1):
        queue.add("a")
        await enough.wait()
        await asyncio.sleep(0)
    assert queue.idle


async def test_the_earliest_of_several_times_counts() -> None:
    queue: WorkQueue[str] = WorkQueue()
    served = asyncio.Event()

    async def handle(_key: str) -> None:
        served.set()

    async with working(queue, handle, 1):
        queue.add_after("a", 3600)
        queue.add_after("a", 0.01)
        queue.add_after("a", 1800)
        await served.wait()
    assert queue.idle
