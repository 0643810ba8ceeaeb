"""Sources made to hurt: endless templates, huge output, bombs; each ends in a clear error, and the next works."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from shared.bus import Bus
from shared.engines.client import Engines
from shared.events import RequestError
from tests.parts.registry import serving
from tests.render.service import Answer, Service, running_service
from tests.render.shop import Shop
from tests.render.tools import Content, Link, chart, config_map, packed

MIB = 1024 * 1024


@pytest_asyncio.fixture
async def strict(bus: Bus, engines: Engines, tmp_path: Path, unique: str) -> AsyncIterator[Service]:
    """A renderer with small limits."""
    limits = {"tool_seconds": 3.0, "output_bytes": MIB, "unpacked_bytes": MIB, "chart_bytes": MIB}
    async with running_service(bus, engines, tmp_path, unique, **limits) as running:
        yield running


async def _fails(service: Service, files: dict[str, Content], **source: Any) -> str:
    with pytest.raises(RequestError) as failure:
        await service.rendered(files, **source)
    assert (await service.rendered({"fine/a.yaml": config_map("fine")}, path="fine")).names == ["fine"]
    assert "root:" not in failure.value.message
    return failure.value.reason


LOOP = '{{ define "x" }}{{ include "x" . }}{{ end }}{{ include "x" . }}\n'
SLOW = "{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}\n"
LARGE = """\
{{ range until 200 }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "c{{ . }}"}
data: {x: {{ repeat 10000 "x" }}}
{{ end }}
"""


async def test_a_template_that_never_ends_is_ended(strict: Service) -> None:
    assert await _fails(strict, chart("app", {"templates/config.yaml": SLOW})) == "RenderTimeout"
    assert await _fails(strict, chart("app", {"templates/config.yaml": LOOP})) == "HelmFailed"


async def test_a_template_that_eats_memory_is_ended(strict: Service) -> None:
    eater = '{{ $x := "xxxxxxxxxxxxxxxx" }}{{ range until 60 }}{{ $x = cat $x $x }}{{ end }}{{ $x }}\n'
    assert await _fails(strict, chart("app", {"templates/config.yaml": eater})) in ("HelmFailed", "RenderTimeout")


async def test_huge_output_is_refused(strict: Service) -> None:
    assert await _fails(strict, chart("app", {"templates/config.yaml": LARGE})) == "ManifestsTooLarge"


async def test_a_chart_that_swells_is_refused(strict: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0"], files={"zeros": b"\0" * (40 * MIB)})
    with pytest.raises(RequestError) as failure:
        await strict.render({"repoURL": shop.url, "chart": "web", "targetRevision": "1.0.0", "@revision": "1.0.0"})
    assert failure.value.reason == "FileTooLarge"


async def test_an_archive_of_a_dependency_that_swells_is_refused(service: Service) -> None:
    bomb = packed(chart("bomb", {"templates/zeros": b"\0" * (400 * MIB)}))
    assert len(bomb) < MIB
    entry = "dependencies: [{name: bomb, version: 1.0.0}]\n"
    files = chart("app", {"Chart.yaml": f"apiVersion: v2\nname: app\nversion: 1.0.0\n{entry}"})
    reason = await _fails(service, {**files, "app/charts/bomb-1.0.0.tgz": bomb})
    assert reason in ("ChartInvalid", "HelmFailed")


@pytest.mark.parametrize("path", ["../../etc", "/etc", "app/../../etc", "app\x00", "evil"])
async def test_a_source_path_out_of_the_repository_is_refused(service: Service, path: str) -> None:
    files: dict[str, Content] = {"app/a.yaml": config_map("a"), "evil": Link("/etc")}
    assert await _fails(service, files, path=path) == "PathEscapesRepository"


async def test_a_source_path_that_is_not_there_is_said(service: Service) -> None:
    assert await _fails(service, {"app/a.yaml": config_map("a")}, path="nothing") == "PathNotFound"
    assert await _fails(service, {"app/a.yaml": config_map("a")}, path="app/a.yaml") == "PathNotFound"
    assert await _fails(service, {"app/a.yaml": config_map("a")}, path="") == "InvalidSource"


async def test_a_plugin_is_named_as_not_built(service: Service) -> None:
    assert await _fails(service, {"app/a.yaml": config_map("a")}, plugin={"name": "x"}) == "PluginsNotBuilt"


async def test_an_archive_of_a_chart_that_leads_out_is_refused(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0"], files={"templates/evil.yaml": Link("/etc/passwd")})
    with pytest.raises(RequestError) as failure:
        await service.render({"repoURL": shop.url, "chart": "web", "targetRevision": "1.0.0", "@revision": "1.0.0"})
    assert failure.value.reason == "PathEscapesRepository"


async def test_too_many_waiting_renders_are_sent_away(bus: Bus, engines: Engines, tmp_path: Path, unique: str) -> None:
    shop, opened = Shop(), asyncio.Event()

    async def held(request: web.BaseRequest) -> web.StreamResponse:
        await opened.wait()
        return await shop.answer(request)

    for name in "abcd":
        shop.publish(name, ["1.0.0"])
    async with (
        serving(held) as url,
        running_service(bus, engines, tmp_path, unique, concurrency=1, waiting=1) as service,
    ):
        chart = {"repoURL": url, "targetRevision": "1.0.0", "@revision": "1.0.0"}
        asked = [asyncio.ensure_future(service.render({**chart, "chart": name})) for name in "abcd"]
        refused = []
        for each in itertools.islice(asyncio.as_completed(asked), 2):
            with pytest.raises(RequestError) as failure:
                await each
            refused.append((failure.value.reason, failure.value.retriable))
        opened.set()
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert refused == [("RendererOverloaded", True)] * 2
    assert sum(isinstance(each, Answer) for each in answers) == 2
