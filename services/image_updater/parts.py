"""What the steps share: connections, what is known of Applications and ImageUpdaters, and what became of each image."""

import asyncio
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.image_updater.answers import Asked
from services.image_updater.asking import Registry
from services.image_updater.book import Book
from services.image_updater.keys import NO_VERSION, AppKey, ImageKey, Version
from services.image_updater.messages import CommitStyle
from services.image_updater.ruling import Rule
from services.image_updater.settings import ImageUpdaterSettings
from services.image_updater.view import AppView
from services.image_updater.writer import Writer
from shared.bus import Bus
from shared.engines.client import Engines
from shared.git.credentials import KnownCredentials
from shared.kinds.appproject import AppProject
from shared.kinds.imageupdater import ImageUpdater
from shared.kube import Cluster, Recorder, Resource, WorkQueue

UP_TO_DATE, OUTDATED, WRITTEN = "up-to-date", "outdated", "written"
HELD, SKIPPED, FAILED = "held", "skipped", "failed"
RECENT = 10
TOGETHER_SECONDS = 0.5


@dataclass(slots=True)
class ImageState:
    """What the last look at an image found. `what` is one of the words above."""

    what: str
    live: Version = NO_VERSION
    chosen: Version = NO_VERSION
    reason: str = ""
    message: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Recent:
    """An update, as ImageUpdater.status.recentUpdates has it."""

    alias: str
    image: str
    version: str
    applications: int
    at: str
    message: str


class Owner(NamedTuple):
    """In whose name images are watched: an ImageUpdater, or an Application with annotations."""

    kind: str
    key: AppKey

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"


@dataclass(slots=True)
class Parts:
    """One image updater; made in app.py."""

    settings: ImageUpdaterSettings
    namespace: str
    bus: Bus
    cluster: Cluster
    applications: Resource
    image_updaters: Resource
    engines: Engines
    registry: Registry
    asked: Asked
    book: Book
    recorder: Recorder
    credentials: KnownCredentials
    queue: WorkQueue[AppKey]
    reports: WorkQueue[AppKey]
    style: CommitStyle
    _writer: Writer | None = None
    views: dict[AppKey, AppView] = field(default_factory=dict)
    updaters: dict[AppKey, ImageUpdater] = field(default_factory=dict)
    unreadable: set[AppKey] = field(default_factory=set)
    projects: dict[str, AppProject] = field(default_factory=dict)
    rules: dict[AppKey, Rule] = field(default_factory=dict)
    index: defaultdict[str, set[AppKey]] = field(default_factory=lambda: defaultdict(set))
    owned: defaultdict[AppKey, set[AppKey]] = field(default_factory=lambda: defaultdict(set))
    states: defaultdict[AppKey, dict[str, ImageState]] = field(default_factory=lambda: defaultdict(dict))
    recent: defaultdict[AppKey, deque[Recent]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=RECENT))
    )
    noted: dict[AppKey, str] = field(default_factory=dict)
    unwatched: set[Owner] = field(default_factory=set)
    to_watch: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def writer(self) -> Writer:
        assert self._writer is not None
        return self._writer

    def use(self, writer: Writer) -> None:
        """The writer reports to these parts, so it is made after them."""
        self._writer = writer

    def state(self, image: ImageKey) -> ImageState | None:
        return self.states[image.app].get(image.alias)

    def keep(self, image: ImageKey, state: ImageState) -> None:
        """What the last look found; nothing for an image that nobody wants any more."""
        rule = self.rules.get(image.app)
        if rule is not None and any(one.alias == image.alias for one in rule.images):
            self.states[image.app][image.alias] = state

    def watch(self, key: AppKey, rule: Rule) -> None:
        """Its images are of interest, or are not any more: registry_watcher is told soon."""
        self.unwatched.add(Owner("application", key) if rule.updater is None else Owner("imageupdater", rule.updater))
        self.to_watch.set()

    def tell_owner(self, key: AppKey) -> None:
        """The ImageUpdater's status is written soon, once for what happens together."""
        self.reports.add_after(key, TOGETHER_SECONDS)

    def updaters_in(self, namespace: str) -> list[ImageUpdater]:
        return [one for key, one in self.updaters.items() if key.namespace == namespace]
