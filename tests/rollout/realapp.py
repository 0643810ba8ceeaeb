"""What runs on the real node: an app that says its version, those who ask it all the time, and who says yes to pods."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from services.stack.cluster.node import BUSYBOX
from shared.clock import now
from shared.kube import ApiError
from tests.rollout.managed import Managed
from tests.rollout.rollouts import Obj

GATE = "tiphys.dev/load-balancer"
PACE = 0.05
LONGEST_ANSWER = aiohttp.ClientTimeout(total=30)


def container(version: str) -> Obj:
    """A server whose stop is announced: for as long as load balancers may still send somebody it goes on to answer."""
    serve = "mkdir /www && echo $VERSION > /www/index.html && exec httpd -f -p 8080 -h /www"
    return {
        "name": "c",
        "image": BUSYBOX,
        "command": ["sh", "-c", serve],
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "VERSION", "value": version}],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", "3"]}}},
    }


def pods_of(version: str, **spec: object) -> Obj:
    """The part of a Rollout that says what its pods are."""
    pod = {"containers": [container(version)], "terminationGracePeriodSeconds": 4, **spec}
    return {"metadata": {"labels": {"app": "web"}}, "spec": pod}


def template(name: str, script: str) -> Obj:
    """An AnalysisTemplate whose Job runs a script that knows which version is `$WANTED`."""
    job = {
        "name": "c",
        "image": BUSYBOX,
        "command": ["sh", "-c", script],
        "env": [{"name": "WANTED", "value": "{{args.version}}"}],
    }
    pod = {"spec": {"restartPolicy": "Never", "containers": [job]}}
    spec = {"backoffLimit": 0, "activeDeadlineSeconds": 60, "template": pod}
    metric = {"name": "answers", "provider": {"job": {"spec": spec}}}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": name},
        "spec": {"args": [{"name": "version"}], "metrics": [metric]},
    }


def analysis(name: str) -> Obj:
    """Ask for the version that the pod template names."""
    path = "spec.template.spec.containers[0].env[0].value"
    args = [{"name": "version", "valueFrom": {"fieldRef": {"fieldPath": path}}}]
    return {"templates": [{"templateName": name}], "args": args}


@dataclass
class Client:
    """Somebody who asks a Service all the time, each time on a connection of its own."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    served: bool = False
    _heard: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(self.url) as response:
                answer = (await response.text()).strip()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.fail(repr(error))
        else:
            if response.status == 200:
                self.answers[answer] += 1
                self.served = True
            else:
                self.fail(f"{response.status} {answer}")
        async with self._heard:
            self._heard.notify_all()

    def fail(self, why: str) -> None:
        """Until the first answer the Service's way is not laid."""
        if self.served:
            self.failures.append(f"{now():%H:%M:%S.%f} {why}")

    async def run(self) -> None:
        connector = aiohttp.TCPConnector(force_close=True)
        async with aiohttp.ClientSession(connector=connector, timeout=LONGEST_ANSWER) as session:
            while True:
                await self.ask(session)
                await asyncio.sleep(PACE)

    async def hears_nothing_but(self, version: str) -> None:
        """Wait until so many answers in a row are this version's that nobody else is asked any more."""
        self.answers.clear()
        async with asyncio.timeout(60), self._heard:
            while self.answers[version] < 50:
                await self._heard.wait()
                if set(self.answers) - {version}:
                    self.answers.clear()

    async def hears(self, *versions: str) -> None:
        async with asyncio.timeout(60), self._heard:
            await self._heard.wait_for(lambda: set(versions) <= set(self.answers))


@asynccontextmanager
async def asking(managed: Managed, service: str) -> AsyncIterator[Client]:
    """A client for as long as the block runs; not one of its requests may fail."""
    found = await managed.get("Service", service)
    client = Client(f"http://{found['spec']['clusterIP']}/")
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        task.cancel()
        await asyncio.wait({task})
    assert not client.failures, client.failures


async def open_gates(managed: Managed, version: str, count: int) -> None:
    """What a load balancer's controller does: it says of each pod that it sends traffic to it."""
    condition = {"type": GATE, "status": "True"}
    opened: set[str] = set()
    while len(opened) < count:
        for pod in await managed.list("Pod"):
            name = pod["metadata"]["name"]
            mine = pod["spec"]["containers"][0].get("env", [{}])[0].get("value") == version
            if mine and name not in opened and await _open(managed, name, pod, condition):
                opened.add(name)


async def _open(managed: Managed, name: str, pod: Obj, condition: Obj) -> bool:
    conditions = [*(pod.get("status", {}).get("conditions") or ()), condition]
    try:
        await managed.patch({"status": {"conditions": conditions}}, kind="Pod", name=name, subresource="status")
    except ApiError:
        return False
    return True
