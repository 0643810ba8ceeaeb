"""Watching a cluster from outside: the objects of a few kinds as they are now, and waiting until they are as wanted.

The demo and the benchmark see with these eyes, never with the services' own. Nothing is polled: a condition is judged
anew when one of the watched objects has changed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from services.stack.options import StackError
from shared.kube import Cluster, Discovery, Informer, Key

Obj = dict[str, Any]


@dataclass(frozen=True)
class Watching:
    """What to watch: one kind, in one namespace or all, with some label or any."""

    group: str
    kind: str
    namespace: str | None = None
    label_selector: str | None = None


class Observed:
    def __init__(self, informers: Mapping[str, Informer[Obj]]) -> None:
        self._informers = informers
        self.changed = asyncio.Event()

    def objects(self, kind: str) -> Mapping[Key, Obj]:
        """Every watched object of a kind by namespace and name."""
        return self._informers[kind].store

    def get(self, kind: str, namespace: str, name: str) -> Obj | None:
        return self._informers[kind].store.get(Key(namespace, name))

    async def until(self, condition: Callable[[], bool], within: float, what: Callable[[], str]) -> None:
        """Returns when the condition holds; raises StackError with `what` is still lacking when time is up."""
        try:
            async with asyncio.timeout(within):
                while True:
                    self.changed.clear()
                    if condition():
                        return
                    await self.changed.wait()
        except TimeoutError as error:
            raise StackError(f"not so after {within:.0f} s: {what()}") from error


def decoded(raw: bytes) -> Obj:
    found: Obj = orjson.loads(raw)
    return found


@asynccontextmanager
async def observing(cluster: Cluster, *wanted: Watching) -> AsyncIterator[Observed]:
    """Yields once every kind has been listed."""
    discovery = Discovery(cluster)
    informers = {
        one.kind: Informer(
            cluster,
            await discovery.resource(one.group, one.kind),
            decoded,
            namespace=one.namespace,
            label_selector=one.label_selector,
        )
        for one in wanted
    }
    observed = Observed(informers)
    tasks = [asyncio.create_task(one.run(lambda *_event: observed.changed.set())) for one in informers.values()]
    try:
        for informer in informers.values():
            await informer.listed()
        yield observed
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
