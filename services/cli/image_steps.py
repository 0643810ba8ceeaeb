"""The steps of an image's way: pushed, confirmed, written. Pure."""

from services.cli.timeline import Step
from shared.events import ImagePushed, ImageUpdated


def of(event: ImagePushed | ImageUpdated) -> list[Step]:
    return _pushed(event) if isinstance(event, ImagePushed) else [_updated(event)]


def _pushed(event: ImagePushed) -> list[Step]:
    name = f"{event.image}:{event.tag}"
    received, at = round(event.received_at.timestamp() * 1000), round(event.at.timestamp() * 1000)
    return [
        Step(received, "registry", f"{event.source} received", name),
        Step(at, "registry", "image pushed", f"{name} is {event.digest[:19]}"),
    ]


def _updated(event: ImageUpdated) -> Step:
    old, new = (part or "nothing" for part in (event.old_tag or event.old_digest, event.new_tag or event.new_digest))
    where = {"git": f"{event.branch} {event.commit[:8]}", "pull-request": event.pull_request}.get(event.method, "")
    count = len(event.applications)
    who = event.applications[0].rpartition("/")[2] if count == 1 else f"{count} Applications"
    at = round(event.at.timestamp() * 1000)
    return Step(at, "images", "image written", f"{event.alias}: {old} -> {new} for {who} in {where or 'the object'}")
