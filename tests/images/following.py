"""The usual beginning of a test (version 1.0.0 runs everywhere, and the ImageUpdater has seen that), and its words."""

from collections.abc import Awaitable
from typing import Any, TypeVar

from shared.events import ImageUpdated
from tests.parts.shop import Shop

Obj = dict[str, Any]
T = TypeVar("T")


async def followed(shop: Shop, applications: int = 1, constraint: str = "") -> None:
    await shop.push("1.0.0")
    shop.begin("1.0.0")
    await shop.apply(shop.updater(constraint))
    for number in range(applications):
        await shop.application(number)
    for app in shop.apps:
        await shop.runs(app, "1.0.0")
    await until_checked(shop, applications)


async def ruled(shop: Shop, rule: Obj) -> None:
    """Apply an ImageUpdater and wait until it is taken up: what is pushed from now on goes by it."""
    await shop.apply(rule)

    async def taken() -> bool:
        found = await shop.stack.get("imageupdater", shop.name, "-n", "argocd")
        return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])

    await shop.until(taken)


async def announced(shop: Shop) -> list[ImageUpdated]:
    """What was announced of the Applications, once something is: the cluster may run it a moment before."""
    found: list[ImageUpdated] = await shop.until(lambda: _some(shop.events()))
    return found


async def event(shop: Shop, app: str, reason: str) -> Obj:
    """Wait for a Kubernetes Event of an Application, which is written after what it tells of; gives the first."""
    selector = f"involvedObject.name={app},reason={reason}"

    async def items() -> list[Obj]:
        found = await shop.stack.get("events", "-n", "argocd", "--field-selector", selector)
        return list(found["items"])

    [first, *_] = await shop.until(lambda: _some(items()))
    return dict(first)


async def _some(asked: Awaitable[list[T]]) -> list[T] | None:
    return await asked or None


async def until_checked(shop: Shop, images: int) -> None:
    """Every image was looked at."""

    async def managed() -> bool:
        status = await shop.status()
        return status.get("imagesManaged") == images and "lastCheckedAt" in status

    await shop.until(managed)


async def condition(shop: Shop, type_: str, *words: str) -> Obj:
    """Wait for a condition of the ImageUpdater whose text has these words."""

    async def found() -> Obj | None:
        for one in (await shop.status()).get("conditions") or []:
            if one["type"] == type_ and all(
                word in f"{one['status']} {one['reason']} {one['message']}" for word in words
            ):
                return dict(one)
        return None

    one: Obj = await shop.until(found)
    return one
