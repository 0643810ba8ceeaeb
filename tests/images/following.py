"""The usual beginning of a test (version 1.0.0 runs everywhere, and the ImageUpdater has seen that), and its words."""

from typing import Any

from tests.parts.shop import Shop

Obj = dict[str, Any]


async def followed(shop: Shop, applications: int = 1, constraint: str = "") -> None:
    await shop.push("1.0.0")
    shop.begin("1.0.0")
    await shop.apply(shop.updater(constraint))
    for number in range(applications):
        await shop.application(number)
    for app in shop.apps:
        await shop.runs(app, "1.0.0")
    await until_checked(shop, applications)


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
