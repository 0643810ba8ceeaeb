"""Argo CD's automated sync gate (spec 2.4), as a table of situations."""

from dataclasses import replace

import pytest

from services.reconciler.autosync import Attempt, Blocked, Hold, Situation, Sync, Wait, autosync, backoff
from shared.kinds.refs import ResourceKey

CM = ResourceKey("", "ConfigMap", "ns", "cm")
OLD = ResourceKey("", "ConfigMap", "ns", "old")
DRIFTED = Situation(
    automated=True,
    prune=False,
    self_heal=False,
    allow_empty=False,
    busy=False,
    status="OutOfSync",
    identity="now",
    revision="abc",
    out_of_sync=(CM,),
    to_prune=(),
    wanted=1,
    last=None,
    now=1000.0,
)


def test_something_new_is_synced_whole() -> None:
    assert autosync(DRIFTED) == Sync(None)


@pytest.mark.parametrize("change", [{"automated": False}, {"busy": True}, {"status": "Synced"}, {"status": "Unknown"}])
def test_it_holds_without_policy_while_busy_and_unless_out_of_sync(change: dict[str, object]) -> None:
    assert autosync(replace(DRIFTED, **change)) == Hold()  # type: ignore[arg-type]


def test_only_extra_objects_and_no_prune_means_nothing_to_do() -> None:
    assert autosync(replace(DRIFTED, out_of_sync=(OLD,), to_prune=(OLD,))) == Hold()
    assert autosync(replace(DRIFTED, out_of_sync=(OLD,), to_prune=(OLD,), prune=True)) == Sync(None)


def test_a_closed_window_blocks_what_would_be_synced_and_says_so() -> None:
    closed = replace(DRIFTED, blocked="until noon", opens_in=60.0)
    assert autosync(closed) == Blocked(60.0, "until noon")
    assert autosync(replace(closed, automated=False)) == Hold()
    assert autosync(replace(closed, out_of_sync=(OLD,), to_prune=(OLD,))) == Hold()


def test_pruning_everything_needs_allow_empty() -> None:
    empty = replace(DRIFTED, out_of_sync=(OLD,), to_prune=(OLD,), prune=True, wanted=0)
    assert autosync(empty) == Hold("Skipping sync attempt: auto-sync will wipe out all resources")
    assert autosync(replace(empty, allow_empty=True)) == Sync(None)


def test_what_failed_is_not_tried_again_until_something_new_comes() -> None:
    failed = replace(DRIFTED, last=Attempt("now", succeeded=False))
    decision = autosync(failed)
    assert isinstance(decision, Hold)
    assert "abc" in decision.error
    assert autosync(replace(failed, identity="newer")) == Sync(None)


def test_a_drift_is_left_without_self_heal_and_healed_with_it() -> None:
    drift = replace(DRIFTED, last=Attempt("now", succeeded=True, finished=990.0))
    assert autosync(drift) == Hold()
    assert autosync(replace(drift, self_heal=True)) == Sync((CM,), 1)


def test_healing_touches_only_what_drifted_and_prunes_only_when_allowed() -> None:
    drift = replace(
        DRIFTED, self_heal=True, last=Attempt("now", succeeded=True), out_of_sync=(CM, OLD), to_prune=(OLD,), wanted=2
    )
    assert autosync(drift) == Sync((CM,), 1)
    assert autosync(replace(drift, prune=True)) == Sync((CM, OLD), 1)


def test_a_fight_over_an_object_is_fought_ever_more_slowly() -> None:
    fight = replace(DRIFTED, self_heal=True, last=Attempt("now", succeeded=True, heals=2, finished=999.0))
    decision = autosync(fight)
    assert decision == Wait(backoff(2) - 1.0, 2, backoff(2))
    assert autosync(replace(fight, now=999.0 + backoff(2))) == Sync((CM,), 3)


def test_a_quiet_time_forgets_earlier_heals() -> None:
    calm = replace(DRIFTED, self_heal=True, last=Attempt("now", succeeded=True, heals=5, finished=0.0), now=10_000.0)
    assert autosync(calm) == Sync((CM,), 1)


def test_the_pause_grows_to_five_minutes_and_no_further() -> None:
    assert [backoff(heals) for heals in range(4)] == [0.0, 2.0, 6.0, 18.0]
    assert backoff(50) == 300.0


def test_what_is_being_deleted_already_is_not_deleted_again() -> None:
    leaving = replace(DRIFTED, out_of_sync=(), to_prune=(), prune=True, self_heal=True)
    assert autosync(leaving) == Hold()


def test_an_aborted_rollout_is_not_healed_until_git_moves_and_everything_else_is() -> None:
    undone = replace(DRIFTED, self_heal=True, last=Attempt("now", succeeded=True), aborted=frozenset({CM}))
    decision = autosync(undone)
    assert isinstance(decision, Hold)
    assert "ConfigMap cm is not healed" in decision.error
    assert autosync(replace(undone, out_of_sync=(CM, OLD))) == Sync((OLD,), 1)
    assert autosync(replace(undone, identity="newer")) == Sync(None)
