"""`Prune=confirm` and `Delete=confirm`: nothing goes before a person has said so, and then it goes at once."""

from datetime import timedelta
from typing import Any

from shared.clock import now, rfc3339
from tests.parts.delivery import ARGO, Delivery, complains, config_map, synced, synced_to

Obj = dict[str, Any]
APPROVED = "argocd.argoproj.io/deletion-approved"


def precious(name: str, options: str) -> bytes:
    text = f'"name":"{name}","annotations":{{"argocd.argoproj.io/sync-options":"{options}"}}'
    return config_map(name).replace(f'"name":"{name}"'.encode(), text.encode())


def waits_for(name: str) -> Any:
    return lambda app: (
        app["status"]["operationState"]["message"] == f"waiting for pruning confirmation of ConfigMap/{name}"
    )


async def approve(delivery: Delivery, at: str) -> None:
    await delivery.patch({"metadata": {"annotations": {APPROVED: at}}})


async def test_prunes_and_deletions_wait_for_a_persons_word(delivery: Delivery) -> None:
    files = {"gone": "Prune=confirm", "pruned": "Prune=confirm", "kept": "Delete=confirm", "plain": ""}
    delivery.begin({f"app/{name}.json": precious(name, options) for name, options in files.items()})
    await delivery.apply(delivery.application(automated={"prune": True}))
    app = await delivery.until(synced)
    asking = {one["name"] for one in app["status"]["resources"] if one.get("requiresDeletionConfirmation")}
    assert asking == {"gone", "pruned", "kept"}

    long_ago = rfc3339(now() - timedelta(hours=1))
    await approve(delivery, long_ago)
    commit = await delivery.push({}, remove=("app/gone.json",))
    await delivery.until(waits_for("gone"))
    await delivery.delete("ConfigMap", "gone")
    await delivery.until(synced_to(commit))

    commit = await delivery.push({}, remove=("app/pruned.json",))
    await delivery.until(waits_for("pruned"))
    assert await delivery.get("ConfigMap", "pruned") is not None
    await approve(delivery, rfc3339(now()))
    await delivery.until(synced_to(commit))
    assert await delivery.get("ConfigMap", "pruned") is None

    await approve(delivery, long_ago)
    await delivery.stack.kubectl("delete", "application", delivery.app, "-n", ARGO, "--wait=false")
    await delivery.until(complains("DeletionError", "waiting for deletion confirmation of ConfigMap/kept", APPROVED))
    assert await delivery.get("ConfigMap", "kept") is not None
    assert await delivery.get("ConfigMap", "plain") is not None
    await approve(delivery, rfc3339(now() + timedelta(seconds=1)))
    await delivery.until_gone("argoproj.io", "Application", delivery.app, ARGO)
    assert await delivery.get("ConfigMap", "kept") is None
