"""One team's delivery on the running stack: a repository, an Application, a namespace, and waiting for what is seen.

Waiting is on watches, with a deadline; when it passes, the failure shows the object as it was last seen.
"""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from shared.kube import Cluster, Discovery, Informer, NotFound, connect, verbs
from tests.parts.stack import Stack

Obj = dict[str, Any]
ARGO = "argocd"


def read(raw: bytes) -> Obj:
    obj: Obj = orjson.loads(raw)
    return obj


def config_map(name: str, **data: str) -> bytes:
    """A manifest."""
    return orjson.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})


@dataclass
class Delivery:
    """`app` is the Application's name, `namespace` where it goes; both are this test's own."""

    stack: Stack
    cluster: Cluster
    discovery: Discovery
    folder: Path
    app: str
    repo: str = ""
    applications: dict[Any, Obj] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        return self.app

    def begin(self, files: Mapping[str, bytes]) -> str:
        """Make the repository."""
        self.repo = self.stack.repository(self.app, files)
        return self.repo

    async def push(self, files: Mapping[str, bytes], message: str = "Change", remove: tuple[str, ...] = ()) -> str:
        """Push a change; gives the commit."""
        folder = self.folder / uuid.uuid4().hex[:8]
        try:
            return await self.stack.push(self.repo, folder, files, message, remove=remove)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def application(self, *, source: Obj | None = None, automated: Obj | None = None, **spec: Any) -> Obj:
        """An Application of the folder `app` of the repository, into the test's namespace, which the sync creates."""
        policy: Obj = {"syncOptions": ["CreateNamespace=true"]}
        policy |= {"automated": automated} if automated is not None else {}
        wanted = {
            "project": "default",
            "source": {"repoURL": self.repo, "path": "app", "targetRevision": "HEAD", **(source or {})},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": self.namespace},
            "syncPolicy": policy,
            **spec,
        }
        return {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": self.app,
                "namespace": ARGO,
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": wanted,
        }

    async def apply(self, obj: Obj) -> Obj:
        """Server-side-apply anything, as this test."""
        group, _, version = obj["apiVersion"].rpartition("/")
        resource = await self.discovery.resource(group, obj["kind"], version)
        return await verbs.apply(self.cluster, resource, obj, manager="the-test", force=True)

    async def settings(self, data: Mapping[str, str]) -> None:
        """Set these keys of `argocd-cm`, and take back those that this test set before. Others' tests run on it too."""
        resource = await self.discovery.resource("", "ConfigMap")
        wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm", "namespace": ARGO}}
        await verbs.apply(self.cluster, resource, {**wanted, "data": dict(data)}, manager=self.app, force=True)

    @asynccontextmanager
    async def setting(self, key: str, value: str) -> AsyncIterator[None]:
        """A key of `argocd-cm`, for a while."""
        await self.settings({key: value})
        try:
            yield
        finally:
            await self.settings({})

    async def patch(self, patch: Obj) -> None:
        """Merge-patch the Application."""
        resource = await self.discovery.resource("argoproj.io", "Application")
        await verbs.patch(self.cluster, resource, ARGO, self.app, patch)

    async def get(self, kind: str, name: str, group: str = "") -> Obj | None:
        """One live object of the test's namespace; None when it does not exist."""
        resource = await self.discovery.resource(group, kind)
        try:
            return await verbs.get(self.cluster, resource, self.namespace, name)
        except NotFound:
            return None

    async def delete(self, kind: str, name: str, group: str = "") -> None:
        """Delete one live object of the test's namespace."""
        resource = await self.discovery.resource(group, kind)
        await verbs.delete(self.cluster, resource, self.namespace, name)

    async def until(self, holds: Callable[[Obj], Any], seconds: float = 90.0) -> Obj:
        """Wait until the Application is as `holds` says; gives it."""
        return await self.until_object("argoproj.io", "Application", self.app, holds, namespace=ARGO, seconds=seconds)

    async def until_object(
        self,
        group: str,
        kind: str,
        name: str,
        holds: Callable[[Obj], Any],
        *,
        namespace: str | None = None,
        seconds: float = 90.0,
    ) -> Obj:
        """Wait until an object exists and is as `holds` says."""
        seen: list[Obj] = []
        found: asyncio.Future[Obj] = asyncio.get_running_loop().create_future()

        def take(type_: Any, _key: Any, obj: Obj, _old: Any) -> None:
            seen[:] = [obj]
            if type_ != "DELETED" and not found.done() and _holds(holds, obj):
                found.set_result(obj)

        async with self._watching(group, kind, namespace or self.namespace, f"metadata.name={name}", take):
            try:
                async with asyncio.timeout(seconds):
                    return await found
            except TimeoutError:
                last = {part: value for obj in seen for part, value in obj.items() if part != "metadata"}
                pytest.fail(f"{kind} {name} did not become what the test waits for: {orjson.dumps(last).decode()}")

    async def until_event(self, kind: str, name: str, reason: str, *words: str) -> None:
        """Wait until a Kubernetes Event about an object of Argo's namespace says all these words."""
        await self._until_event(f"involvedObject.kind={kind},involvedObject.name={name},reason={reason}", *words)

    async def until_warned(self) -> None:
        """Wait until a Kubernetes Event warns about the Application; it comes beside its status, not with it."""
        await self._until_event(f"involvedObject.name={self.app},type=Warning")

    async def _until_event(self, fields: str, *words: str) -> None:
        said = asyncio.Event()

        def take(_type: Any, _key: Any, event: Obj, _old: Any) -> None:
            if all(word in event["message"] for word in words):
                said.set()

        async with self._watching("", "Event", ARGO, fields, take), asyncio.timeout(60):
            await said.wait()

    async def until_gone(self, group: str, kind: str, name: str, namespace: str | None = None) -> None:
        """Wait until an object does not exist."""
        gone = asyncio.Event()

        def take(type_: Any, *_rest: Any) -> None:
            if type_ == "DELETED":
                gone.set()

        fields = f"metadata.name={name}"
        async with self._watching(group, kind, namespace or self.namespace, fields, take) as informer:
            async with asyncio.timeout(60):
                await informer.synced.wait()
                if informer.store:
                    await gone.wait()

    @asynccontextmanager
    async def _watching(
        self, group: str, kind: str, namespace: str, fields: str, take: Callable[..., None]
    ) -> AsyncIterator[Informer[Obj]]:
        resource = await self.discovery.resource(group, kind)
        informer = Informer(self.cluster, resource, read, namespace=namespace, field_selector=fields)
        watching = asyncio.create_task(informer.run(take))
        try:
            yield informer
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


def _holds(holds: Callable[[Obj], Any], obj: Obj) -> bool:
    """What asks for a field that is not there yet does not hold yet."""
    try:
        return bool(holds(obj))
    except (KeyError, IndexError):
        return False


def synced(app: Obj) -> bool:
    """The Application is Synced and Healthy, and its last operation is over."""
    status = app.get("status") or {}
    phase = (status.get("operationState") or {}).get("phase", "Succeeded")
    sync, health = (status.get("sync") or {}).get("status"), (status.get("health") or {}).get("status")
    return (sync, health, phase) == ("Synced", "Healthy", "Succeeded")


def synced_to(revision: str) -> Callable[[Obj], bool]:
    """Synced, at this commit."""
    return lambda app: synced(app) and app["status"]["sync"].get("revision") == revision


def complains(kind: str, *words: str) -> Callable[[Obj], bool]:
    """The Application has a condition of this type whose message has all these words."""

    def holds(app: Obj) -> bool:
        found = [one for one in (app.get("status") or {}).get("conditions") or () if one["type"] == kind]
        return any(all(word in one["message"] for word in words) for one in found)

    return holds


@pytest_asyncio.fixture
async def delivery(stack: Stack, tmp_path: Path) -> AsyncIterator[Delivery]:
    """A fresh name on the session's stack; the Application and the namespace go with the test."""
    async with connect(Path(stack.state.kubeconfig), stack.state.context) as cluster:
        name = f"t-{uuid.uuid4().hex[:8]}"
        made = Delivery(stack, cluster, Discovery(cluster), tmp_path, name)
        yield made
        await made.settings({})
        await stack.kubectl("delete", "application", name, "-n", ARGO, "--ignore-not-found", "--wait=false")
        await stack.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=false")
