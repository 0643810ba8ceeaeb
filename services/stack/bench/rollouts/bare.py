"""The floor of a promotion: a client that makes the same writes to pairs of ReplicaSets, and nothing else.

Both of a pair are told their next counts as soon as the new one's pods are available.
"""

import asyncio

from services.stack.bench.rollouts import layout
from services.stack.bench.rollouts.field import PATIENCE, Clock, Field, Obj
from services.stack.observe import decoded
from shared.kube import EventType, Informer, Key, Resource, WorkQueue

REPLICAS = 5
SIDES = tuple((REPLICAS * weight // 100, REPLICAS - REPLICAS * weight // 100) for weight in (*layout.WEIGHTS, 100))


async def bare(field: Field, count: int) -> float:
    """Seconds until the new ReplicaSet of every pair has all its pods."""
    sides = ((layout.FIRST, REPLICAS), (layout.SECOND, 0))
    resource = await field.discovery.resource("apps", "ReplicaSet")
    client = Client(field, resource, count)
    tasks = [asyncio.create_task(client.informer.run(client.hear))]
    try:
        async with asyncio.timeout(PATIENCE):
            await field.create(layout.replica_set(n, field.namespace, *side) for n in range(count) for side in sides)
            await client.ready.wait()
            clock = Clock.start()
            for number in range(count):
                client.queue.add(number)
            tasks.append(asyncio.create_task(client.queue.run(client.step, workers=32)))
            await client.done.wait()
        return clock.read()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Client:
    """`ready`: the first ReplicaSets have their pods. `done`: so have the second ones."""

    def __init__(self, field: Field, resource: Resource, count: int) -> None:
        self.ready, self.done = asyncio.Event(), asyncio.Event()
        self.queue: WorkQueue[int] = WorkQueue()
        self.informer = Informer(
            field.cluster, resource, decoded, namespace=field.namespace, label_selector=layout.BARE
        )
        self._field = field
        self._at = dict.fromkeys(range(count), -1)
        self._starting = set(range(count))

    def hear(self, _type: EventType, _key: Key, obj: Obj, _old: Obj | None) -> None:
        number = int(obj["metadata"]["labels"][layout.BARE])
        if number in self._starting and self._available(number, layout.FIRST) == REPLICAS:
            self._starting.discard(number)
        if not self._starting:
            self.ready.set()
        self.queue.add(number)

    def _available(self, number: int, image: str) -> int:
        key = Key(self._field.namespace, layout.bare_name(number, image))
        return int((self.informer.store.get(key) or {}).get("status", {}).get("availableReplicas", 0))

    async def step(self, number: int) -> None:
        """Go on if the pods of the present step are there."""
        at = self._at.get(number)
        if at is None or (at >= 0 and self._available(number, layout.SECOND) < SIDES[at][0]):
            return
        if at + 1 == len(SIDES):
            del self._at[number]
            if not self._at:
                self.done.set()
            return
        self._at[number] = at + 1
        new, old = SIDES[at + 1]
        for image, replicas in ((layout.SECOND, new), (layout.FIRST, old)):
            await self._field.patch("ReplicaSet", layout.bare_name(number, image), {"spec": {"replicas": replicas}})
