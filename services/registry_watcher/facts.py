"""What images are made of: fetched once for each digest, and kept with what is known of the repository.

In: a `Registry` and the `Known` of its repository. Out: `Facts`, and the newest image for some platforms. Nothing here
says what a tag means now.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from services.registry_watcher import measures
from services.registry_watcher.known import Facts, Known, Part
from shared.flights import Flights
from shared.oci.errors import Malformed
from shared.oci.manifest import IMAGE_TYPES, LABELS, Manifest, Platform, platform_of, read_config
from shared.oci.registry import Registry


class Made(NamedTuple):
    """The images that fit, and the newest of them."""

    parts: tuple[Part, ...]
    created: datetime | None = None
    labels: Mapping[str, str] = {}


class Examiner:
    """One for each repository; who asks for the same digest at the same time shares the requests."""

    def __init__(self, known: Known, flights: Flights[Facts]) -> None:
        self._known, self._flights = known, flights

    async def of(self, registry: Registry, digest: str) -> Facts:
        """The facts of a digest; raises an `OciFailure`."""
        if digest in self._known.facts:
            return self._known.facts[digest]
        return await self._flights.share(f"{registry.repository}@{digest}", lambda: self._fetch(registry, digest))

    async def of_tag(self, registry: Registry, tag: str) -> tuple[str, Facts]:
        """The digest and facts of a tag that nothing is known of, without asking for its digest first."""
        manifest = await registry.manifest(tag)
        facts = self._known.facts.get(manifest.digest) or await self._read(registry, manifest)
        return manifest.digest, facts

    async def made(self, registry: Registry, digest: str, facts: Facts, platforms: tuple[str, ...]) -> Made:
        """Which images of it fit, when the newest was created, and its labels."""
        parts = fitting(digest, facts, platforms)
        whole = [await self._dated(registry, part, facts) for part in parts]
        dated = [(created, number) for number, (created, _) in enumerate(whole) if created is not None]
        if not dated:
            return Made(tuple(parts), None, whole[0][1] if whole else {})
        newest, number = max(dated)
        shown = tuple(Part(part.digest, part.platform, made[0]) for part, made in zip(parts, whole, strict=True))
        return Made(shown, newest, whole[number][1])

    async def _dated(self, registry: Registry, part: Part, whole: Facts) -> tuple[datetime | None, Mapping[str, str]]:
        if not whole.index:
            return whole.created, whole.labels
        if part.created is not None:
            return part.created, {}
        own = await self.of(registry, part.digest)
        return own.created, own.labels

    async def _fetch(self, registry: Registry, digest: str) -> Facts:
        return await self._read(registry, await registry.manifest(digest))

    async def _read(self, registry: Registry, manifest: Manifest) -> Facts:
        measures.facts.inc()
        self._known.facts[manifest.digest] = facts = await _facts_of(registry, manifest)
        return facts


async def _facts_of(registry: Registry, manifest: Manifest) -> Facts:
    if manifest.is_index:
        parts = tuple(Part(child.digest, str(child.platform), child.created) for child in manifest.children)
        return Facts(manifest.media_type, index=True, parts=parts)
    if manifest.media_type not in IMAGE_TYPES:
        raise Malformed(f"{registry.repository}@{manifest.digest}: {manifest.media_type[:100]!r} is no image")
    config = read_config(await registry.config(manifest))
    given = manifest.document.get("annotations") or {}
    labels = {**config.labels, **{name: str(value) for name, value in given.items() if name.startswith(LABELS)}}
    return Facts(
        manifest.media_type,
        platform=str(config.platform),
        created=manifest.created or config.created,
        labels=labels,
    )


def fitting(digest: str, facts: Facts, platforms: tuple[str, ...]) -> list[Part]:
    """The images for one of the platforms; all of them when none is asked for. A name that is no platform fits none."""
    parts = facts.parts if facts.index else (Part(digest, facts.platform, facts.created),)
    if not platforms:
        return list(parts)
    wanted = [platform for text in platforms if (platform := platform_of(text)) is not None]
    return [part for part in parts if any(_platform(part).fits(each) for each in wanted)]


def _platform(part: Part) -> Platform:
    return platform_of(part.platform) or Platform()
