"""What every event and request has in common: frozen models, subjects, stable ids.

An event is a fact that has happened; it says under which subject it goes, in which version, and by which id a second
copy of it is recognised. That id comes from the fact (a provider's delivery, a commit, a moment), never from chance.
A subject is dot-separated tokens; names that people choose are escaped so that a dot, a space or a wildcard in them
stays inside its token.
"""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Self
from urllib.parse import quote, unquote

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from shared.clock import now, rfc3339_ms

EMPTY_TOKEN = "%"  # noqa: S105 - a subject token, not a credential


def _to_ms(moment: datetime) -> datetime:
    """What the wire holds, so that an event read back equals the one that was sent."""
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


Moment = Annotated[AwareDatetime, AfterValidator(_to_ms), PlainSerializer(rfc3339_ms, return_type=str)]


def token(name: str) -> str:
    """One subject token that holds any name: dots, blanks, wildcards and what is not ASCII are percent-escaped."""
    return quote(name, safe="!$&'()+,/:;=@[]").replace(".", "%2E") or EMPTY_TOKEN


def untoken(text: str) -> str:
    return "" if text == EMPTY_TOKEN else unquote(text)


def digest_of(*parts: str) -> str:
    """A short stable id of several texts; the separator can't occur in any of them."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Message(BaseModel):
    """Anything that crosses the bus. A newer sender may say more than we know: that is ignored, not refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_bytes(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        return cls.model_validate_json(data)


class Event(Message):
    """A fact on a stream. `filter` is the subject pattern that finds every event of the class."""

    version: ClassVar[int] = 1
    filter: ClassVar[str]
    kind: ClassVar[str]  # the middle of the CloudEvents type: tiphys.<kind>.v<version>

    delivery: str = Field(description="The delivery this belongs to: one id from commit to rollout")
    at: Moment = Field(
        default_factory=now, validate_default=True, description="When it happened, UTC with milliseconds"
    )

    def subject(self) -> str:
        return self.filter

    def dedupe_id(self) -> str:
        """By default the same content at the same moment is the same fact."""
        return digest_of(self.kind, self.delivery, rfc3339_ms(self.at))

    @classmethod
    def type_name(cls) -> str:
        return f"tiphys.{cls.kind}.v{cls.version}"
