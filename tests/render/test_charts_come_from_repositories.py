"""Charts from a plain HTTP repository and from a real registry: versions, digests, credentials, the store on disk."""

import base64
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from services.renderer.chart_store import ChartStore
from services.renderer.charts import Charts
from services.renderer.failures import Reason, RenderFailure
from services.renderer.repositories import ChartRepository
from shared.oci.access import ANONYMOUS, Access
from shared.oci.download import session
from shared.security import Secret
from tests.parts.registry import RunningRegistry, serving
from tests.render.shop import Shop
from tests.render.tools import chart, packed

MIB = 1024 * 1024
PASSWORD = "secret-of-the-repository"


async def highest(constraint: str, versions: Sequence[str]) -> str | None:
    """Enough of semver for what is asked here; the engines' own is proven with them."""
    wanted = constraint.rstrip("*").rstrip(".")
    return max((each for each in versions if each.startswith(wanted)), default=None)


@pytest_asyncio.fixture
async def charts(tmp_path: Path) -> AsyncIterator[Charts]:
    with ThreadPoolExecutor(2) as executor:
        async with session() as client:
            yield Charts(client, ChartStore(tmp_path / "charts", 10 * MIB), executor, highest, MIB)


async def test_a_constraint_means_a_version_of_the_index(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0", "1.2.0", "2.0.0"])
    repository = ChartRepository(shop.url, oci=False)
    assert await charts.resolve(repository, "web", "1.*") == "1.2.0"
    assert await charts.resolve(repository, "web", "") == "2.0.0"
    assert await charts.resolve(repository, "web", "1.0.0") == "1.0.0"


async def test_an_archive_is_downloaded_once_and_kept(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"])
    repository = ChartRepository(shop.url, oci=False)
    first = await charts.archive(repository, "web", "1.0.0")
    assert first == shop.files["web-1.0.0.tgz"] == await charts.archive(repository, "web", "1.0.0")
    assert shop.asked == ["/index.yaml", "/web-1.0.0.tgz"]


async def test_a_hard_refresh_asks_again(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"])
    repository = ChartRepository(shop.url, oci=False)
    await charts.archive(repository, "web", "1.0.0")
    await charts.archive(repository, "web", "1.0.0", fresh=True)
    assert shop.asked == ["/index.yaml", "/web-1.0.0.tgz"] * 2


async def test_a_version_published_a_moment_ago_is_found(shop: Shop, charts: Charts) -> None:
    repository = ChartRepository(shop.url, oci=False)
    shop.publish("web", ["1.0.0"])
    await charts.resolve(repository, "web", "*")
    shop.publish("web", ["1.0.0", "1.1.0"])
    assert await charts.archive(repository, "web", "1.1.0") == shop.files["web-1.1.0.tgz"]


async def test_an_archive_that_is_not_what_the_index_says_is_refused(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"], digest="0" * 64)
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(ChartRepository(shop.url, oci=False), "web", "1.0.0")
    assert failure.value.reason is Reason.DIGEST_MISMATCH


@pytest.mark.parametrize(
    ("name", "version", "reason"),
    [("nothing", "1.0.0", Reason.CHART_NOT_FOUND), ("web", "9.0.0", Reason.VERSION_NOT_FOUND)],
)
async def test_what_the_repository_lacks_is_named(
    shop: Shop, charts: Charts, name: str, version: str, reason: Reason
) -> None:
    shop.publish("web", ["1.0.0"])
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(ChartRepository(shop.url, oci=False), name, version)
    assert failure.value.reason is reason
    assert not failure.value.retriable


async def test_a_constraint_that_nothing_satisfies_lists_what_there_is(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"])
    with pytest.raises(RenderFailure, match=r"it has 1\.0\.0"):
        await charts.resolve(ChartRepository(shop.url, oci=False), "web", "3.*")


async def test_a_password_is_used_and_a_wrong_one_is_not_repeated(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"])
    shop.authorization = f"Basic {base64.b64encode(f'u:{PASSWORD}'.encode()).decode()}"
    known = Access(username="u", password=Secret(PASSWORD))
    await charts.archive(ChartRepository(shop.url, oci=False, access=known), "web", "1.0.0")
    wrong = Access(username="u", password=Secret("another-password"))
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(ChartRepository(shop.url, oci=False, access=wrong), "web", "1.0.0")
    assert failure.value.reason is Reason.CREDENTIALS_REFUSED
    assert "another-password" not in failure.value.message


@pytest.mark.parametrize("pass_credentials", [False, True])
async def test_credentials_go_to_another_host_only_when_told_to(
    shop: Shop, charts: Charts, *, pass_credentials: bool
) -> None:
    elsewhere = Shop()
    async with serving(elsewhere.answer) as url:
        shop.publish("web", ["1.0.0"], base=f"{url}/")
        elsewhere.files = shop.files
        access = Access(username="u", password=Secret(PASSWORD))
        await charts.archive(
            ChartRepository(shop.url, oci=False, access=access), "web", "1.0.0", pass_credentials=pass_credentials
        )
    assert [bool(header) for header in elsewhere.headers] == [pass_credentials]


async def test_what_one_fetched_with_a_password_is_not_given_to_another(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"])
    shop.authorization = f"Basic {base64.b64encode(f'u:{PASSWORD}'.encode()).decode()}"
    known = Access(username="u", password=Secret(PASSWORD))
    await charts.archive(ChartRepository(shop.url, oci=False, access=known), "web", "1.0.0")
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(ChartRepository(shop.url, oci=False, access=ANONYMOUS), "web", "1.0.0")
    assert failure.value.reason is Reason.CREDENTIALS_REFUSED


async def test_an_archive_over_the_limit_is_refused(shop: Shop, charts: Charts) -> None:
    shop.publish("web", ["1.0.0"], digest="")
    shop.files["web-1.0.0.tgz"] = b"\0" * (2 * MIB)
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(ChartRepository(shop.url, oci=False), "web", "1.0.0")
    assert failure.value.reason is Reason.FILE_TOO_LARGE


async def test_an_unreachable_repository_is_worth_another_try(charts: Charts) -> None:
    with pytest.raises(RenderFailure) as failure:
        await charts.resolve(ChartRepository("http://127.0.0.1:1", oci=False), "web", "*")
    assert failure.value.reason is Reason.REPOSITORY_UNREACHABLE
    assert failure.value.retriable


async def test_a_chart_comes_from_a_registry_by_version(registry: RunningRegistry, charts: Charts, unique: str) -> None:
    data = packed(chart("web", version="1.2.0+build"))
    await registry.push(f"{unique}/web", "1.2.0_build", data)
    await registry.push(f"{unique}/web", "1.1.0", b"older")
    repository = ChartRepository(f"oci://{registry.host}/{unique}", oci=True, access=Access(plain_http=True))
    assert await charts.resolve(repository, "web", "1.*") == "1.2.0+build"
    assert await charts.archive(repository, "web", "1.2.0+build") == data


async def test_an_artifact_without_a_chart_resolves_to_its_digest(
    registry: RunningRegistry, charts: Charts, unique: str
) -> None:
    layer = "application/vnd.oci.image.layer.v1.tar+gzip"
    data = packed({"a.yaml": "x"})
    digest = await registry.push(
        f"{unique}/app", "v1.0.0", data, layer=layer, config="application/vnd.oci.empty.v1+json"
    )
    repository = ChartRepository(f"oci://{registry.host}/{unique}/app", oci=True, access=Access(plain_http=True))
    assert await charts.resolve(repository, "", "v1.0.0") == digest
    assert await charts.archive(repository, "", digest) == data


async def test_a_version_that_a_registry_lacks_is_named(registry: RunningRegistry, charts: Charts, unique: str) -> None:
    repository = ChartRepository(f"oci://{registry.host}/{unique}", oci=True, access=Access(plain_http=True))
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(repository, "web", "1.0.0")
    assert failure.value.reason is Reason.VERSION_NOT_FOUND


async def test_an_artifact_of_another_kind_is_refused(registry: RunningRegistry, charts: Charts, unique: str) -> None:
    await registry.push(f"{unique}/web", "1.0.0", b"x", layer="application/octet-stream")
    repository = ChartRepository(f"oci://{registry.host}/{unique}", oci=True, access=Access(plain_http=True))
    with pytest.raises(RenderFailure) as failure:
        await charts.archive(repository, "web", "1.0.0")
    assert failure.value.reason is Reason.CHART_INVALID


def test_the_store_keeps_what_was_used_last(tmp_path: Path) -> None:
    store = ChartStore(tmp_path, capacity=2500)
    for number in range(4):
        store.keep(f"{number:064}", bytes([number]) * 1000)
    assert store.find(f"{0:064}") is None
    assert store.find(f"{3:064}") == bytes([3]) * 1000


def test_a_damaged_archive_is_forgotten(tmp_path: Path) -> None:
    store = ChartStore(tmp_path, capacity=10_000)
    digest = store.keep("a" * 64, b"content")
    (tmp_path / f"{digest}.tgz").write_bytes(b"other")
    assert store.find("a" * 64) is None
