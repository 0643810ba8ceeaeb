"""A coordination.k8s.io Lease: at most one holder at a time, as client-go's leader election keeps it.

In: a name and an identity. Out: `held()`, a context that is entered when the lease is ours and cancelled when it is
lost. Every change is a PUT at the version that was read, so two candidates can't both win. `term` counts the
holders: a fencing token for writes elsewhere. The clock of others is never read: a lease is expired when it has not
changed for its duration, as this process sees it; `holds()` is for a last look before a write, by a process that stood
still. Never: work of its own.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Any

from shared import clock
from shared.kube import verbs
from shared.kube.client import Cluster
from shared.kube.discovery import Resource
from shared.kube.errors import AlreadyExists, ApiError, Conflict, NotFound

Obj = dict[str, Any]
LEASES = Resource("coordination.k8s.io", "v1", "Lease", "leases", True)


class LeaseLost(Exception):
    """Someone else holds the lease, or it could not be renewed in time."""


class Lease:
    """One candidate for one lease."""

    def __init__(
        self, cluster: Cluster, namespace: str, name: str, identity: str, *, seconds: int = 15, retry: float = 2.0
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._seconds = seconds
        self._retry = retry
        self._seen: tuple[str, float] = ("", 0.0)
        self._until = 0.0
        self.term = 0

    @asynccontextmanager
    async def held(self) -> AsyncIterator[int]:
        """Wait until the lease is ours; gives the term, and the lease back at the end. Raises LeaseLost in the body."""
        while not await self._tried():  # noqa: ASYNC110  # nothing here could set an event
            await asyncio.sleep(self._retry * random.uniform(0.8, 1.2))  # noqa: S311
        body = asyncio.current_task()
        lost: list[LeaseLost] = []

        async def keep() -> None:
            try:
                await self._renewing()
            except LeaseLost as error:
                lost.append(error)
                if body is not None:
                    body.cancel()

        keeping = asyncio.create_task(keep())
        try:
            yield self.term
        except asyncio.CancelledError:
            if lost and body is not None and body.uncancel() == 0:
                raise lost[0] from None
            raise
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})
            self._until = 0.0
            if not lost:
                await self._release()

    def holds(self) -> bool:
        """Whether nobody else can have it: it was renewed less than its duration ago, by the clock of this process."""
        return monotonic() < self._until

    async def _tried(self) -> bool:
        asked = monotonic()
        try:
            ours = await self.try_acquire()
        except ApiError:
            return False
        if ours:
            self._until = asked + self._seconds
        return ours

    async def try_acquire(self) -> bool:
        """Take or renew the lease if it is free, expired or ours. Raises ApiError."""
        try:
            lease = await verbs.get(self._cluster, LEASES, self._namespace, self._name)
        except NotFound:
            return await self._create()
        spec = lease.get("spec") or {}
        version = lease["metadata"]["resourceVersion"]
        if version != self._seen[0]:
            self._seen = (version, monotonic())
        duration = spec.get("leaseDurationSeconds") or self._seconds
        ours = spec.get("holderIdentity") == self._identity
        if not ours and spec.get("holderIdentity") and monotonic() - self._seen[1] < duration:
            return False
        return await self._replace(lease, ours=ours)

    async def _create(self) -> bool:
        metadata = {"name": self._name, "namespace": self._namespace}
        now = _micro(clock.now())
        lease = {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": metadata,
            "spec": self._spec(now, now, 0),
        }
        try:
            await verbs.create(self._cluster, LEASES, lease)
        except AlreadyExists:
            return False
        self.term = 0
        return True

    async def _replace(self, lease: Obj, *, ours: bool) -> bool:
        spec, now = lease.get("spec") or {}, _micro(clock.now())
        term = int(spec.get("leaseTransitions") or 0) + (0 if ours else 1)
        acquired = spec.get("acquireTime") if ours else now
        try:
            await verbs.update(self._cluster, LEASES, {**lease, "spec": self._spec(acquired or now, now, term)})
        except (Conflict, NotFound):
            return False
        self.term = term
        return True

    def _spec(self, acquired: str, renewed: str, term: int) -> Obj:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._seconds,
            "acquireTime": acquired,
            "renewTime": renewed,
            "leaseTransitions": term,
        }

    async def _renewing(self) -> None:
        """Renew until it can't be: two thirds of the duration without success is a loss, before others may take it."""
        renewed = monotonic()
        while True:
            await asyncio.sleep(self._retry)
            term = self.term
            if await self._tried():
                if self.term != term:
                    raise LeaseLost(f"the lease {self._name} was held by another meanwhile")
                renewed = monotonic()
            elif monotonic() - renewed > self._seconds * 2 / 3:
                raise LeaseLost(f"the lease {self._name} could not be renewed for {monotonic() - renewed:.0f} s")

    async def _release(self) -> None:
        """Let the next one take it at once."""
        try:
            lease = await verbs.get(self._cluster, LEASES, self._namespace, self._name)
            if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                spec = {
                    **lease["spec"],
                    "holderIdentity": "",
                    "leaseDurationSeconds": 1,
                    "renewTime": _micro(clock.now()),
                }
                await verbs.update(self._cluster, LEASES, {**lease, "spec": spec})
        except ApiError:
            return


def _micro(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
