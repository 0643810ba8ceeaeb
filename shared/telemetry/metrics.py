"""Prometheus metrics: one registry for the process, made by these helpers so that every name starts with `tiphys_`.

Labels have few values (a subject's kind, an outcome), never a name that users choose without bound. The exception are
metrics by the names and labels of a product that people's dashboards ask for: whoever has them writes their text
(`exposed`), so that what has not changed since the last scrape costs nothing.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


def counter(name: str, meaning: str, labels: Sequence[str] = ()) -> Counter:
    return Counter(f"tiphys_{name}", meaning, labels)


def gauge(name: str, meaning: str, labels: Sequence[str] = ()) -> Gauge:
    return Gauge(f"tiphys_{name}", meaning, labels)


def seconds(name: str, meaning: str, labels: Sequence[str] = (), buckets: Sequence[float] = SECONDS) -> Histogram:
    return Histogram(f"tiphys_{name}_seconds", meaning, labels, buckets=buckets)


Text = Callable[[], Iterable[str]]
_texts: list[Text] = []


def exposition() -> bytes:
    """What `/metrics` answers."""
    return generate_latest(REGISTRY) + "".join(part for text in _texts for part in text()).encode()


async def exposed(text: Text) -> None:
    """Have this text in every answer, until cancelled."""
    _texts.append(text)
    try:
        await asyncio.Event().wait()
    finally:
        _texts.remove(text)


class Family(NamedTuple):
    """Samples of one name. `type`: gauge, counter or histogram."""

    name: str
    type: str
    meaning: str

    @property
    def header(self) -> str:
        return f"# HELP {self.name} {self.meaning}\n# TYPE {self.name} {self.type}\n"


_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def sample(name: str, labels: Mapping[str, str], value: float) -> str:
    """One line."""
    pairs = ",".join(f'{label}="{text.translate(_ESCAPED)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {value}\n"
