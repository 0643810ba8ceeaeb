"""What was rendered before, found again by contents: the same question over the same files has the same answer.

A question (sources, names, settings) leads to its latest results; each result lists its inputs, and a result counts
when all its inputs have the digests that they had then, whatever the commit. Inputs that are no paths start with "@".
Kept in memory (bounded in bytes) and in a key-value bucket, so that a restarted or another replica is warm.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

from shared.bus import Kv

REVISION = "@revision"
CLUSTER = "@cluster"
FORMAT = 1
KEPT_RESULTS = 6
MAX_RECORD = 256 * 1024


class Input(NamedTuple):
    """Something that a render depended on: a path (folders end in "/") or a fact, of the source at `position`."""

    position: int
    name: str


class Result(NamedTuple):
    """One earlier answer: its inputs, the digest of their contents, and the reply as it was sent."""

    inputs: tuple[Input, ...]
    contents: str
    reply: bytes


Digest = Callable[[Input], str]


def question_key(question: Any) -> str:
    return hashlib.sha256(orjson.dumps([FORMAT, question], option=orjson.OPT_SORT_KEYS)).hexdigest()


def contents_of(inputs: Iterable[Input], digest: Digest) -> str:
    """One digest of what all inputs hold now."""
    lines = (f"{each.position}\0{each.name}\0{digest(each)}" for each in inputs)
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def matching(results: Iterable[Result], digest: Digest) -> Result | None:
    """The first result whose inputs hold what they held then."""
    seen: dict[tuple[Input, ...], str] = {}
    for result in results:
        if result.inputs not in seen:
            seen[result.inputs] = contents_of(result.inputs, digest)
        if seen[result.inputs] == result.contents:
            return result
    return None


class Known:
    """`capacity`: bytes kept in memory."""

    def __init__(self, bucket: Kv, capacity: int) -> None:
        self.bucket = bucket
        self.capacity = capacity
        self._held = 0
        self._records: OrderedDict[str, bytes] = OrderedDict()

    async def results(self, question: str) -> list[Result]:
        """Earlier results, newest first."""
        record = self._records.get(question)
        if record is None:
            entry = await self.bucket.get(question)
            if entry is None:
                return []
            record = entry.value
            self._remember(question, record)
        else:
            self._records.move_to_end(question)
        return decode(record)

    async def add(self, question: str, result: Result) -> None:
        """Keep a result as the newest one of its question."""
        others = [each for each in await self.results(question) if each.contents != result.contents]
        record = encode([result, *others][:KEPT_RESULTS])
        if len(record) > MAX_RECORD:
            record = encode([result])
        self._remember(question, record)
        if len(record) <= MAX_RECORD:
            await self.bucket.put(question, record)

    def _remember(self, question: str, record: bytes) -> None:
        self._held += len(record) - len(self._records.get(question, b""))
        self._records[question] = record
        self._records.move_to_end(question)
        while self._held > self.capacity and len(self._records) > 1:
            _, dropped = self._records.popitem(last=False)
            self._held -= len(dropped)


def encode(results: Iterable[Result]) -> bytes:
    return orjson.dumps([[list(map(list, each.inputs)), each.contents, each.reply.decode()] for each in results])


def decode(record: bytes) -> list[Result]:
    """A record of another format has no results."""
    try:
        return [
            Result(tuple(Input(position, name) for position, name in inputs), contents, reply.encode())
            for inputs, contents, reply in orjson.loads(record)
        ]
    except (ValueError, TypeError, AttributeError):
        return []
