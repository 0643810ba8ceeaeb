"""The usual beginning of a test: version 1.0.0 runs everywhere, and the ImageUpdater has seen that."""

from tests.parts.shop import Shop


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
