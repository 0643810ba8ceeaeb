"""Names of what is worked on: an Application, an image of one, a rule's owner."""

from typing import NamedTuple


class AppKey(NamedTuple):
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ImageKey(NamedTuple):
    """One image of one Application."""

    app: AppKey
    alias: str

    def __str__(self) -> str:
        return f"{self.app} {self.alias}"


class Version(NamedTuple):
    """What an image is set to; either part may be empty, not both."""

    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return self.tag + (f"@{self.digest}" if self.digest else "") if self.tag else self.digest

    @property
    def suffix(self) -> str:
        """What stands behind the name: `:1.2`, `:1.2@sha256:...` or `@sha256:...`."""
        return f":{self}" if self.tag else f"@{self.digest}"


NO_VERSION = Version()
