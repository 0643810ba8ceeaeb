"""What owners said with `registry.watch`, kept in the bucket `registry-watches`: a restart forgets none.

Owners say it anew from time to time (image_updater at each sweep): one of which nothing was heard for a day is gone.
"""

import asyncio
from collections.abc import Callable
from time import monotonic

from pydantic import ValidationError

from shared.bus import Bus, BusError, Kv, key
from shared.events import WatchImages, Watching
from shared.telemetry import get_logger

log = get_logger()
BUCKET = "registry-watches"
SILENT_SECONDS, LOOK_EVERY = 86_400.0, 3_600.0


class Watched:
    """`take` makes it so."""

    def __init__(self, bus: Bus, take: Callable[[WatchImages], Watching]) -> None:
        self._bus, self._take = bus, take
        self._kv: Kv | None = None
        self._kept: dict[str, bytes] = {}
        self._heard: dict[str, float] = {}

    async def restore(self) -> None:
        """All that was said before; must be awaited before questions are answered."""
        self._kv = await self._bus.kv(BUCKET)
        async for entry in self._kv.entries():
            try:
                question = WatchImages.from_bytes(entry.value)
                self._take(question)
                self._kept[question.owner] = entry.value
                self._heard[question.owner] = monotonic()
            except ValidationError:
                log.warning("an entry of the watched images can't be read", entry=entry.key)

    async def on_watch(self, question: WatchImages) -> Watching:
        """Kept first, then done: an answer means that it is kept. What is said again unchanged is not written again."""
        assert self._kv is not None
        data = question.to_bytes() if question.images else b""
        if data != self._kept.get(question.owner, b""):
            name = key(question.owner)
            await (self._kv.put(name, data) if data else self._kv.delete(name))
            self._kept[question.owner] = data
        if data:
            self._heard[question.owner] = monotonic()
        else:
            self._kept.pop(question.owner, None)
            self._heard.pop(question.owner, None)
        return self._take(question)

    async def run(self) -> None:
        """Forget who has fallen silent, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.forget_silent(monotonic() - SILENT_SECONDS)
            except BusError as error:
                log.info("who has fallen silent is forgotten later", why=str(error))

    async def forget_silent(self, since: float) -> None:
        """Of whom nothing was heard since a moment of the monotonic clock. Raises BusError."""
        for owner in [owner for owner, at in self._heard.items() if at < since]:
            log.info("nothing was heard of an owner of images for long: they are watched no more", owner=owner)
            await self.on_watch(WatchImages(owner=owner))
