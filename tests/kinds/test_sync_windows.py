"""Sync windows: Argo CD's rules as a table, and what must hold whatever the windows are.

How schedules become times is tested with the engines (tests/engines) and in tests/sync.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kinds.appproject import SyncWindow
from shared.kinds.windows import Place, Span, Timed, concerning, decide, problem_of, spans

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
PLACE = Place("prod-shop", "shop", "https://one:6443", "one")


def window(kind: str = "allow", **fields: Any) -> SyncWindow:
    return SyncWindow.parse({"kind": kind, "schedule": "0 12 * * *", "duration": "1h", **fields})


def timed(kind: str, opens: float, closes: float, **fields: Any) -> Timed:
    """A window that is open from one time to another, in hours from noon."""
    return Timed(window(kind, **fields), (Span(NOON + opens * HOUR, NOON + closes * HOUR),))


OPEN_DENY, SHUT_DENY = timed("deny", -1, 1), timed("deny", 1, 2)
OPEN_ALLOW, SHUT_ALLOW = timed("allow", -1, 1), timed("allow", 3, 4)
SOFT_DENY, SOFT_ALLOW = timed("deny", -1, 1, manualSync=True), timed("allow", 3, 4, manualSync=True)
RULES = [
    ("no windows", [], True, True, None),
    ("only a deny that is shut", [SHUT_DENY], True, True, None),
    ("an open deny", [OPEN_DENY], False, False, 1),
    ("an open deny for machines only", [SOFT_DENY], False, True, 1),
    ("one of two denies has no manualSync", [SOFT_DENY, timed("deny", -1, 2)], False, False, 2),
    ("an open deny wins over an open allow", [OPEN_DENY, OPEN_ALLOW], False, False, None),
    ("an open allow", [OPEN_ALLOW], True, True, None),
    ("one open allow among others is enough", [SHUT_ALLOW, OPEN_ALLOW], True, True, None),
    ("only allows that are shut", [SHUT_ALLOW], False, False, 3),
    ("a shut allow for machines only", [SOFT_ALLOW], False, True, 3),
    ("one of two shut allows has no manualSync", [SOFT_ALLOW, SHUT_ALLOW], False, False, 3),
    ("after the deny the allow is still shut", [OPEN_DENY, SHUT_ALLOW], False, False, 3),
    ("a window that can't be read", [Timed(window(), problem="broken"), OPEN_ALLOW], False, False, None),
]


@pytest.mark.parametrize(
    ("windows", "machine", "person", "until"), [row[1:] for row in RULES], ids=[r[0] for r in RULES]
)
def test_who_may_sync(windows: list[Timed], machine: bool, person: bool, until: float | None) -> None:
    found = decide(windows, NOON, manual=False)
    assert (found.allowed, decide(windows, NOON, manual=True).allowed) == (machine, person)
    assert found.until == (None if until is None else NOON + until * HOUR)


def test_a_block_names_the_windows_that_block() -> None:
    windows = [timed("deny", -1, 1, description="freeze", timeZone="Europe/Berlin"), SHUT_DENY]
    assert decide(windows, NOON, manual=False).reason == "deny window '0 12 * * *' Europe/Berlin for 1h (freeze)"


@pytest.mark.parametrize(
    ("windows", "begun", "goes_on"),
    [
        ([timed("deny", -0.5, 1, syncOverrun=True)], -1, True),
        ([timed("deny", -0.5, 1)], -1, False),
        ([timed("deny", -0.5, 1, syncOverrun=True)], -0.25, False),
        ([timed("deny", -0.5, 1, syncOverrun=True), timed("deny", -0.1, 1)], -1, False),
        ([timed("allow", -2, -0.5, syncOverrun=True)], -1, True),
        ([timed("allow", -2, -0.5)], -1, False),
        ([timed("allow", -2, -0.5, syncOverrun=True), SHUT_ALLOW], -1, True),
        ([timed("allow", -2, -0.5, syncOverrun=True), timed("allow", -2, -0.5)], -1, False),
    ],
)
def test_what_was_begun_while_allowed_may_overrun(windows: list[Timed], begun: float, goes_on: bool) -> None:
    assert decide(windows, NOON, manual=False, begun=NOON + begun * HOUR).allowed is goes_on
    assert not decide(windows, NOON, manual=False).allowed


@pytest.mark.parametrize(
    ("fields", "concerned"),
    [
        ({"applications": ["prod-*"]}, True),
        ({"applications": ["dev-*"]}, False),
        ({"applications": ["dev-*", "prod-sh?p"]}, True),
        ({"namespaces": ["shop"]}, True),
        ({"clusters": ["one"]}, True),
        ({"clusters": ["https://one:*"]}, True),
        ({"clusters": ["two"]}, False),
        ({"applications": ["dev-*"], "clusters": ["one"]}, True),
        ({"applications": ["dev-*"], "clusters": ["one"], "andOperator": True}, False),
        ({"applications": ["prod-*"], "namespaces": ["shop"], "clusters": ["*"], "andOperator": True}, True),
        ({"applications": ["prod-*"], "andOperator": True}, True),
        ({}, False),
        ({"andOperator": True}, False),
    ],
)
def test_which_applications_a_window_concerns(fields: dict[str, Any], concerned: bool) -> None:
    assert bool(concerning([window(**fields)], PLACE)) is concerned


@pytest.mark.parametrize(
    "fields", [{"kind": "maybe"}, {"duration": "soon"}, {"duration": "0s"}, {"duration": ""}, {"schedule": "@every 1h"}]
)
def test_what_can_not_be_a_window_is_said(fields: dict[str, Any]) -> None:
    assert problem_of(window(**{"kind": "deny", **fields}))
    assert not problem_of(window("deny"))


def test_times_that_touch_are_one() -> None:
    starts = [NOON + hours * HOUR for hours in (0, 1, 2, 5)]
    assert spans(starts, HOUR) == (Span(NOON, NOON + 3 * HOUR), Span(NOON + 5 * HOUR, NOON + 6 * HOUR))


hours = st.integers(-8, 8)
flags = st.booleans()


@st.composite
def windows(draw: st.DrawFn) -> list[Timed]:
    def one() -> Timed:
        fields = {"manualSync": draw(flags), "syncOverrun": draw(flags)}
        starts = sorted(draw(st.sets(hours, max_size=3)))
        made = spans((NOON + at * HOUR for at in starts), draw(st.integers(1, 3)) * HOUR)
        return Timed(window(draw(st.sampled_from(["allow", "deny"])), **fields), made)

    return [one() for _ in range(draw(st.integers(0, 4)))]


def plainly(found: Iterable[Timed], at: datetime) -> bool:
    """Argo CD's sentence, said another way."""
    found = list(found)
    kinds = {(one.window.kind, one.is_open(at)) for one in found}
    return ("deny", True) not in kinds and (("allow", True) in kinds or ("allow", False) not in kinds)


@given(windows(), st.datetimes(datetime(2026, 11, 25), datetime(2026, 11, 26), timezones=st.just(UTC)), flags, hours)  # noqa: DTZ001
def test_whatever_the_windows_are(found: list[Timed], at: datetime, manual: bool, begun: int) -> None:
    answer = decide(found, at, manual=manual)
    assert decide(found, at, manual=False).allowed == plainly(found, at)
    assert answer == decide(found[::-1], at, manual=manual)._replace(reason=answer.reason)
    assert decide(found, at, manual=True).allowed >= decide(found, at, manual=False).allowed
    assert decide(found, at, manual=manual, begun=NOON + begun * HOUR).allowed >= answer.allowed
    if answer.until is not None:
        assert answer.until > at
        assert decide(found, answer.until, manual=manual).allowed
        just_before = answer.until - timedelta(microseconds=1)
        assert not decide(found, max(at, just_before), manual=manual).allowed
    assert answer.allowed or answer.reason
