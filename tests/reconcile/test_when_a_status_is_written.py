"""When a status that differs is written: at once where something has settled, later while things move. What a storm of
syncs has to say is said in fewer writes.
"""

from typing import Any

import pytest

from services.reconciler.handlers import BREATH, seconds_until_look
from services.reconciler.keys import AppKey
from services.reconciler.report import LONGEST_HOLD, QUEUED, due
from services.reconciler.state import AppState, Running

BEGUN, ENDED, REPORTED = 100.0, 105.0, 90.0
PAUSE = 2.0
AT_ONCE = 0.0


def status(health: str = "Progressing", sync: str = "Synced") -> dict[str, Any]:
    return {"health": {"status": health}, "sync": {"status": sync}}


def state(running: Running | None = None, **obj: Any) -> AppState:
    return AppState(AppKey("argocd", "web"), obj, running=running, reported_at=REPORTED)


def sync(*, started: bool = True, done: bool = False, yields: bool = False) -> Running:
    shown = {"phase": "Succeeded" if done else "Running"}
    ended = ENDED if done else 0.0
    return Running(shown, "one", begun=BEGUN, started=started, done=done, ended=ended, yields=yields)


def test_what_has_settled_is_written_at_once() -> None:
    assert due(state(), status("Healthy"), PAUSE) == AT_ONCE
    assert due(state(sync(done=True)), status("Healthy"), PAUSE) == AT_ONCE


def test_what_moves_is_written_now_and_then() -> None:
    assert due(state(), status(), PAUSE) == REPORTED + PAUSE


def test_a_sync_says_itself_by_one_write_where_it_ends_soon() -> None:
    assert due(state(sync()), status(sync="OutOfSync"), PAUSE) == BEGUN + PAUSE


@pytest.mark.parametrize(("pause", "waits"), [(PAUSE, QUEUED), (QUEUED + 5, QUEUED + 5)])
def test_one_that_waits_for_its_turn_has_little_to_say(pause: float, waits: float) -> None:
    assert due(state(sync(started=False)), status(sync="OutOfSync"), pause) == BEGUN + waits


def test_the_end_of_a_sync_is_written_at_once_though_its_objects_are_not_healthy_yet() -> None:
    assert due(state(sync(done=True)), status(), PAUSE) == AT_ONCE


@pytest.mark.parametrize(("pause", "waits"), [(PAUSE, PAUSE), (LONGEST_HOLD + 5, LONGEST_HOLD)])
def test_where_others_wait_for_their_turn_it_waits_for_their_health(pause: float, waits: float) -> None:
    assert due(state(sync(done=True, yields=True)), status(), pause) == ENDED + waits
    assert due(state(sync(done=True, yields=True)), status("Healthy"), pause) == AT_ONCE


def test_but_not_where_a_commit_or_a_person_waits_for_the_end() -> None:
    assert due(state(sync(done=True, yields=True)), status(sync="OutOfSync"), PAUSE) == AT_ONCE
    assert due(state(sync(done=True, yields=True), operation={"sync": {}}), status(), PAUSE) == AT_ONCE


def test_what_a_sync_writes_is_looked_at_together_and_at_once_when_it_has_ended() -> None:
    assert seconds_until_look(state(sync())) == BREATH
    assert seconds_until_look(state(sync(done=True))) == 0.0
    assert seconds_until_look(state()) == 0.0
