"""`tiphys trace` and `tiphys events tail`: the DELIVERY stream, read and printed. What belongs together decides
steps.py.
"""

import re
import shutil
from datetime import datetime, timedelta

from services.cli import steps, timeline
from services.cli.errors import CliError, Exit
from services.cli.options import Output, Where
from services.cli.output import emit_data, emit_one, paint
from services.cli.session import open_bus
from shared.bus import Bus, Envelope
from shared.clock import now, rfc3339_ms
from shared.events import AppEvent, Event, GitRevision

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_ALL = "delivery.>"


def age(text: str) -> datetime:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None:
        raise CliError(f"{text!r} is no age", hint="for example 90s, 15m, 2h or 7d", code=Exit.USAGE)
    return now() - timedelta(seconds=int(match[1]) * _UNITS[match[2]])


async def trace(where: Where, change: str, since: str) -> None:
    begin = age(since)
    async with open_bus(where) as bus:
        events = await history(bus, begin)
    commit = steps.commit_of(events, change)
    if commit is None:
        raise CliError(
            f"no event names {change!r} since {since}", hint="--since 30d looks further back", code=Exit.NOT_FOUND
        )
    application = "" if steps.looks_like_commit(change) and commit.startswith(change) else change
    show(where.output, commit, steps.of_change(events, commit, application))


async def history(bus: Bus, begin: datetime | None) -> list[Event]:
    """Every event that is understood here; newer kinds are passed over."""
    found = [envelope.event() async for envelope in bus.replay(_ALL, since=begin)]
    return [event for event in found if event is not None]


def show(output: Output, commit: str, events: list[Event]) -> None:
    if output is not Output.TABLE:
        emit_data(output, [event.model_dump(mode="json") for event in events])
        return
    print_timeline(commit, events)


def print_timeline(commit: str, events: list[Event]) -> None:
    """The head says what was changed, then a line a step."""
    for event in events:
        if isinstance(event, GitRevision):
            print(f"{paint(commit[:8], 'yellow')}  {event.subject_line}  ({event.author})")
            break
    way = steps.steps(events)
    print("\n".join(timeline.lines(way, width=shutil.get_terminal_size((140, 24)).columns)))
    print(f"\n{timeline.total(way)} ms from the first step to the last")


async def tail(where: Where, application: str, since: str) -> None:
    begin = age(since) if since else now()
    async with open_bus(where) as bus:
        async for envelope in bus.replay(_ALL, since=begin, follow=True):
            event = envelope.event()
            if not (application and not (isinstance(event, AppEvent) and steps.named(event, application))):
                _print_event(where.output, envelope, event)


def _print_event(output: Output, envelope: Envelope, event: Event | None) -> None:
    if output is not Output.TABLE:
        body = event.model_dump(mode="json") if event else {}
        emit_one(output, {"subject": envelope.subject, "type": envelope.type_name, **body})
        return
    for step in (steps.steps([event]) if event else [])[-1:]:
        moment = rfc3339_ms(event.at) if event else ""
        print(f"{moment}  {step.part}  {step.what}  {step.detail}", flush=True)
