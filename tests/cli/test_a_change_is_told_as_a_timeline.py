"""From events to steps to lines: which events belong to a commit, in what order, and how the bars are drawn."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cli import steps, timeline
from services.cli.timeline import Step
from shared.events import AppEvent, Event, GitRevision

BEGIN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COMMIT, OTHER = "c" * 40, "d" * 40


def after(ms: int) -> datetime:
    return BEGIN + timedelta(milliseconds=ms)


def revision(commit: str, at: int) -> GitRevision:
    return GitRevision(
        delivery=f"git:00000000:{commit}", at=after(at + 40), repo="git.example/r", ref="refs/heads/main", new=commit,
        changed=("web/a.yaml",), subject_line="Use web 2", author="Ada", received_at=after(at), source="webhook",
    )  # fmt: skip


def happened(commit: str, at: int, name: str = "web") -> AppEvent:
    return AppEvent(
        delivery="",
        at=after(at),
        what="compared",
        namespace="argocd",
        name=name,
        revisions=(commit,),
        status="OutOfSync",
    )


def test_the_newest_commit_that_begins_so_is_meant() -> None:
    events: list[Event] = [revision(COMMIT, 0), revision(OTHER, 10)]
    assert steps.commit_of(events, "ccccccc") == COMMIT
    assert steps.commit_of(events, "eeeeeee") is None


def test_an_application_means_its_newest_commit() -> None:
    events: list[Event] = [revision(COMMIT, 0), happened(COMMIT, 50), happened(OTHER, 60)]
    assert steps.commit_of(events, "web") == OTHER
    assert steps.commit_of(events, "argocd/web") == OTHER


def test_a_change_holds_its_own_events_and_no_other() -> None:
    events: list[Event] = [revision(COMMIT, 0), happened(COMMIT, 50), happened(OTHER, 60), happened(COMMIT, 70, "api")]
    assert len(steps.of_change(events, COMMIT)) == 3
    assert [e.name for e in steps.of_change(events, COMMIT, "web") if isinstance(e, AppEvent)] == ["web"]


def test_time_begins_with_the_webhook() -> None:
    events: list[Event] = [happened(COMMIT, 300), revision(COMMIT, 0)]
    drawn = timeline.lines(steps.steps(events), width=200)
    assert [line.split("ms")[0].strip() for line in drawn] == ["0", "40", "300"]
    assert "webhook received" in drawn[0]
    assert "OutOfSync" in drawn[2]


def test_nothing_makes_no_lines() -> None:
    assert timeline.lines([]) == []
    assert timeline.total([]) == 0


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=30))
def test_bars_stay_within_their_column(moments: list[int]) -> None:
    drawn = timeline.lines([Step(moment, "part", "what") for moment in moments], width=500)
    assert len({line.index("part") for line in drawn if "part" in line}) == 1
    assert all(line.count("●") == 1 for line in drawn)
