"""Whether a service can do its work, part by part, and the one page that tells it.

A service reports each part it depends on (`informer`, `http`, ...); it is ready when it has reported at least one and
all are well, and so is what the process shares (`bus`). Notes say what a person should know although the work goes on.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from shared.security import redact


class Part(NamedTuple):
    ok: bool
    why: str


class Health:
    """One service's state; `shared` holds the parts that all services of the process stand on."""

    def __init__(self, service: str, shared: dict[str, Part] | None = None) -> None:
        self.service = service
        self._shared: dict[str, Part] = {} if shared is None else shared
        self._parts: dict[str, Part] = {}
        self._notes: dict[str, str] = {}
        self.changed = asyncio.Event()

    @property
    def ready(self) -> bool:
        return bool(self._parts) and all(part.ok for part in (self._parts | self._shared).values())

    def set_ready(self, part: str, ok: bool, why: str = "") -> None:
        state = Part(ok, "" if ok else redact(why))
        if self._parts.get(part) != state:
            self._parts[part] = state
            self.changed.set()

    def note(self, about: str, text: str) -> None:
        """Shown beside the parts, changes nothing; an empty text takes the note away."""
        if text:
            self._notes[about] = redact(text)
        else:
            self._notes.pop(about, None)

    def forget(self) -> None:
        """The service starts over."""
        self._parts.clear()
        self._notes.clear()
        self.changed.set()

    async def until_ready(self) -> None:
        while not self.ready:
            self.changed.clear()
            await self.changed.wait()

    def report(self) -> dict[str, Any]:
        parts = {
            name: {"ready": part.ok} | ({"why": part.why} if part.why else {})
            for name, part in (self._shared | self._parts).items()
        }
        return {"ready": self.ready, "parts": parts} | ({"notes": dict(self._notes)} if self._notes else {})


@dataclass
class Board:
    """Every service of this process."""

    services: dict[str, Health] = field(default_factory=dict)
    shared: dict[str, Part] = field(default_factory=dict)

    def of(self, service: str) -> Health:
        return self.services.setdefault(service, Health(service, self.shared))

    @property
    def ready(self) -> bool:
        return bool(self.services) and all(health.ready for health in self.services.values())

    def set_ready(self, part: str, ok: bool, why: str = "") -> None:
        """For what all services share, as the bus."""
        self.shared[part] = Part(ok, "" if ok else redact(why))
        for health in self.services.values():
            health.changed.set()

    async def until_ready(self) -> None:
        while not self.ready:
            for health in list(self.services.values()):
                await health.until_ready()

    def report(self) -> dict[str, Any]:
        services = {name: health.report() for name, health in sorted(self.services.items())}
        return {"ready": self.ready, "services": services}
