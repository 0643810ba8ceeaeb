"""The streams, and making them: on every connect, and again when a server has lost its disk.

An existing stream keeps what an operator set (replicas, limits); only subjects are brought up to date.
"""

from dataclasses import dataclass
from typing import Any, Literal

import orjson

from shared.bus.errors import BusError, StreamMissing
from shared.bus.link import Link, NobodyListens

DAY = 24 * 3600
NANOSECOND = 1_000_000_000
DEDUPE_WINDOW = 120
STREAM_NOT_FOUND, NAME_IN_USE, CONSUMER_NOT_FOUND, WRONG_LAST_SEQUENCE = 10059, 10058, 10014, 10071


@dataclass(frozen=True)
class Stream:
    name: str
    subjects: tuple[str, ...]
    retention: Literal["limits", "workqueue"] = "limits"
    max_age: float = 30 * DAY
    per_subject: int = -1
    compression: Literal["none", "s2"] = "none"

    def config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "subjects": list(self.subjects),
            "retention": self.retention,
            "storage": "file",
            "discard": "old",
            "max_age": int(self.max_age * NANOSECOND),
            "max_msgs": -1,
            "max_bytes": -1,
            "max_consumers": -1,
            "max_msg_size": -1,
            "max_msgs_per_subject": self.per_subject,
            "num_replicas": 1,
            "duplicate_window": int(min(DEDUPE_WINDOW, self.max_age) * NANOSECOND),
            "compression": self.compression,
            "allow_direct": True,
        }


HOOKS = Stream("HOOKS", ("hooks.>",), retention="workqueue", max_age=7 * DAY)
DELIVERY = Stream("DELIVERY", ("delivery.>",))
DEAD = Stream("DEAD", ("dead.>",), max_age=90 * DAY)
STREAMS = (HOOKS, DELIVERY, DEAD)


def stream_of(subject: str) -> str:
    """Which of our streams keeps a subject."""
    first = subject.partition(".")[0]
    for stream in STREAMS:
        if stream.subjects[0].partition(".")[0] == first:
            return stream.name
    raise StreamMissing(f"no stream keeps {subject!r}; subjects begin with hooks., delivery. or dead.")


class ApiError(BusError):
    """JetStream's own answer to a request that it refused."""

    def __init__(self, code: int, error_code: int, description: str) -> None:
        super().__init__(f"JetStream: {description}")
        self.code = code
        self.error_code = error_code


async def api(link: Link, operation: str, body: dict[str, Any] | None = None, *, within: float = 10) -> dict[str, Any]:
    """One call of JetStream's API."""
    try:
        reply = await link.ask(f"$JS.API.{operation}", orjson.dumps(body) if body else b"", within=within, each=5)
    except (NobodyListens, TimeoutError) as error:
        raise StreamMissing(f"JetStream does not answer {operation}; was the server started with it (-js)?") from error
    answer: dict[str, Any] = orjson.loads(reply.data)
    if failed := answer.get("error"):
        raise ApiError(failed.get("code", 0), failed.get("err_code", 0), failed.get("description", "refused"))
    return answer


async def ensure(link: Link, stream: Stream) -> None:
    try:
        await api(link, f"STREAM.CREATE.{stream.name}", stream.config())
    except ApiError as error:
        if error.error_code != NAME_IN_USE:
            raise
        await _bring_up_to_date(link, stream)


async def _bring_up_to_date(link: Link, stream: Stream) -> None:
    config = (await api(link, f"STREAM.INFO.{stream.name}"))["config"]
    if set(stream.subjects) - set(config.get("subjects", [])):
        config["subjects"] = sorted({*stream.subjects, *config.get("subjects", [])})
        await api(link, f"STREAM.UPDATE.{stream.name}", config)


async def ensure_streams(link: Link) -> None:
    for stream in STREAMS:
        await ensure(link, stream)
