"""The connection to one destination cluster: made, probed, lost and regained by itself, while nobody else waits.

In: how to open it. Out: the `Destination`, and a `ConnectionState` for people. A connection that breaks keeps its
destination and all that was seen of it: what lives there is then unknown, never empty. Passes for a cluster that is
known to be away fail at once and come back when it does. Never: a wait for another cluster.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Literal, NoReturn

from services.reconciler.destination import Destination
from services.reconciler.errors import ComparisonFailed
from shared.kube import KubeError
from shared.telemetry import get_logger

log = get_logger()
PROBE_EVERY, PROBE_TIMEOUT = 30.0, 10.0
SHORTEST_PROBE = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
GRACE = 3.0
Open = Callable[[], AbstractAsyncContextManager[Destination]]


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """What Argo CD calls `connectionState`. `since`: monotonic seconds at which the status became what it is."""

    status: Literal["Unknown", "Successful", "Failed"] = "Unknown"
    message: str = ""
    version: str = ""
    since: float = 0.0


OnTurn = Callable[[ConnectionState, ConnectionState], None]
"""Told the state before and the state now."""


def pause(failures: int, chance: float) -> float:
    """Seconds until a cluster that is away is asked again; `chance` between 0 and 1 spreads those of many."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10)) * (0.75 + chance / 2))


async def within(seconds: float | None, event: asyncio.Event) -> None:
    """Wait for an event, or until the time is over; whoever is cancelled meanwhile leaves no task behind."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


class Connection:
    """One cluster. `on_turn` is told each time that it becomes reachable or stops being so."""

    def __init__(self, server: str, open_: Open, on_turn: OnTurn) -> None:
        self.server = server
        self.state = ConnectionState()
        self.destination: Destination | None = None
        self._open = open_
        self._on_turn = on_turn
        self._turned = asyncio.Event()

    async def run(self) -> None:
        """Connect and stay connected until cancelled."""
        failures = 0
        while True:
            try:
                async with self._open() as destination:
                    self.destination = destination
                    await self._attend(destination)
            except (KubeError, OSError, ValueError) as error:
                failures += 1
                self.broke(error)
            await asyncio.sleep(pause(failures, random.random()))  # noqa: S311 - jitter, no secret

    async def _attend(self, destination: Destination) -> NoReturn:
        """Probe for as long as the connection is wanted: now and then, and at once when a call got no answer."""
        failures = 0
        while True:
            destination.cluster.silent.clear()
            try:
                self._succeeded(await destination.discovery.probe(PROBE_TIMEOUT))
                failures = 0
            except KubeError as error:
                failures += 1
                self.broke(error)
            await self._until_next(destination, failures)

    async def _until_next(self, destination: Destination, failures: int) -> None:
        if failures:
            await asyncio.sleep(pause(failures, random.random()))  # noqa: S311 - jitter, no secret
            return
        await asyncio.sleep(SHORTEST_PROBE)
        await within(PROBE_EVERY, destination.cluster.silent)

    def _succeeded(self, version: str) -> None:
        self._turn(ConnectionState("Successful", "", version, monotonic()))

    def broke(self, error: Exception) -> None:
        """Take the news that the cluster can't be reached."""
        message = error.message if isinstance(error, KubeError) else str(error)
        self._turn(ConnectionState("Failed", message, self.state.version, monotonic()))

    def _turn(self, new: ConnectionState) -> None:
        """Take a new state; while it goes on failing, the first message and time stay."""
        old = self.state
        if (new.status, new.version) == (old.status, old.version):
            return
        self.state = new
        log.info("cluster connection", server=self.server, status=new.status, why=new.message, version=new.version)
        self._turned.set()
        self._turned = asyncio.Event()
        self._on_turn(old, new)

    async def ready(self) -> Destination:
        """Give the destination once it answers. Raises ComparisonFailed when it does not.

        A failure counts after a moment only: an API server that restarts is no news.
        """
        while self.state.status != "Successful":
            patience = GRACE + self.state.since - monotonic() if self.state.status == "Failed" else None
            if patience is not None and patience <= 0:
                text = f"the cluster {self.server} can't be reached: {self.state.message}"
                raise ComparisonFailed(text, retriable=True)
            await within(patience, self._turned)
        assert self.destination is not None
        return self.destination
