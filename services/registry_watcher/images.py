"""All repositories that somebody is interested in, by name."""

import time
from datetime import timedelta

from services.registry_watcher import measures
from services.registry_watcher.image import Image, Means
from services.registry_watcher.interest import Interest, Want, Way
from services.registry_watcher.settings import RegistryWatcherSettings
from shared.clock import now
from shared.oci.reference import Repository, repository_of


class Images:
    """One instance a process."""

    def __init__(self, settings: RegistryWatcherSettings, means: Means) -> None:
        self.settings = settings
        self.doors = means.doors
        self.interest = Interest(settings.asked_seconds)
        self._means = means
        self._all: dict[Repository, Image] = {}

    def asked(self, name: str, way: Way) -> Image:
        """The repository that somebody asks about, from now on watched for a while; raises `UnsupportedAddress`."""
        repository = self.doors.registries.repository(name)
        self.interest.asked(repository, way, time.monotonic())
        return self.of(repository)

    def named(self, name: str) -> Image:
        """By its full name."""
        return self.of(repository_of(name))

    def of(self, repository: Repository) -> Image:
        if repository not in self._all:
            self._all[repository] = Image(repository, self._means, lambda: self.wants(repository))
            measures.images.set(len(self._all))
        return self._all[repository]

    def wants(self, repository: Repository) -> tuple[Want, ...]:
        return self.interest.wants(repository, time.monotonic())

    def meant_by(self, host: str, path: str) -> list[Image]:
        """The repositories in use that a webhook may mean, whatever it calls the host."""
        return [self.of(repository) for repository in self.interest.meant_by(host, path)]

    def interval(self, image: Image) -> float:
        """How often it is polled: rarely while its webhooks arrive."""
        told = image.known.told_at
        lately = told is not None and now() - told < timedelta(seconds=self.settings.told_within_seconds)
        return self.settings.told_poll_seconds if lately else self.settings.poll_seconds

    async def forget(self, image: Image) -> None:
        self._all.pop(image.repository, None)
        measures.images.set(len(self._all))
        await image.erase()

    def release(self) -> None:
        """Credentials or settings have changed: whoever failed may try again at once."""
        self.doors.forget()
        for image in self._all.values():
            image.holds.release()
