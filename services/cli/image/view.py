"""Images as tables and sentences. Pure."""

from collections.abc import Sequence

from shared.events.updater import Explanation, ImageStatus

HEADER = ("APPLICATION", "IMAGE", "STRATEGY", "CONSTRAINT", "LIVE", "CHOSEN", "STATE", "WHY")
FIRST = 100
LONGEST = 80


def rows(images: Sequence[ImageStatus]) -> list[list[str]]:
    return [
        [
            one.application,
            one.alias,
            one.strategy,
            one.constraint or "-",
            short(one.live) or "-",
            short(one.chosen) or "-",
            one.state or "unknown",
            _why(one),
        ]
        for one in images
    ]


def _why(one: ImageStatus) -> str:
    text = f"{one.reason}: {one.message}" if one.reason else one.message
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def short(version: str) -> str:
    """Digests are shown by their beginning."""
    tag, at, digest = version.rpartition("sha256:")
    return f"{tag}sha256:{digest[:12]}" if at else version


def verdicts(found: Explanation, *, everything: bool) -> list[list[str]]:
    tags = found.tags if everything else found.tags[:FIRST]
    return [[one.tag, "winner" if one.rank == 1 else str(one.rank or "dropped"), one.why] for one in tags]


def summary(found: Explanation) -> str:
    what = f"{found.image} by {found.strategy}{f' {found.constraint!r}' if found.constraint else ''}"
    return f"{what}: {found.winner or 'nothing'}, {found.why}"


def left_out(found: Explanation, *, everything: bool) -> int:
    return found.left_out + (0 if everything else max(0, len(found.tags) - FIRST))
