"""Charts and artifacts as sources, through the whole service: repositories, registries, dependencies, values by URL."""

from typing import Any

import pytest

from services.renderer.repositories import KnownRepositories
from shared.events import RequestError, ResolveChart
from shared.kinds.secrets import RepositorySecret
from tests.parts.registry import RunningRegistry
from tests.render.service import Obj, Service
from tests.render.shop import Shop
from tests.render.tools import TEMPLATE, chart, config_map, packed

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"


def of(repo: str, name: str, revision: str, **fields: Any) -> Obj:
    """A chart as a source."""
    return {"repoURL": repo, "chart": name, "targetRevision": revision, "@revision": revision, **fields}


def knows_registry(service: Service, host: str) -> None:
    """The registry of these tests speaks plain HTTP, and its Secret says so."""
    secret = RepositorySecret.model_validate(
        {"url": f"oci://{host}", "type": "oci", "enableOCI": "true", "insecureOCIForceHttp": "true"}
    )
    service.known = KnownRepositories((secret,))


async def test_a_chart_of_a_repository_renders(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0"])
    answer = await service.render(of(shop.url, "web", "1.0.0", helm={"valuesObject": {"text": "mine"}}))
    assert answer.objects[0]["data"]["text"] == "mine"
    source = answer.reply.sources[0]
    assert (source.source_type, source.revision, source.input_paths) == ("Helm", "1.0.0", ())


async def test_a_constraint_is_resolved_for_the_reconciler(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0", "1.9.0", "1.10.0", "2.0.0-rc.1"])
    for constraint, version in (("1.x", "1.10.0"), (">=1.0.0 <1.10.0", "1.9.0"), ("*", "1.10.0"), ("~1.9", "1.9.0")):
        asked = ResolveChart(repo_url=shop.url, chart="web", constraint=constraint)
        assert (await service.renderer.on_resolve_chart(asked)).version == version


async def test_a_constraint_that_cannot_be_read_is_said(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0"])
    with pytest.raises(RequestError) as failure:
        await service.renderer.on_resolve_chart(ResolveChart(repo_url=shop.url, chart="web", constraint=">>1"))
    assert failure.value.reason == "VersionNotFound"


async def test_a_source_without_a_resolved_version_is_resolved_here(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0", "1.1.0"])
    source = {**of(shop.url, "web", "1.*"), "@revision": ""}
    assert (await service.render(source)).reply.sources[0].revision == "1.1.0"


async def test_a_chart_of_a_registry_renders(service: Service, registry: RunningRegistry, unique: str) -> None:
    knows_registry(service, registry.host)
    await registry.push(f"{unique}/web", "1.2.0", packed(chart("web", version="1.2.0")))
    answer = await service.render(of(f"{registry.host}/{unique}", "web", "1.2.0"))
    assert answer.names == ["guestbook-config"]
    asked = ResolveChart(repo_url=f"oci://{registry.host}/{unique}", chart="web", constraint="1.*")
    assert (await service.renderer.on_resolve_chart(asked)).version == "1.2.0"


async def test_an_artifact_renders_by_what_is_in_it(service: Service, registry: RunningRegistry, unique: str) -> None:
    knows_registry(service, registry.host)
    files = {"app/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: k-\n", "app/a.yaml": config_map("a")}
    digest = await registry.push(
        f"{unique}/app", "v1", packed({**files, "b.yaml": config_map("b")}), layer=LAYER, config=EMPTY
    )
    url = f"oci://{registry.host}/{unique}/app"
    source = {"repoURL": url, "path": "app", "targetRevision": "v1", "@revision": digest}
    assert (await service.render(source)).names == ["k-a"]
    assert (await service.render({**source, "path": "."})).names == ["b"]


async def test_values_of_git_are_laid_over_a_chart_from_elsewhere(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0"])
    service.commit({"prod/values.yaml": "text: of-git\n"})
    helm = {"valueFiles": ["$values/prod/values.yaml"]}
    answer = await service.render(of(shop.url, "web", "1.0.0", helm=helm), service.source("", ref="values"))
    assert answer.objects[0]["data"]["text"] == "of-git"
    assert answer.reply.sources[1].input_paths == ("prod/values.yaml",)
    service.commit({"prod/values.yaml": "text: newer\n"})
    answer = await service.render(of(shop.url, "web", "1.0.0", helm=helm), service.source("", ref="values"))
    assert answer.objects[0]["data"]["text"] == "newer"


async def test_sources_are_put_in_a_row(service: Service, shop: Shop) -> None:
    shop.publish("web", ["1.0.0"])
    service.commit({"app/b.yaml": config_map("b"), "app/a.yaml": config_map("a")})
    answer = await service.render(service.source(), of(shop.url, "web", "1.0.0"))
    assert answer.names == ["a", "b", "guestbook-config"]
    assert [(each.source_type, each.count) for each in answer.reply.sources] == [("Directory", 2), ("Helm", 1)]


async def test_missing_dependencies_are_fetched_by_lock_or_constraint(
    service: Service, shop: Shop, registry: RunningRegistry, unique: str
) -> None:
    knows_registry(service, registry.host)
    named = {
        name: {"templates/config.yaml": TEMPLATE.replace("-config", f"-{name}")} for name in ("one", "two", "three")
    }
    shop.publish("one", ["1.0.0", "1.5.0"], files=named["one"])
    shop.publish("two", ["2.0.0", "2.1.0"], files=named["two"])
    await registry.push(f"{unique}/three", "3.0.0", packed(chart("three", named["three"], version="3.0.0")))
    entries = (
        f"- {{name: one, version: 1.x, repository: '{shop.url}'}}\n"
        f"- {{name: two, version: 2.x, repository: '{shop.url}'}}\n"
        f"- {{name: three, version: 3.0.0, repository: 'oci://{registry.host}/{unique}'}}\n"
    )
    files = chart("app", {"Chart.yaml": f"apiVersion: v2\nname: app\nversion: 1.0.0\ndependencies:\n{entries}"})
    files["app/Chart.lock"] = f"dependencies: [{{name: two, version: 2.0.0, repository: '{shop.url}'}}]\n"
    answer = await service.rendered(files)
    assert sorted(answer.names) == ["guestbook-config", "guestbook-one", "guestbook-three", "guestbook-two"]
    assert "/one-1.5.0.tgz" in shop.asked
    assert "/two-2.0.0.tgz" in shop.asked


async def test_a_dependency_that_cannot_be_had_is_named(service: Service, shop: Shop) -> None:
    entry = f"dependencies: [{{name: one, version: 1.x, repository: '{shop.url}'}}]\n"
    files = chart("app", {"Chart.yaml": f"apiVersion: v2\nname: app\nversion: 1.0.0\n{entry}"})
    with pytest.raises(RequestError, match="dependency one") as failure:
        await service.rendered(files)
    assert failure.value.reason == "DependencyUnavailable"


async def test_value_files_may_be_urls(service: Service, shop: Shop) -> None:
    shop.files["values.yaml"] = b"text: of-the-web\n"
    answer = await service.rendered(chart("app"), helm={"valueFiles": [f"{shop.url}/values.yaml"]})
    assert answer.objects[0]["data"]["text"] == "of-the-web"
    with pytest.raises(RequestError) as failure:
        await service.rendered(chart("app"), helm={"valueFiles": [f"{shop.url}/nothing.yaml"]})
    assert failure.value.reason == "ValueFileNotFound"
    none = {"settings": {"helm.valuesFileSchemes": ""}}
    with pytest.raises(RequestError) as failure:
        await service.rendered(chart("app"), helm={"valueFiles": [f"{shop.url}/values.yaml"]}, request=none)
    assert failure.value.reason == "SchemeNotAllowed"


async def test_no_message_holds_a_credential(service: Service, shop: Shop) -> None:
    shop.authorization = "Basic nobody-knows"
    secret = RepositorySecret.model_validate({"url": shop.url, "username": "u", "password": "canary-of-the-secret"})
    service.known = KnownRepositories((secret,))
    with pytest.raises(RequestError) as failure:
        await service.render(of(shop.url, "web", "1.0.0"))
    assert failure.value.reason == "CredentialsRefused"
    assert "canary" not in str(failure.value)
