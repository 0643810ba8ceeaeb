"""What the service remembers: over commits and restarts, in flight; and what makes it render anew."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from shared.bus import Bus
from shared.engines.client import Engines
from shared.events import RequestError
from tests.render.service import Service, request, running_service
from tests.render.tools import Link, chart, config_map


def renders(service: Service) -> int:
    """How many renders were made, as the parsed and remembered results tell."""
    return service.renderer.made


async def test_a_commit_elsewhere_is_no_new_render(service: Service) -> None:
    first = await service.rendered({"app/a.yaml": config_map("a"), "other/b.yaml": config_map("b")})
    tip = service.commit({"other/b.yaml": config_map("changed")})
    second = await service.render(service.source())
    assert second.reply.digest == first.reply.digest
    assert second.reply.sources[0].revision == tip
    assert renders(service) == 1


async def test_a_commit_to_the_application_is(service: Service) -> None:
    await service.rendered({"app/a.yaml": config_map("a")})
    assert (await service.rendered({"app/a.yaml": config_map("b")})).names == ["b"]
    assert renders(service) == 2


async def test_going_back_is_no_new_render(service: Service) -> None:
    first = service.commit({"app/a.yaml": config_map("a")})
    await service.render(service.source())
    await service.rendered({"app/a.yaml": config_map("b")})
    assert (await service.render(service.source(revision=first))).names == ["a"]
    assert renders(service) == 2


async def test_a_file_outside_the_application_counts_when_it_was_read_or_missed(service: Service) -> None:
    helm: dict[str, Any] = {"valueFiles": ["../envs/base.yaml", "../envs/prod.yaml"], "ignoreMissingValueFiles": True}
    await service.rendered({**chart("app"), "envs/base.yaml": "text: base\n"}, helm=helm)
    await service.rendered({"envs/unread.yaml": "x: 1\n"}, helm=helm)
    assert renders(service) == 1
    answer = await service.rendered({"envs/prod.yaml": "text: prod\n"}, helm=helm)
    assert answer.objects[0]["data"]["text"] == "prod"
    answer = await service.rendered({"envs/prod.yaml": None, "envs/base.yaml": "text: other\n"}, helm=helm)
    assert answer.objects[0]["data"]["text"] == "other"
    assert renders(service) == 3


async def test_a_render_that_used_the_revision_is_made_for_each_one(service: Service) -> None:
    helm = {"parameters": [{"name": "text", "value": "$ARGOCD_APP_REVISION"}]}
    await service.rendered(chart("app"), helm=helm)
    tip = service.commit({"other": "x"})
    answer = await service.render(service.source(helm=helm))
    assert answer.objects[0]["data"]["text"] == tip


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ({"app_name": "other"}, True),
        ({"destination_namespace": "elsewhere"}, True),
        ({"project": "shop"}, True),
        ({"kube_version": "1.30.0"}, True),
        ({"api_versions": ("example.org/v1",)}, True),
        ({"settings": {"helm.valuesFileSchemes": "https"}}, True),
        ({"settings": {"url": "https://example.org"}}, False),
        ({"no_cache": True}, True),
        ({}, False),
    ],
)
async def test_only_what_a_chart_can_see_makes_it_render_again(
    service: Service, change: dict[str, Any], *, again: bool
) -> None:
    await service.rendered(chart("app"))
    await service.render(service.source(), **change)
    assert renders(service) == 1 + again


async def test_a_new_cluster_version_does_not_concern_plain_files(service: Service) -> None:
    await service.rendered({"app/a.yaml": config_map("a")})
    await service.render(service.source(), kube_version="1.30.0", api_versions=("example.org/v1",))
    assert renders(service) == 1


async def test_a_restart_is_warm(bus: Bus, engines: Engines, tmp_path: Path, unique: str) -> None:
    async with running_service(bus, engines, tmp_path, unique) as service:
        await service.rendered({"app/a.yaml": config_map("a")})
        source = service.source()
    async with running_service(bus, engines, tmp_path, unique) as service:
        await service.render(source)
        assert renders(service) == 0


async def test_the_same_question_in_flight_is_answered_once(service: Service) -> None:
    service.commit(chart("app"))
    asked = request([service.source()])
    replies = await asyncio.gather(*(service.renderer.on_render(asked) for _ in range(20)))
    assert len({each.digest for each in replies}) == 1
    assert renders(service) == 1


async def test_a_failure_is_told_to_all_who_wait_and_not_remembered(service: Service) -> None:
    service.commit({"app/a.yaml": "apiVersion: v1\nkind: X\nmetadata: [\n"})
    asked = request([service.source()])
    failed = await asyncio.gather(*(service.renderer.on_render(asked) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(each, RequestError) and each.reason == "InvalidYaml" for each in failed)
    assert (await service.rendered({"app/a.yaml": config_map("a")})).names == ["a"]


async def test_a_commit_that_is_not_mirrored_yet_is_worth_another_try(service: Service) -> None:
    service.commit({"app/a.yaml": config_map("a")})
    with pytest.raises(RequestError) as failure:
        await service.render(service.source(revision="0" * 40))
    assert failure.value.reason == "RevisionNotMirrored"
    assert failure.value.retriable
    with pytest.raises(RequestError) as failure:
        await service.render({"repoURL": "https://example.org/unknown", "path": "a", "@revision": "0" * 40})
    assert failure.value.reason == "RevisionNotMirrored"
    assert str(service.mirrors) not in failure.value.message


async def test_a_link_that_changes_its_target_is_seen(service: Service) -> None:
    files = {"app/a.yaml": Link("../one/a.yaml"), "one/a.yaml": config_map("one"), "two/a.yaml": config_map("two")}
    assert (await service.rendered(files)).names == ["one"]
    assert (await service.rendered({"one/a.yaml": config_map("changed")})).names == ["changed"]
    assert (await service.rendered({"app/a.yaml": Link("../two/a.yaml")})).names == ["two"]
