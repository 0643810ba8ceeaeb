"""Actions asked for over the bus: listed, done once, told, and refused with a reason."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio
import yaml

from shared.bus import Bus, connect
from shared.events import (
    ActionDone,
    AppEvent,
    ListActions,
    RequestError,
    ResourceAction,
    ResourceActions,
    ResourceRef,
    RunAction,
)
from shared.kube import verbs
from tests.parts.delivery import ARGO, Delivery, config_map, synced

Obj = dict[str, Any]
POD: Obj = {"containers": [{"name": "c", "image": "nginx"}], "terminationGracePeriodSeconds": 0}
JOB: Obj = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
NIGHTLY: Obj = {"schedule": "0 3 * * *", "jobTemplate": {"spec": JOB}}
LABELS = {"app": "web"}
TEMPLATE = {"metadata": {"labels": LABELS}, "spec": POD}
SPEC: Obj = {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": TEMPLATE}
FILES = {
    "app/web.json": orjson.dumps(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": SPEC}
    ),
    "app/nightly.json": orjson.dumps(
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"}, "spec": NIGHTLY}
    ),
    "app/config.json": config_map("config", a="1"),
}
SCRIPTED = yaml.safe_dump(
    {
        "mergeBuiltinActions": True,
        "discovery.lua": 'return {["stamp"] = {params = {{name = "word", default = "x"}}}, ["stray"] = {}}',
        "definitions": [
            {
                "name": "stamp",
                "action.lua": """
                    local os = require("os")
                    obj.metadata.annotations = obj.metadata.annotations or {}
                    obj.metadata.annotations["example.org/stamp"] = actionParams.word
                    local copy = {apiVersion = "v1", kind = "ConfigMap", data = {at = os.date("!%Y")}}
                    copy.metadata = {name = "stamped", namespace = obj.metadata.namespace}
                    return {{operation = "patch", resource = obj}, {operation = "create", resource = copy}}
                """,
            },
            {
                "name": "stray",
                "action.lua": 'obj.metadata.name = "another" return {{operation = "patch", resource = obj}}',
            },
        ],
    }
)


class Asking:
    """What a person's tool does."""

    def __init__(self, delivery: Delivery, bus: Bus) -> None:
        self.delivery = delivery
        self.bus = bus

    def resource(self, group: str, kind: str, name: str) -> ResourceRef:
        return ResourceRef(group=group, kind=kind, namespace=self.delivery.namespace, name=name)

    async def list(self, group: str, kind: str, name: str) -> ResourceActions:
        question = ListActions(namespace=ARGO, name=self.delivery.app, resource=self.resource(group, kind, name))
        return await self.bus.request(question, timeout=60)

    async def run(self, action: str, group: str, kind: str, name: str, *, again: str = "", **given: str) -> ActionDone:
        question = RunAction(
            request_id=again or uuid.uuid4().hex,
            namespace=ARGO,
            name=self.delivery.app,
            resource=self.resource(group, kind, name),
            action=action,
            parameters=given,
            requested_by="jane",
        )
        return await self.bus.request(question, timeout=60)

    async def told(self, number: int) -> AppEvent:
        """What the bus was told, waiting for it."""
        seen = 0
        async with asyncio.timeout(30):
            async for envelope in self.bus.replay(AppEvent.filter_for(ARGO, self.delivery.app, "action"), follow=True):
                seen += 1
                if seen == number and isinstance(found := envelope.event(), AppEvent):
                    return found
        raise AssertionError("nothing was told")

    async def until_listed(self, action: str, group: str, kind: str, name: str) -> dict[str, ResourceAction]:
        """The actions, when this one is among them."""
        async with asyncio.timeout(30):
            while True:
                found = {one.name: one for one in (await self.list(group, kind, name)).actions}
                if action in found:
                    return found


@pytest_asyncio.fixture
async def asking(delivery: Delivery) -> AsyncIterator[Asking]:
    delivery.begin(FILES)
    await delivery.apply(delivery.application(automated={}))
    await delivery.until(synced)
    async with connect(delivery.stack.state.nats_url, service="tests") as bus:
        yield Asking(delivery, bus)


async def test_a_deployment_is_restarted_and_scaled_and_both_are_told(asking: Asking) -> None:
    found = {one.name: one for one in (await asking.list("apps", "Deployment", "web")).actions}
    assert not found["restart"].disabled
    assert found["resume"].disabled
    assert found["scale"].parameters[0].default == "1"
    done = await asking.run("restart", "apps", "Deployment", "web")
    assert [(one.operation, one.resource.name) for one in done.changes] == [("patch", "web")]
    await asking.run("scale", "apps", "Deployment", "web", replicas="2")
    web = await asking.delivery.get("Deployment", "web", "apps")
    assert web is not None
    assert "kubectl.kubernetes.io/restartedAt" in web["spec"]["template"]["metadata"]["annotations"]
    assert web["spec"]["replicas"] == 2
    await asking.delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    told = [await asking.told(number) for number in (1, 2)]
    assert {(one.status, one.resource.name if one.resource else "") for one in told} == {
        ("restart", "web"),
        ("scale", "web"),
    }
    assert all("by jane" in one.message for one in told)


async def test_an_action_gets_through_while_others_change_the_object_all_the_time(asking: Asking) -> None:
    resource = await asking.delivery.discovery.resource("apps", "Deployment")

    cluster = asking.delivery.cluster

    async def churn() -> None:
        for number in itertools.count():
            patch = {"metadata": {"labels": {"churn": str(number)}}}
            await verbs.patch(cluster, resource, asking.delivery.namespace, "web", patch, manager="hand")

    churning = asyncio.create_task(churn())
    try:
        for replicas in ("2", "3", "4"):
            assert (await asking.run("scale", "apps", "Deployment", "web", replicas=replicas)).changes
    finally:
        churning.cancel()
        await asyncio.gather(churning, return_exceptions=True)


async def test_a_job_is_made_of_a_cron_job_once_however_often_it_is_asked_for(asking: Asking) -> None:
    once = uuid.uuid4().hex
    answers = [await asking.run("create-job", "batch", "CronJob", "nightly", again=once) for _ in range(2)]
    assert answers[0] == answers[1]
    name = answers[0].changes[0].resource.name
    job = await asking.delivery.get("Job", name, "batch")
    assert job is not None
    assert job["metadata"]["ownerReferences"][0]["name"] == "nightly"
    owned_too = await asking.list("batch", "Job", name)
    assert "suspend" in {one.name for one in owned_too.actions}


async def test_scripts_of_the_settings_stand_beside_the_built_in_ones(asking: Asking) -> None:
    key = "resource.customizations.actions.batch_CronJob"
    await asking.delivery.settings({key: SCRIPTED})
    found = await asking.until_listed("stamp", "batch", "CronJob", "nightly")
    assert {"stamp", "stray", "create-job", "suspend"} == set(found)
    assert found["stamp"].parameters[0].default == "x"
    await asking.run("stamp", "batch", "CronJob", "nightly", word="hello")
    cron = await asking.delivery.get("CronJob", "nightly", "batch")
    copy = await asking.delivery.get("ConfigMap", "stamped")
    assert cron is not None
    assert copy is not None
    assert cron["metadata"]["annotations"]["example.org/stamp"] == "hello"
    assert len(copy["data"]["at"]) == 4
    with pytest.raises(RequestError, match="is not the resource itself"):
        await asking.run("stray", "batch", "CronJob", "nightly")


@pytest.mark.parametrize(
    ("action", "kind", "name", "reason"),
    [
        ("explode", "Deployment", "web", "UnknownAction"),
        ("resume", "Deployment", "web", "ActionDisabled"),
        ("scale", "Deployment", "web", "BadParameters"),
        ("restart", "Deployment", "other", "ResourceNotFound"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_reason(
    asking: Asking, action: str, kind: str, name: str, reason: str
) -> None:
    with pytest.raises(RequestError) as caught:
        await asking.run(action, "apps", kind, name)
    assert caught.value.reason == reason


async def test_an_application_that_does_not_count_can_not_be_asked(asking: Asking) -> None:
    delivery = asking.delivery
    await delivery.apply({**delivery.application(), "metadata": {"name": "stray", "namespace": delivery.namespace}})
    web = asking.resource("apps", "Deployment", "web")
    question = ListActions(namespace=delivery.namespace, name="stray", resource=web)
    with pytest.raises(RequestError) as caught:
        await asking.bus.request(question, timeout=60)
    assert caught.value.reason == "ApplicationNotFound"
