"""`registries.conf` of Argo CD Image Updater: which registries there are, how they are reached, how often. Pure.

In: its YAML. Out: `Registries`, which knows the settings for a host; or `BadRegistries`, which says what is wrong.
A prefix means the whole host: `gcr.io` is not `gcr.io.example.com`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator
from yarl import URL

from shared.kinds.durations import seconds
from shared.oci.reference import DOCKER_HUB, Repository, image_of, names_a_host, repository_of
from shared.yamlio.load import YamlError, load_all

DOCKER_HUB_LIMIT = 10.0
OTHERS_LIMIT = 20.0
LARGEST = 1024 * 1024


class BadRegistries(ValueError):
    """The file can't be used; the last good one stays in force."""


def _duration(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError("write it as 10h or 30m")  # noqa: TRY004 - pydantic wants a ValueError
    return seconds(value)


class RegistrySettings(BaseModel):
    """One entry. `ping` and `tagsortmode` are read, and change nothing here."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = ""
    prefix: str = ""
    api_url: str = ""
    ping: bool = True
    credentials: str = ""
    credsexpire: Annotated[float, BeforeValidator(_duration)] = 0.0
    tagsortmode: Literal["", "latest-first", "latest-last", "latest_first", "latest_last", "none"] = ""
    insecure: bool = False
    ca_file: str = ""
    ca_data: str = ""
    defaultns: str = ""
    limit: float | int | None = Field(default=None, gt=0)
    default: bool = False

    @field_validator("api_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            url = URL(value)
        except ValueError as error:
            raise ValueError("is no URL") from error
        if value and (url.scheme not in ("http", "https") or not url.host or url.user or url.password):
            raise ValueError("write it as https://host, without credentials")
        return value

    @property
    def host(self) -> str:
        """What the prefix means; Docker Hub's many names are one."""
        prefix = self.prefix.strip("/").lower()
        return "docker.io" if prefix in DOCKER_HUB else prefix

    @property
    def rate(self) -> float:
        """Requests a second; there is always a limit."""
        return float(self.limit) if self.limit else DOCKER_HUB_LIMIT if self.host == "docker.io" else OTHERS_LIMIT

    def covers(self, repository: Repository) -> bool:
        whole = f"{repository.host}/{repository.name}"
        return repository.host == self.host or whole.startswith((f"{self.host}/", f"{self.host}:"))


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    registries: list[RegistrySettings] = []


class Registries:
    """All entries; a host that has none gets the defaults."""

    def __init__(self, entries: tuple[RegistrySettings, ...] = ()) -> None:
        self._entries = tuple(sorted(entries, key=lambda entry: -len(entry.host)))

    def repository(self, name: str) -> Repository:
        """What people mean by an image's name here: the default registry and its default namespace count."""
        found = image_of(name).repository
        default = next((entry for entry in self._entries if entry.default), None)
        if default is not None and default.host != "docker.io" and not names_a_host(name):
            found = repository_of(f"{default.host}/{found.name.removeprefix('library/')}")
        space = self.of(found).defaultns.strip("/")
        return repository_of(f"{found.host}/{space}/{found.name}") if space and "/" not in found.name else found

    def of(self, repository: Repository) -> RegistrySettings:
        """The entry whose prefix covers most of the name."""
        for entry in self._entries:
            if entry.covers(repository):
                return entry
        return RegistrySettings(prefix=repository.host)

    def __len__(self) -> int:
        return len(self._entries)


def read_registries(text: str) -> Registries:
    """Raises `BadRegistries`."""
    try:
        documents = load_all(text.encode(), "registries.conf", largest=LARGEST)
        given = documents[0] if documents else None
        file = _File.model_validate(given if isinstance(given, Mapping) else {} if given is None else given)
    except YamlError as error:
        raise BadRegistries(str(error)) from error
    except ValidationError as error:
        raise BadRegistries(_explained(error)) from None
    _check(file.registries)
    return Registries(tuple(file.registries))


def _check(entries: list[RegistrySettings]) -> None:
    hosts = [entry.host for entry in entries]
    for number, entry in enumerate(entries):
        if not entry.host:
            raise BadRegistries(f"registries.conf: registries.{number} ({entry.name or 'no name'}) has no prefix")
        if hosts.count(entry.host) > 1:
            raise BadRegistries(f"registries.conf: the prefix {entry.host!r} is there more than once")
    if sum(entry.default for entry in entries) > 1:
        raise BadRegistries("registries.conf: more than one registry is the default")


def _explained(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)[:5]
    return "; ".join(f"registries.conf: {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems)
