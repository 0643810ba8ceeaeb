"""`tiphys app diff`: what would change; not what is ignored, and never a Secret's value, whoever shows it."""

import base64
from typing import Any

import orjson

from shared.kube import verbs
from tests.parts.delivery import Delivery, complains, synced

Obj = dict[str, Any]
EXPRESSION = '.data | .[keys[] | select(. == "asked")]'
IGNORED: Obj = {"kind": "ConfigMap", "jsonPointers": ["/data/pointed"], "jqPathExpressions": [EXPRESSION]}


def manifest(kind: str, **fields: Any) -> bytes:
    return orjson.dumps({"apiVersion": "v1", "kind": kind, "metadata": {"name": "it"}, **fields})


async def test_a_diff_leaves_out_what_is_ignored_and_hides_secrets(delivery: Delivery) -> None:
    config = {"pointed": "1", "asked": "1", "shown": "1"}
    secret = {"password": "canary-of-git"}
    files = {"app/c.json": manifest("ConfigMap", data=config), "app/s.json": manifest("Secret", stringData=secret)}
    delivery.begin(files)
    await delivery.apply(delivery.application(ignoreDifferences=[IGNORED], automated={}))
    await delivery.until(synced)
    for kind, data in (
        ("ConfigMap", {"pointed": "2", "asked": "2"}),
        ("Secret", {"password": base64.b64encode(b"canary-of-hand").decode()}),
    ):
        resource = await delivery.discovery.resource("", kind)
        await verbs.patch(delivery.cluster, resource, delivery.namespace, "it", {"data": data}, manager="hand")
    await delivery.until(lambda app: app["status"]["sync"]["status"] == "OutOfSync")
    shown = (await delivery.stack.tiphys("app", "diff", delivery.app)).out
    assert "ConfigMap" not in shown
    assert "-  password: ++++++++\n" in shown
    assert "+  password: ++++++++++++\n" in shown
    everything = shown + (await delivery.stack.tiphys("app", "manifests", delivery.app, "--live")).out
    for value in (b"canary-of-git", b"canary-of-hand"):
        assert value.decode() not in everything
        assert base64.b64encode(value).decode() not in everything


async def test_a_secret_that_is_refused_does_not_tell_its_value(delivery: Delivery) -> None:
    delivery.begin({"app/s.json": manifest("Secret", stringData={"number": 4711081500})})
    app = delivery.application(automated={})
    app["spec"]["syncPolicy"]["retry"] = {"limit": 0}
    await delivery.apply(app)
    seen = await delivery.until(complains("SyncError"))
    events = await delivery.stack.kubectl("get", "events", "-n", "argocd", "-o", "json")
    assert "4711081500" not in orjson.dumps(seen["status"]["operationState"]["message"]).decode()
    assert "4711081500" not in orjson.dumps(seen["status"]["conditions"]).decode()
    assert "4711081500" not in events.out
