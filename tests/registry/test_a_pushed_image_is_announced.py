"""A tag that appears or moves in a real registry is announced once, whoever tells, when the registry confirms it."""

import asyncio
from pathlib import Path
from time import monotonic

import pytest

from services.registry_watcher import measures
from shared.bus import Bus
from shared.events import ListTags, ResolveTag, WatchedImage, WatchImages, image_delivery
from tests.parts.images import push_image
from tests.parts.lying import lying
from tests.parts.registry import RunningRegistry
from tests.registry.watching import Watcher, hook, plain, watching


async def test_a_webhook_of_a_new_tag_is_announced_with_its_digest(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    await watcher.watch(image)
    digest = await push_image(registry, f"acme/{unique}", "1.1", created="2026-02-01T00:00:00Z")
    await watcher.bus.publish(hook(image, "1.1", digest))
    pushed = await watcher.pushed()
    assert (pushed.registry, pushed.repository, pushed.tag) == (registry.host, f"acme/{unique}", "1.1")
    assert (pushed.digest, pushed.previous, pushed.source) == (digest, "", "webhook")
    assert pushed.delivery == image_delivery(image, digest)
    tags = await watcher.bus.request(ListTags(image=image))
    assert [tag.name for tag in tags.tags] == ["1.0", "1.1"]


async def test_a_tag_that_moves_is_announced_with_what_it_was(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    first = await push_image(registry, f"acme/{unique}", "stable")
    await watcher.watch(image, "stable")
    assert (await watcher.bus.request(ResolveTag(image=image, tag="stable"))).digest == first
    second = await push_image(registry, f"acme/{unique}", "stable", created="2026-02-01T00:00:00Z")
    await watcher.bus.publish(hook(image, "stable", second))
    await watcher.bus.publish(hook(image, "stable", second, delivery="the same, told twice"))
    moved = await watcher.pushed()
    assert (moved.digest, moved.previous) == (second, first)
    await push_image(registry, f"acme/{unique}", "stable")
    await watcher.bus.publish(hook(image, "stable", delivery="back again"))
    assert (await watcher.pushed()).digest == first


@pytest.mark.parametrize("said", ["", "registry.internal:5000"])
async def test_a_registry_has_several_names(
    watcher: Watcher, registry: RunningRegistry, unique: str, said: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    await watcher.watch(image)
    await push_image(registry, f"acme/{unique}", "1.1")
    await watcher.bus.publish(hook(image, "1.1", registry=said))
    assert (await watcher.pushed()).image == image


async def test_what_a_webhook_claims_and_the_registry_does_not_have_is_not_announced(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    await watcher.watch(image)
    await watcher.bus.publish(hook(image, "9.9", f"sha256:{'9' * 64}"))
    await watcher.bus.publish(hook(image, "$(reboot)"))
    await push_image(registry, f"acme/{unique}", "1.1")
    await watcher.bus.publish(hook(image, "1.1", f"sha256:{'9' * 64}"))
    pushed = await watcher.pushed()
    assert pushed.tag == "1.1"
    assert pushed.digest != f"sha256:{'9' * 64}"


async def test_nobody_is_asked_about_images_that_nobody_watches(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    await watcher.watch(image)
    await watcher.bus.publish(hook("169.254.169.254/latest/meta-data", "1.0"))
    await watcher.bus.publish(hook(f"{registry.host}/acme/other", "1.0"))
    await push_image(registry, f"acme/{unique}", "1.1")
    await watcher.bus.publish(hook(image, "1.1"))
    assert (await watcher.pushed()).tag == "1.1"
    assert [str(one) for one in watcher.parts.images.interest.repositories()] == [image]


async def test_a_poll_finds_what_no_webhook_told(
    own_bus: Bus, registry: RunningRegistry, unique: str, tmp_path: Path
) -> None:
    image = f"{registry.host}/acme/{unique}"
    first = await push_image(registry, f"acme/{unique}", "stable")
    async with watching(own_bus, tmp_path / "known", plain(registry), poll_seconds=0.3) as watcher:
        await watcher.watch(image, "stable")
        digest = await push_image(registry, f"acme/{unique}", "1.0", created="2026-03-01T00:00:00Z")
        pushed = await watcher.pushed()
        assert (pushed.tag, pushed.digest, pushed.source) == ("1.0", digest, "poll")
        moved = await push_image(registry, f"acme/{unique}", "stable", created="2026-04-01T00:00:00Z")
        pushed = await watcher.pushed()
        assert (pushed.tag, pushed.digest, pushed.previous) == ("stable", moved, first)


async def test_a_restart_forgets_neither_what_is_watched_nor_what_was_there(
    own_bus: Bus, registry: RunningRegistry, unique: str, tmp_path: Path
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    async with watching(own_bus, tmp_path / "known", plain(registry)) as before:
        await before.watch(image)
    await push_image(registry, f"acme/{unique}", "1.1")
    async with watching(own_bus, tmp_path / "known", plain(registry), poll_seconds=0.3) as after:
        assert (await after.pushed()).tag == "1.1"


async def test_the_first_push_to_a_repository_that_was_not_there_is_news(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await watcher.watch(image)
    await push_image(registry, f"acme/{unique}", "1.0")
    await watcher.bus.publish(hook(image, "1.0"))
    assert (await watcher.pushed()).tag == "1.0"


async def test_a_hundred_webhooks_of_one_tag_cost_few_looks_and_one_event(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image = f"{registry.host}/acme/{unique}"
    await push_image(registry, f"acme/{unique}", "1.0")
    await watcher.watch(image)
    await push_image(registry, f"acme/{unique}", "1.1")
    for number in range(100):
        await watcher.bus.publish(hook(image, "1.1", delivery=str(number)))
    assert (await watcher.pushed()).tag == "1.1"
    await push_image(registry, f"acme/{unique}", "1.2")
    await watcher.bus.publish(hook(image, "1.2"))
    assert (await watcher.pushed()).tag == "1.2"


async def test_an_owner_says_all_that_it_watches_and_no_more(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    ask = WatchImages(owner=unique, images=(WatchedImage(image="nginx"), WatchedImage(image="-no image-")))
    reply = await watcher.bus.request(ask)
    assert (reply.count, set(reply.refused)) == (1, {"-no image-"})
    assert [str(one) for one in watcher.parts.images.interest.repositories()] == ["docker.io/library/nginx"]
    assert (await watcher.bus.request(WatchImages(owner=unique))).count == 0
    assert list(watcher.parts.images.interest.repositories()) == []


async def test_an_owner_of_which_nothing_is_heard_any_more_is_forgotten(own_bus: Bus, tmp_path: Path) -> None:
    conf = plain(RunningRegistry("registry.example.com"))
    async with watching(own_bus, tmp_path / "known", conf) as before:
        for owner in ("silent", "heard"):
            await own_bus.request(
                WatchImages(owner=owner, images=(WatchedImage(image=f"registry.example.com/{owner}"),))
            )
        await before.parts.watched.forget_silent(monotonic() - 3600)
        assert len(list(before.parts.images.interest.repositories())) == 2
    async with watching(own_bus, tmp_path / "known", conf) as after:
        restored = monotonic()
        await own_bus.request(WatchImages(owner="heard", images=(WatchedImage(image="registry.example.com/heard"),)))
        await after.parts.watched.forget_silent(restored)
        left = [str(one) for one in after.parts.images.interest.repositories()]
        assert left == ["registry.example.com/heard"]


def taken() -> float:
    """Webhooks that were worked on, whatever came of them."""
    counts = [one for metric in measures.hooks.collect() for one in metric.samples if one.name.endswith("_total")]
    return sum(one.value for one in counts if one.labels["outcome"] in {"pending", "followed", "known"})


async def test_a_flood_of_made_up_tags_costs_a_bounded_number_of_requests(own_bus: Bus, tmp_path: Path) -> None:
    async with lying() as liar:
        liar.tags("acme/web", "1.0")
        image = f"{liar.host}/acme/web"
        async with watching(own_bus, tmp_path / "known", plain(RunningRegistry(liar.host))) as watcher:
            await watcher.watch(image)
            liar.asked.clear()
            before = taken()
            for number in range(300):
                await own_bus.publish(hook(image, f"made-up-{number}"))
            known = watcher.parts.images.named(image).known
            async with asyncio.timeout(120):
                while taken() - before < 300:  # noqa: ASYNC110 - a counter has no event
                    await asyncio.sleep(0.05)
                while known.pending:  # one list says that none of them is there
                    await own_bus.request(ListTags(image=image))
            heads = [path for method, path, _ in liar.asked if method == "HEAD"]
            assert len(heads) <= 60
