"""GitHub's container registry: events `package` and `registry_package`, signed as all of GitHub's."""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, moment, place_of
from services.gateway.webhooks.payload import Ignored, Payload, WrongShape, shaped
from shared.events import RegistryHook

EVENT = "x-github-event"
EVENTS = ("package", "registry_package")
ACTIONS = ("published", "updated")


class Tag(Payload):
    name: str | None = None
    digest: str | None = None


class Container(Payload):
    tag: Tag | None = None


class Version(Payload):
    version: str | None = None
    container: Container | None = Field(default=None, alias="container_metadata")
    package_url: str | None = None
    updated_at: str | None = None


class Owner(Payload):
    login: str = Field(min_length=1)


class Package(Payload):
    name: str = Field(min_length=1)
    namespace: str | None = None
    owner: Owner
    package_type: str | None = None
    ecosystem: str | None = None
    package_version: Version | None = None


class Kind(Payload):
    action: str


class Published(Payload):
    package: Package | None = None
    registry_package: Package | None = None


def recognise(received: Received) -> bool:
    return received.headers.get(EVENT, "") in EVENTS


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    if (event := received.headers.get(EVENT, "")) not in EVENTS:
        return Ignored(f"event {event!r}")
    if (action := shaped(Kind, received.document).action) not in ACTIONS:
        return Ignored(f"action {action!r}")
    published = shaped(Published, received.document)
    package = published.package or published.registry_package
    if package is None:
        raise WrongShape("package: Field required")
    if (kind := (package.package_type or package.ecosystem or "").lower()) != "container":
        return Ignored(f"a package of type {kind!r}")
    return _hooks(package, delivery_of(received.headers.get("x-github-delivery"), received.body))


def _hooks(package: Package, given: str) -> tuple[RegistryHook, ...] | Ignored:
    version = package.package_version
    tag = version.container.tag if version and version.container else None
    if version is None or tag is None or not tag.name:
        return Ignored("a version without a tag")
    place = place_of((version.package_url or "").rpartition(":")[0])
    if not place.host:
        place = Place("ghcr.io", f"{package.namespace or package.owner.login}/{package.name}")
    place = Place(place.host, place.repository.lower())
    return (
        hook("ghcr.io", place, delivery=given, tag=tag.name, digest=tag.digest, pushed_at=moment(version.updated_at)),
    )
