"""What we wrote last for each image, and which images are held: two buckets on the bus, with a copy in memory.

In: versions that were written, holds that people or decisions make. Out: answers without a request. The buckets are
read once; this process is their only writer but for what another replica writes, which it sees when it starts.
"""

from collections import defaultdict
from typing import TypeVar

import msgspec

from services.image_updater.keys import AppKey, ImageKey, Version
from services.image_updater.policy import Policy
from shared.bus import Bus, Kv, key
from shared.clock import now, rfc3339

IMAGES, HOLDS = "images", "holds"
PREFIX = "image"  # other parts keep holds of their own in that bucket


class Memory(msgspec.Struct, frozen=True):
    """`tag` and `digest`: what we wrote last. `seen`: it has run since, so an older one is somebody's wish."""

    namespace: str
    app: str
    alias: str
    tag: str = ""
    digest: str = ""
    rule: str = ""
    seen: bool = False
    at: str = ""

    @property
    def version(self) -> Version:
        return Version(self.tag, self.digest)


class Hold(msgspec.Struct, frozen=True):
    """Automation rests for one image. `at`: the version it is held at; `rule`: a new one ends the hold."""

    namespace: str
    app: str
    alias: str
    at: str = ""
    instead: str = ""
    rule: str = ""
    why: str = ""
    by: str = ""
    since: str = ""


class Book:
    """`await book.open(bus)` first."""

    def __init__(self) -> None:
        self.memories: dict[ImageKey, Memory] = {}
        self.holds: dict[ImageKey, Hold] = {}
        self._aliases: defaultdict[AppKey, set[str]] = defaultdict(set)
        self._images: Kv | None = None
        self._holds: Kv | None = None

    async def open(self, bus: Bus) -> None:
        self._images, self._holds = await bus.kv(IMAGES), await bus.kv(HOLDS)
        self.memories = {_key(one): one for one in await _read(self._images, Memory)}
        self.holds = {_key(one): one for one in await _read(self._holds, Hold)}
        for image in (*self.memories, *self.holds):
            self._aliases[image.app].add(image.alias)

    def applications(self) -> set[AppKey]:
        """All of which anything is known."""
        return set(self._aliases)

    def images_of(self, app: AppKey) -> list[ImageKey]:
        return [ImageKey(app, alias) for alias in sorted(self._aliases.get(app, ()))]

    def holds_of(self, app: AppKey) -> list[Hold]:
        return [self.holds[image] for image in self.images_of(app) if image in self.holds]

    def memory(self, image: ImageKey) -> Memory:
        return self.memories.get(image) or Memory(*image.app, image.alias)

    async def remember(self, memory: Memory) -> None:
        if self.memories.get(_key(memory)) != memory:
            self.memories[_key(memory)] = memory
            self._aliases[_key(memory).app].add(memory.alias)
            await _put(self._images, _key(memory), memory)

    async def wrote(self, image: ImageKey, version: Version, rule: str) -> None:
        await self.remember(Memory(*image.app, image.alias, *version, rule=rule, at=rfc3339(now())))

    async def hold(self, hold: Hold) -> None:
        self.holds[_key(hold)] = hold
        self._aliases[_key(hold).app].add(hold.alias)
        await _put(self._holds, _key(hold), hold)

    async def release(self, image: ImageKey) -> bool:
        """Also forgets what was written: the next pass is free to write it again."""
        known = image in self.holds
        if known:
            await self.forget(image)
        return known

    async def forget(self, image: ImageKey) -> None:
        """Nothing is known of it any more."""
        for bucket, known in ((self._holds, image in self.holds), (self._images, image in self.memories)):
            assert bucket is not None
            if known:
                await bucket.delete(_name(image))
        self.holds.pop(image, None)
        self.memories.pop(image, None)
        self._aliases[image.app].discard(image.alias)
        if not self._aliases[image.app]:
            del self._aliases[image.app]


R = TypeVar("R", Memory, Hold)


def rule_of(policy: Policy) -> str:
    """What of a policy, when it is written anew, is a new wish of its owner."""
    return f"{policy.strategy}:{policy.constraint}:{policy.allow}:{','.join(policy.ignore)}:{policy.pattern}"


def _key(record: Memory | Hold) -> ImageKey:
    return ImageKey(AppKey(record.namespace, record.app), record.alias)


def _name(image: ImageKey) -> str:
    return key(PREFIX, image.app.namespace, image.app.name, image.alias)


async def _read(bucket: Kv, kind: type[R]) -> list[R]:
    return [msgspec.json.decode(entry.value, type=kind) async for entry in bucket.entries() if _ours(entry.key)]


def _ours(name: str) -> bool:
    return name.startswith(f"{PREFIX}.")


async def _put(bucket: Kv | None, image: ImageKey, record: Memory | Hold) -> None:
    assert bucket is not None
    await bucket.put(_name(image), msgspec.json.encode(record))
