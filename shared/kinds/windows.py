"""Sync windows: may an Application be synced now, and if not, when? Argo CD's rules (spec 1.3).

In: the windows of a project, the spans in which each is open (their schedules are computed by who calls), the time,
who asks. Out: a `Permission`, with the time at which a closed door opens where that can be told.

No window concerns the Application: allowed. A deny window is open: blocked. An allow window is open: allowed. There are
allow windows and none is open: blocked. A window that can't be read blocks: nobody knows what it would say. A sync
asked for by a person passes when every window that blocks has `manualSync`; one begun while it was allowed goes on
when every window that blocks has `syncOverrun`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.kinds.appproject import SyncWindow
from shared.kinds.durations import seconds
from shared.kinds.globs import matches


class Span(NamedTuple):
    """A time in which a window is open; at `closes` it no longer is."""

    opens: datetime
    closes: datetime


class Timed(NamedTuple):
    """A window with its times, which are sorted and apart; `problem` says why there are none."""

    window: SyncWindow
    spans: tuple[Span, ...] = ()
    problem: str = ""

    def is_open(self, at: datetime) -> bool:
        return any(span.opens <= at < span.closes for span in self.spans)


class Place(NamedTuple):
    """What windows choose Applications by: its name, its namespace there, its cluster's URL and name."""

    application: str
    namespace: str
    server: str
    cluster: str


class Permission(NamedTuple):
    """`until`: when a block ends, None where that can't be told; `reason`: which windows block."""

    allowed: bool
    until: datetime | None = None
    reason: str = ""


ALLOWED = Permission(allowed=True)


def concerning(windows: Iterable[SyncWindow], place: Place) -> tuple[SyncWindow, ...]:
    """Give the windows that concern an Application."""
    return tuple(window for window in windows if _concerns(window, place))


def _concerns(window: SyncWindow, place: Place) -> bool:
    """Any of its lists names it; with `andOperator`, all that it has do."""
    given = (
        (window.applications, (place.application,)),
        (window.namespaces, (place.namespace,)),
        (window.clusters, (place.server, place.cluster)),
    )
    answers = [any(matches(one, text) for one in patterns for text in texts) for patterns, texts in given if patterns]
    return bool(answers) and (all(answers) if window.and_operator else any(answers))


def problem_of(window: SyncWindow) -> str:
    """Say what is wrong with a window beside its schedule; empty when nothing is."""
    if window.kind not in {"allow", "deny"}:
        return f"kind must be allow or deny, not {window.kind!r}"
    if window.schedule.strip().startswith("@every"):
        return "a schedule needs fixed times, @every has none"
    try:
        return "" if seconds(window.duration) > 0 else f"the duration {window.duration!r} must be more than nothing"
    except ValueError as error:
        return str(error)


def spans(starts: Iterable[datetime], length: timedelta) -> tuple[Span, ...]:
    """Give when a window is open that opens at these times, in order; what touches is one."""
    found: list[Span] = []
    for start in starts:
        if found and start <= found[-1].closes:
            found[-1] = Span(found[-1].opens, max(found[-1].closes, start + length))
        else:
            found.append(Span(start, start + length))
    return tuple(found)


def decide(windows: Sequence[Timed], now: datetime, *, manual: bool, begun: datetime | None = None) -> Permission:
    """Say whether a sync may write now. `windows` are those that concern it; `begun` is when it began, if it did."""
    broken = next((one for one in windows if one.problem), None)
    if broken is not None:
        return Permission(allowed=False, reason=f"{described(broken.window)} can't be read: {broken.problem}")
    if _passes(windows, now, manual=manual):
        return ALLOWED
    if begun is not None and _passes(windows, begun, manual=manual) and _overruns(windows, now, begun):
        return ALLOWED
    until = next((edge for edge in _edges(windows, now) if _passes(windows, edge, manual=manual)), None)
    reason = ", ".join(described(one.window) for one in _blocking(windows, now))
    return Permission(allowed=False, until=until, reason=reason)


def _blocking(windows: Iterable[Timed], at: datetime) -> list[Timed]:
    """Give the windows that stand in the way: denies that are open, else, while no allow is open, all allows."""
    denies = [one for one in windows if one.window.kind == "deny" and one.is_open(at)]
    allows = [one for one in windows if one.window.kind == "allow"]
    return denies or ([] if any(one.is_open(at) for one in allows) else allows)


def _passes(windows: Iterable[Timed], at: datetime, *, manual: bool) -> bool:
    blocking = _blocking(windows, at)
    return not blocking or (manual and all(one.window.manual_sync for one in blocking))


def _overruns(windows: Iterable[Timed], now: datetime, begun: datetime) -> bool:
    """Of allow windows, only those count that were open at the beginning: under them it was begun."""
    counted = [one for one in _blocking(windows, now) if one.window.kind == "deny" or one.is_open(begun)]
    return bool(counted) and all(one.window.sync_overrun for one in counted)


def _edges(windows: Iterable[Timed], now: datetime) -> list[datetime]:
    """Give the times after now at which any window opens or closes, in order."""
    return sorted({edge for one in windows for span in one.spans for edge in span if edge > now})


def described(window: SyncWindow) -> str:
    """Name a window for people."""
    zone = f" {window.time_zone}" if window.time_zone else ""
    why = f" ({window.description})" if window.description else ""
    return f"{window.kind} window '{window.schedule}'{zone} for {window.duration}{why}"
