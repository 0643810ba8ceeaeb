"""What owners said with `registry.watch`, kept in the bucket `registry-watches`: a restart forgets none."""

from collections.abc import Callable

from pydantic import ValidationError

from shared.bus import Bus, Kv, key
from shared.events import WatchImages, Watching
from shared.telemetry import get_logger

log = get_logger()
BUCKET = "registry-watches"


class Watched:
    """`take` makes it so."""

    def __init__(self, bus: Bus, take: Callable[[WatchImages], Watching]) -> None:
        self._bus, self._take = bus, take
        self._kv: Kv | None = None
        self._kept: dict[str, bytes] = {}

    async def restore(self) -> None:
        """All that was said before; must be awaited before questions are answered."""
        self._kv = await self._bus.kv(BUCKET)
        async for entry in self._kv.entries():
            try:
                question = WatchImages.from_bytes(entry.value)
                self._take(question)
                self._kept[question.owner] = entry.value
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
        return self._take(question)
