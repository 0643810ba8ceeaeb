"""Amazon's registry, as EventBridge tells of it."""

from pydantic import Field

from services.gateway.registries.pushed import Place, Received, delivery_of, hook, moment
from services.gateway.webhooks.payload import Ignored, Payload, shaped
from shared.events import RegistryHook


class Detail(Payload):
    result: str | None = None
    repository: str = Field(alias="repository-name", min_length=1)
    digest: str | None = Field(default=None, alias="image-digest")
    action: str | None = Field(default=None, alias="action-type")
    tag: str | None = Field(default=None, alias="image-tag")


class Kind(Payload):
    detail_type: str = Field(alias="detail-type")


class Event(Payload):
    id: str | None = None
    time: str | None = None
    account: str = Field(pattern=r"^[0-9]{1,20}$")
    region: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    detail: Detail


def recognise(received: Received) -> bool:
    document = received.document
    return isinstance(document, dict) and document.get("source") == "aws.ecr"


def parse(received: Received) -> tuple[RegistryHook, ...] | Ignored:
    if (kind := shaped(Kind, received.document).detail_type) != "ECR Image Action":
        return Ignored(f"detail-type {kind!r}")
    event = shaped(Event, received.document)
    detail = event.detail
    if detail.action != "PUSH" or detail.result != "SUCCESS" or not detail.tag:
        return Ignored("no tag was pushed")
    return (
        hook(
            "ecr",
            Place(host_in(event.account, event.region), detail.repository),
            delivery=delivery_of(event.id, received.body),
            tag=detail.tag,
            digest=detail.digest,
            pushed_at=moment(event.time),
        ),
    )


def host_in(account: str, region: str) -> str:
    suffix = ".cn" if region.startswith("cn-") else ""
    return f"{account}.dkr.ecr.{region}.amazonaws.com{suffix}"
