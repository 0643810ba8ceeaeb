"""`registry.tags` and `registry.digest` over a real registry: names, digests, dates by platform, and what is wrong."""

from pathlib import Path

import pytest

from shared.bus import Bus, RequestError
from shared.clock import parse_rfc3339
from shared.events import ListTags, ResolveTag
from shared.oci.manifest import CREATED
from tests.parts.images import push_image, push_index
from tests.parts.registry import RunningRegistry
from tests.registry.watching import Watcher, plain, watching

OLD, NEW, NEWEST = "2026-01-01T00:00:00.123456789Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"


async def test_tags_come_alone_or_with_what_is_asked_for(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image, name = f"{registry.host}/acme/{unique}", f"acme/{unique}"
    digests = {tag: await push_image(registry, name, tag, created=at) for tag, at in (("a", OLD), ("b", NEW))}
    plain_list = await watcher.bus.request(ListTags(image=image))
    assert [(tag.name, tag.digest, tag.created) for tag in plain_list.tags] == [("a", "", None), ("b", "", None)]
    with_digests = await watcher.bus.request(ListTags(image=image, needs=("digest",), only=("b",)))
    assert {tag.name: tag.digest for tag in with_digests.tags} == {"a": "", "b": digests["b"]}
    dated = await watcher.bus.request(ListTags(image=image, needs=("created",)))
    assert [tag.created for tag in dated.tags] == [parse_rfc3339("2026-01-01T00:00:00.123Z"), parse_rfc3339(NEW)]
    assert {tag.name: tag.digest for tag in dated.tags} == digests


async def test_dates_are_those_of_the_platforms_asked_for_and_attestations_count_nothing(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image, name = f"{registry.host}/acme/{unique}", f"acme/{unique}"
    amd = await push_image(registry, name, "", created=OLD, labels={"org.opencontainers.image.revision": "abc"})
    arm = await push_image(registry, name, "", created=NEW, platform="linux/arm/v7")
    await push_index(registry, name, "both", {"linux/amd64": amd, "linux/arm/v7": arm})
    await push_image(registry, name, "single", created=NEWEST, platform="linux/amd64")

    async def created(*platforms: str) -> dict[str, str]:
        answer = await watcher.bus.request(ListTags(image=image, needs=("created",), platforms=platforms))
        return {tag.name: f"{tag.created:%m}" if tag.created else tag.problem for tag in answer.tags}

    assert await created() == {"both": "02", "single": "03"}
    assert await created("linux/amd64") == {"both": "01", "single": "03"}
    assert await created("linux/arm") == {"both": "02", "single": "no image for linux/arm"}
    assert await created("no platform") == dict.fromkeys(("both", "single"), "no image for no platform")
    resolved = await watcher.bus.request(
        ResolveTag(image=image, tag="both", needs=("created",), platforms=("linux/amd64",))
    )
    assert resolved.index
    assert [(one.platform, one.digest) for one in resolved.images] == [("linux/amd64", amd)]
    assert resolved.labels == {"org.opencontainers.image.revision": "abc"}


async def test_a_date_in_the_annotations_saves_a_request(
    watcher: Watcher, registry: RunningRegistry, unique: str
) -> None:
    image, name = f"{registry.host}/acme/{unique}", f"acme/{unique}"
    await push_image(registry, name, "1.0", created=OLD, annotations={CREATED: NEWEST})
    (tag,) = (await watcher.bus.request(ListTags(image=image, needs=("created",)))).tags
    assert tag.created == parse_rfc3339(NEWEST)


@pytest.mark.parametrize("created", ["", "yesterday", "99999-01-01T00:00:00Z", "2026-01-01T00:00:00"])
async def test_a_date_that_is_none_is_a_problem_of_that_tag_alone(
    watcher: Watcher, registry: RunningRegistry, unique: str, created: str
) -> None:
    image, name = f"{registry.host}/acme/{unique}", f"acme/{unique}"
    await push_image(registry, name, "bad", created=created)
    await push_image(registry, name, "good", created=NEW)
    answer = await watcher.bus.request(ListTags(image=image, needs=("created",)))
    assert {tag.name: tag.problem for tag in answer.tags} == {"bad": "it does not say when it was created", "good": ""}


async def test_what_an_image_is_made_of_is_asked_once_and_survives_a_restart(
    own_bus: Bus, registry: RunningRegistry, unique: str, tmp_path: Path
) -> None:
    image, name = f"{registry.host}/acme/{unique}", f"acme/{unique}"
    await push_image(registry, name, "1.0", created=NEW)
    question = ListTags(image=image, needs=("created",))
    async with watching(own_bus, tmp_path / "known", plain(registry)) as watcher:
        first = await watcher.bus.request(question)
    dark = plain(registry).replace("api_url: http://127.0.0.1", "api_url: http://127.0.0.2")
    async with watching(own_bus, tmp_path / "known", dark, fresh_seconds=600) as watcher:
        facts = watcher.parts.images.named(image).known
        assert facts.facts[first.tags[0].digest].created == first.tags[0].created


async def test_a_digest_is_what_the_registry_says_now(watcher: Watcher, registry: RunningRegistry, unique: str) -> None:
    image, name = f"{registry.host}/acme/{unique}", f"acme/{unique}"
    first = await push_image(registry, name, "1.0", created=OLD)
    assert (await watcher.bus.request(ResolveTag(image=image, tag="1.0"))).digest == first
    second = await push_image(registry, name, "1.0", created=NEW)
    assert (await watcher.bus.request(ResolveTag(image=image, tag="1.0"))).digest == second
    assert (await watcher.bus.request(ResolveTag(image=image, tag=first))).digest == first


@pytest.mark.parametrize(
    ("image", "tag", "reason"),
    [
        ("{host}/acme/nothing-here", "1.0", "NotFound"),
        ("{host}/acme/UPPER", "1.0", "InvalidImage"),
        ("{host}/acme/web", "$(reboot)", "InvalidImage"),
        ("{host}/acme/web:1.0:2", "1.0", "InvalidImage"),
    ],
)
async def test_what_can_not_be_answered_says_why(
    watcher: Watcher, registry: RunningRegistry, image: str, tag: str, reason: str
) -> None:
    with pytest.raises(RequestError) as refused:
        await watcher.bus.request(ResolveTag(image=image.format(host=registry.host), tag=tag))
    assert (refused.value.reason, refused.value.retriable) == (reason, False)


async def test_a_registry_that_is_down_may_be_asked_again(own_bus: Bus, tmp_path: Path) -> None:
    conf = "registries:\n- {name: down, prefix: 127.0.0.1:1, api_url: 'http://127.0.0.1:1'}\n"
    async with watching(own_bus, tmp_path / "known", conf) as watcher:
        for _ in range(2):
            with pytest.raises(RequestError) as refused:
                await watcher.bus.request(ListTags(image="127.0.0.1:1/acme/web"))
            assert (refused.value.reason, refused.value.retriable) == ("Unreachable", True)
