"""Commit messages: a Go template over what changed, made safe, with the delivery ids as trailers. Pure but `rendered`.

Texts of others (labels, tags) go through the template: control characters, over-long lines and lines that would read as
trailers are taken out afterwards, so that nobody can add a co-author or a `[skip ci]` of their own to the trailers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.image_updater.changing import Change
from services.image_updater.keys import AppKey
from shared.engines import gotemplate
from shared.engines.client import Engines
from shared.events.git import DELIVERY_TRAILER
from shared.git.commits import Author, Sign

DEFAULT = """build: automatic update of {{ .AppName }}

{{ range .AppChanges -}}
updates image {{ .Image }} tag '{{ .OldTag }}' to '{{ .NewTag }}'
{{ end -}}
"""
LONGEST_MESSAGE, LONGEST_LINE, MOST_TRAILERS = 16_000, 500, 50
_TRAILER = re.compile(r"^(?:[A-Za-z][A-Za-z0-9-]*-by|Tiphys-[A-Za-z-]+)\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CommitStyle:
    """How commits look; `template` empty: the default."""

    author: Author
    template: str = ""
    sign_off: bool = False
    sign: Sign | None = None


def by_application(changes: Sequence[Change]) -> dict[AppKey, list[Change]]:
    found: dict[AppKey, list[Change]] = {}
    for change in sorted(changes, key=lambda one: one.key):
        found.setdefault(change.key.app, []).append(change)
    return found


def data_of(app: AppKey, changes: Sequence[Change]) -> dict[str, Any]:
    return {
        "AppName": app.name,
        "AppNamespace": app.namespace,
        "AppChanges": [
            {
                "Image": change.image.written,
                "Alias": change.image.alias,
                "OldTag": str(change.old),
                "NewTag": str(change.new),
                "Labels": dict(change.labels),
            }
            for change in changes
        ],
    }


async def message_of(engines: Engines, style: CommitStyle, changes: Sequence[Change]) -> str:
    """One message for all. Raises EngineError where the template is wrong."""
    template, texts = style.template or DEFAULT, list[str]()
    for app, some in by_application(changes).items():
        rendered = await gotemplate.render(engines, {"message": template}, data_of(app, some))
        texts.append(cleaned(rendered["message"]))
    return joined(texts, trailers(style, changes))


def joined(texts: Sequence[str], lines: Sequence[str]) -> str:
    subject, body = texts[0].partition("\n")[0], texts[0]
    if len(texts) > 1:
        subject = f"build: automatic update of {len(texts)} applications"
        body = "\n\n".join([subject, *texts])
    body = body[:LONGEST_MESSAGE].rstrip() or subject or "build: automatic update of images"
    return f"{body}\n\n" + "\n".join(lines) + "\n"


def cleaned(text: str) -> str:
    lines = ("".join(char for char in line if char.isprintable() or char == "\t") for line in text.splitlines())
    return "\n".join(line[:LONGEST_LINE].rstrip() for line in lines if not _TRAILER.match(line)).strip()


def trailers(style: CommitStyle, changes: Sequence[Change]) -> list[str]:
    deliveries = sorted({change.delivery for change in changes if change.delivery})[:MOST_TRAILERS]
    sign_off = [f"Signed-off-by: {style.author.name} <{style.author.email}>"] if style.sign_off else []
    return [*sign_off, *(f"{DELIVERY_TRAILER}: {delivery}" for delivery in deliveries)]


def labels_of(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name[:100], cleaned(value)[:200]) for name, value in labels.items()))[:30]
