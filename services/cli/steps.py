"""From events to the steps of a change. Pure: events of the DELIVERY stream in, in any order; the steps of one
change out.

An event belongs to a change when it carries the commit's delivery id or names the commit as a revision. A commit that
continues the delivery of an image begins with the push of that image.
"""

from collections.abc import Iterable, Sequence

from services.cli import image_steps
from services.cli.timeline import Step
from shared.events import AppEvent, Event, GitRevision, ImagePushed, ImageUpdated, RolloutEvent

COMMIT_LETTERS = frozenset("0123456789abcdef")


def looks_like_commit(word: str) -> bool:
    return 7 <= len(word) <= 40 and set(word) <= COMMIT_LETTERS


def commit_of(events: Sequence[Event], word: str) -> str | None:
    """The commit that a person means: the newest that begins so, else the newest of that Application."""
    newest: str | None = None
    for event in events:
        for revision in revisions(event):
            if looks_like_commit(word) and revision.startswith(word):
                newest = revision
        if isinstance(event, AppEvent) and named(event, word) and event.revisions:
            newest = event.revisions[0]
    return newest


def revisions(event: Event) -> tuple[str, ...]:
    if isinstance(event, GitRevision):
        return (event.new,) if event.new else ()
    if isinstance(event, ImageUpdated):
        return (event.commit,) if event.commit else ()
    return event.revisions if isinstance(event, AppEvent) else ()


def named(event: AppEvent, word: str) -> bool:
    return word in {event.name, f"{event.namespace}/{event.name}"}


def of_change(events: Iterable[Event], commit: str, application: str = "") -> list[Event]:
    """The events of one commit; of one Application only when it is given."""
    every = list(events)
    images = {event.delivery for event in every if commit in revisions(event) and event.delivery.startswith("image:")}
    return [
        event
        for event in every
        if (event.delivery.endswith(f":{commit}") or commit in revisions(event) or _begins(event, images))
        and not (application and isinstance(event, AppEvent) and not named(event, application))
    ]


def _begins(event: Event, images: set[str]) -> bool:
    return isinstance(event, ImagePushed) and event.delivery in images


def steps(events: Iterable[Event]) -> list[Step]:
    return [step for event in events for step in _steps(event)]


def _steps(event: Event) -> list[Step]:
    if isinstance(event, GitRevision):
        return _git_steps(event)
    if isinstance(event, ImagePushed | ImageUpdated):
        return image_steps.of(event)
    if isinstance(event, RolloutEvent):
        return [Step(_ms(event.at.timestamp()), event.name, f"rollout {event.what}", event.message)]
    return [_app_step(event)] if isinstance(event, AppEvent) else []


def _ms(event_time: float) -> int:
    return round(event_time * 1000)


def _git_steps(event: GitRevision) -> list[Step]:
    where = f"{event.repo} {event.ref.removeprefix('refs/heads/')}"
    count = "paths unknown" if event.changed is None else f"{len(event.changed)} path(s) changed"
    return [
        Step(_ms(event.received_at.timestamp()), "git", f"{event.source} received", where),
        Step(
            _ms(event.at.timestamp()),
            "git",
            "revision fetched",
            f"{(event.new or '')[:8]} {count}: {event.subject_line}",
        ),
    ]


def _app_step(event: AppEvent) -> Step:
    about = f"{event.resource.kind} {event.resource.name}" if event.resource else ""
    said = " ".join(part for part in (about, event.phase, event.status, event.message) if part)
    took = f" ({event.duration_ms} ms)" if event.duration_ms is not None else ""
    return Step(_ms(event.at.timestamp()), event.name, event.what, said + took, event.duration_ms)
