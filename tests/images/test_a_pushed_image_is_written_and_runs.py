"""An image push becomes one commit for all who follow it, and the cluster runs it; the trace shows each step."""

import asyncio

from tests.images.following import announced, followed
from tests.parts.shop import Shop


async def test_a_push_is_one_commit_and_runs_and_its_way_is_told(shop: Shop) -> None:
    await followed(shop)
    digest = await shop.push("1.1.0")
    await shop.runs(shop.apps[0], "1.1.0")
    written = shop.read("chart/values-dev.yaml")
    assert written == f'# values of dev\nimage:\n  repository: {shop.image}\n  tag: "1.1.0" # set by CI\n'
    newest, first = shop.commits()
    assert newest.startswith(f"build: automatic update of {shop.apps[0]}\n")
    assert f"updates image {shop.image} tag '1.0.0' to '1.1.0'" in newest
    assert "Tiphys-Delivery: image:" in newest
    assert newest.rstrip().endswith(digest.removeprefix("sha256:"))
    assert first == "Begin"

    async def all_is_told() -> bool:
        told = await shop.stack.tiphys("trace", shop.apps[0])
        assert told.code == 0, told.err
        return all(step in told.out for step in ("image pushed", "image written", "revision fetched", "sync-finished"))

    await shop.until(all_is_told)


async def test_twenty_applications_that_share_an_image_get_one_commit(shop: Shop) -> None:
    await followed(shop, 20)
    await shop.push("1.2.0")
    await asyncio.gather(*(shop.runs(app, "1.2.0") for app in shop.apps))
    assert len(shop.commits()) == 2
    [event] = await announced(shop)
    assert event.applications == tuple(sorted(f"argocd/{app}" for app in shop.apps))

    async def counted() -> bool:
        updates = (await shop.status()).get("recentUpdates") or []
        return bool(updates) and updates[0]["applicationsUpdated"] == 20

    await shop.until(counted)
