"""Charts and OCI artifacts from elsewhere: which version a constraint means, and the archive's bytes, verified.

In: a repository, a chart, a version or constraint. Out: a version; an archive from disk or from the network.
Every error is a `RenderFailure`. Nothing is unpacked here.
"""

import asyncio
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import aiohttp
from yarl import URL

from services.renderer.chart_index import ChartVersion, versions_of
from services.renderer.chart_store import ChartStore, name_key
from services.renderer.failures import Reason, RenderFailure
from services.renderer.repositories import ChartRepository, http_origin
from shared.flights import Flights
from shared.oci import errors
from shared.oci.challenge import basic
from shared.oci.download import MIB, get, shown, succeeded
from shared.oci.reference import is_digest, repository_of
from shared.oci.registry import Layer, Manifest, Registry

EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?")
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
ARTIFACT_LAYERS = (
    CHART_LAYER,
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.cncf.flux.content.v1.tar+gzip",
)
MAX_INDEX = 128 * MIB
INDEX_SECONDS = 60.0
MAX_KEPT_INDEXES = 1000

Best = Callable[[str, Sequence[str]], Awaitable[str | None]]
"""(constraint, versions) -> the highest version that satisfies it."""

REASONS: dict[type[errors.OciFailure], Reason] = {
    errors.Unreachable: Reason.REPOSITORY_UNREACHABLE,
    errors.Refused: Reason.CREDENTIALS_REFUSED,
    errors.TooLarge: Reason.FILE_TOO_LARGE,
    errors.DigestMismatch: Reason.DIGEST_MISMATCH,
    errors.NotFound: Reason.CHART_NOT_FOUND,
    errors.Malformed: Reason.CHART_INVALID,
    errors.UnsupportedAddress: Reason.INVALID_SOURCE,
}


@contextmanager
def oci_failures() -> Iterator[None]:
    """Turn the downloads' errors into ours."""
    try:
        yield
    except errors.OciFailure as error:
        raise RenderFailure(REASONS[type(error)], str(error), retriable=error.retriable) from error


class _Index(NamedTuple):
    versions: list[ChartVersion]
    until: float


@dataclass(slots=True)
class Charts:
    """The network and the disk behind charts; `limit` in bytes for one archive."""

    client: aiohttp.ClientSession
    store: ChartStore
    executor: Executor
    best: Best
    limit: int = 100 * MIB
    _indexes: dict[str, _Index] = field(default_factory=dict)
    _index_flights: Flights[list[ChartVersion]] = field(default_factory=Flights)

    async def resolve(self, repository: ChartRepository, chart: str, constraint: str) -> str:
        """The version that a constraint means now; an exact one is itself, an OCI artifact's is its digest."""
        with oci_failures():
            if repository.oci and not chart:
                return await self._resolve_artifact(repository, constraint)
            if EXACT.fullmatch(constraint) or is_digest(constraint):
                return constraint
            if repository.oci:
                tags = await self._registry(repository, chart).tags()
                return await self._best(constraint or "*", [tag.replace("_", "+") for tag in tags], chart, repository)
            versions = [each.version for each in await self._versions(repository, chart)]
            return await self._best(constraint or "*", versions, chart, repository)

    async def archive(
        self,
        repository: ChartRepository,
        chart: str,
        version: str,
        *,
        fresh: bool = False,
        pass_credentials: bool = False,
    ) -> bytes:
        """The archive of one version; `fresh` asks the network even if it is on disk."""
        key = name_key(repository.url, chart, version, repository.identity)
        loop = asyncio.get_running_loop()
        if not fresh and (known := await loop.run_in_executor(self.executor, self.store.find, key)) is not None:
            return known
        if fresh:
            self._indexes.pop(_index_key(repository, chart), None)
        with oci_failures():
            if repository.oci:
                data = await self._pull(repository, chart, version)
            else:
                data = await self._download(repository, chart, version, pass_credentials=pass_credentials)
        await loop.run_in_executor(self.executor, self.store.keep, key, data)
        return data

    async def _best(self, constraint: str, versions: Sequence[str], chart: str, repository: ChartRepository) -> str:
        found = await self.best(constraint, versions)
        if found is None:
            message = f"no version of {chart or 'the artifact'} in {repository.url} satisfies {constraint!r}"
            raise RenderFailure(Reason.VERSION_NOT_FOUND, f"{message}: {_known(versions)}")
        return found

    async def _resolve_artifact(self, repository: ChartRepository, constraint: str) -> str:
        if is_digest(constraint):
            return constraint
        registry = self._registry(repository, "")
        tag = constraint or "latest"
        if not EXACT.fullmatch(tag) and re.search(r"[*^~<>=|, ]", tag):
            tag = await self._best(tag, [each.replace("_", "+") for each in await registry.tags()], "", repository)
        return (await registry.manifest(tag.replace("+", "_"))).digest

    async def _versions(self, repository: ChartRepository, chart: str) -> list[ChartVersion]:
        key = _index_key(repository, chart)
        known = self._indexes.get(key)
        if known is not None and time.monotonic() < known.until:
            return known.versions
        return await self._index_flights.share(key, lambda: self._fetch_index(repository, chart, key))

    async def _fetch_index(self, repository: ChartRepository, chart: str, key: str) -> list[ChartVersion]:
        address = f"{repository.url}/index.yaml"
        answer = await get(
            self.client, address, access=repository.access, authorization=basic(repository.access), limit=MAX_INDEX
        )
        body = succeeded(answer, f"the index of {repository.url}").body
        loop = asyncio.get_running_loop()
        versions = await loop.run_in_executor(self.executor, versions_of, body, chart, repository.url)
        if len(self._indexes) >= MAX_KEPT_INDEXES:
            self._indexes.clear()
        self._indexes[key] = _Index(versions, time.monotonic() + INDEX_SECONDS)
        return versions

    async def _download(
        self, repository: ChartRepository, chart: str, version: str, *, pass_credentials: bool
    ) -> bytes:
        entry = _entry(await self._versions(repository, chart), version)
        if entry is None:  # published since the index was read, perhaps
            self._indexes.pop(_index_key(repository, chart), None)
            versions = await self._versions(repository, chart)
            entry = _entry(versions, version)
        if entry is None:
            message = f"{repository.url} has no version {version} of {chart}: {_known([v.version for v in versions])}"
            raise RenderFailure(Reason.VERSION_NOT_FOUND, message)
        if not entry.urls:
            raise RenderFailure(
                Reason.CHART_INVALID, f"the index of {repository.url} names no archive of {chart} {version}"
            )
        if entry.urls[0].startswith("oci://"):
            return await self._pull_listed(repository, entry, version)
        return await self._download_from(repository, entry, chart, pass_credentials=pass_credentials)

    async def _download_from(
        self, repository: ChartRepository, entry: ChartVersion, chart: str, *, pass_credentials: bool
    ) -> bytes:
        url = URL(f"{repository.url}/").join(URL(entry.urls[0]))
        trusted = pass_credentials or http_origin(str(url)) == http_origin(repository.url)
        access = repository.access if trusted else repository.access.without_credentials()
        answer = await get(self.client, url, access=access, authorization=basic(access), limit=self.limit)
        data = succeeded(answer, f"{chart} {entry.version}").body
        if entry.digest and hashlib.sha256(data).hexdigest() != entry.digest:
            message = (
                f"{shown(url)} is not what the index of {repository.url} says: its digest differs; publish it again"
            )
            raise RenderFailure(Reason.DIGEST_MISMATCH, message)
        return data

    async def _pull_listed(self, repository: ChartRepository, entry: ChartVersion, version: str) -> bytes:
        """An index may point into a registry; its credentials belong to the index's host only."""
        address, _, tag = entry.urls[0].rpartition(":")
        elsewhere = ChartRepository(address, oci=True, access=repository.access.without_credentials())
        return await self._pull(elsewhere, "", tag or version)

    def _registry(self, repository: ChartRepository, chart: str) -> Registry:
        address = f"{repository.url}/{chart}" if chart else repository.url
        return Registry(self.client, repository_of(address), repository.access)

    async def _pull(self, repository: ChartRepository, chart: str, version: str) -> bytes:
        registry = self._registry(repository, chart)
        try:
            manifest = await registry.manifest(version.replace("+", "_"))
        except errors.NotFound as error:
            message = f"{registry.repository} has no {version}: check the version and the repository's name"
            raise RenderFailure(Reason.VERSION_NOT_FOUND, message) from error
        layer = _content_layer(manifest, str(registry.repository))
        if layer.size > self.limit:
            message = f"{registry.repository}:{version} is {layer.size:,} bytes, allowed are {self.limit:,}"
            raise RenderFailure(Reason.FILE_TOO_LARGE, message)
        return await registry.blob(layer.digest, limit=self.limit)


def _content_layer(manifest: Manifest, what: str) -> Layer:
    wanted = [layer for layer in manifest.layers if layer.media_type in ARTIFACT_LAYERS]
    charts = [layer for layer in wanted if layer.media_type == CHART_LAYER] or wanted
    if len(charts) != 1:
        message = f"{what} is no chart or manifests artifact: it has {len(charts)} layers with content, wanted is one"
        raise RenderFailure(Reason.CHART_INVALID, message)
    return charts[0]


def _index_key(repository: ChartRepository, chart: str) -> str:
    return name_key(repository.url, chart, repository.identity)


def _entry(versions: Sequence[ChartVersion], version: str) -> ChartVersion | None:
    return next((each for each in versions if same_version(each.version, version)), None)


def same_version(listed: str, wanted: str) -> bool:
    return listed.removeprefix("v") == wanted.removeprefix("v")


def _known(versions: Sequence[str]) -> str:
    if not versions:
        return "it has no versions"
    shown_versions = ", ".join(versions[:5])
    return f"it has {shown_versions}{' and others' if len(versions) > 5 else ''}"
