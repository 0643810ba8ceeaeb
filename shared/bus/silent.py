"""No bus at all, for a service that works without one (`--nats none`): what it says is heard by nobody.

Publishing succeeds and goes nowhere; hearing waits for ever; what needs somebody else to answer or to keep something
says that there is no bus.
"""

import asyncio
from typing import Any

from shared.bus.bus import Bus, Published
from shared.bus.errors import BusError
from shared.events import Event, RequestError

NONE = "none"
_WHY = "there is no bus: this process was started with --nats none"


class Silent(Bus):
    """Takes a Bus's place."""

    def __init__(self) -> None:
        """Nothing to hold."""

    @property
    def connected(self) -> bool:
        return True

    def named(self, service: str) -> Bus:  # noqa: ARG002
        return self

    async def publish(self, event: Event, *, timeout: float = 15.0) -> Published:  # noqa: ARG002, ASYNC109
        return Published("", 0, duplicate=False)

    async def consume(self, *_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    async def serve(self, *_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    async def request(self, *_: Any, **__: Any) -> Any:
        raise RequestError("Unavailable", _WHY)

    async def kv(self, *_: Any, **__: Any) -> Any:
        raise BusError(_WHY)

    async def put_object(self, *_: Any, **__: Any) -> str:
        raise BusError(_WHY)

    async def get_object(self, *_: Any, **__: Any) -> bytes:
        raise BusError(_WHY)

    async def has_object(self, *_: Any, **__: Any) -> bool:
        return False
