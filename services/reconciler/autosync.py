"""Shall this Application be synced now without being asked? Argo CD's gate (spec 2.4) as one pure decision.

In: the policy, what the comparison found, what was tried before, what the sync windows say. Out: `Sync`, `Wait` or
`Blocked` (with the seconds), or `Hold` (with the reason).
"""

from dataclasses import dataclass
from typing import NamedTuple

from shared.kinds.refs import ResourceKey

SELF_HEAL_FIRST = 2.0
SELF_HEAL_FACTOR = 3.0
SELF_HEAL_CAP = 300.0
SELF_HEAL_FORGET = 60.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last automated sync: of which revisions and source, how it ended, and how often healing was needed since."""

    identity: str
    succeeded: bool
    heals: int = 0
    finished: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the gate looks at. Times in seconds of one monotonic clock. `identity` names the content and the
    sources; `revision` is for people. `aborted`: what self-heal leaves alone. `blocked`: what sync windows say against
    it, for `opens_in` seconds.
    """

    automated: bool
    prune: bool
    self_heal: bool
    allow_empty: bool
    busy: bool
    status: str
    identity: str
    revision: str
    out_of_sync: tuple[ResourceKey, ...]
    to_prune: tuple[ResourceKey, ...]
    wanted: int
    last: Attempt | None
    now: float
    aborted: frozenset[ResourceKey] = frozenset()
    blocked: str = ""
    opens_in: float = 0.0


class Sync(NamedTuple):
    """Sync now: everything, or only `resources` when it heals a drift."""

    resources: tuple[ResourceKey, ...] | None
    heals: int = 0


class Wait(NamedTuple):
    """Look again after these seconds: `pause` after the end of the last of `heals` heals in a row."""

    seconds: float
    heals: int
    pause: float


class Blocked(NamedTuple):
    """A sync window stands in the way: look again after these seconds, and say so meanwhile."""

    seconds: float
    warning: str


class Hold(NamedTuple):
    """Don't sync. `error` is a message for a SyncError condition, empty when holding is normal."""

    error: str = ""


def autosync(seen: Situation) -> Sync | Wait | Blocked | Hold:
    """Decide."""
    if not seen.automated or seen.busy or not worth_a_sync(seen):
        return Hold()
    if seen.blocked:
        return Blocked(seen.opens_in, seen.blocked)
    if seen.prune and seen.to_prune and not seen.wanted and not seen.allow_empty:
        return Hold("Skipping sync attempt: auto-sync will wipe out all resources")
    if seen.last is None or seen.last.identity != seen.identity:
        return Sync(None)
    if not seen.last.succeeded:
        return Hold(f"Failed last sync attempt to {seen.revision}: fix the cause and push, or sync by hand")
    return heal(seen, seen.last) if seen.self_heal else Hold()


def worth_a_sync(seen: Situation) -> bool:
    """Tell whether a sync would change anything: something is out of sync, and not only extra objects that stay."""
    wrong = [key for key in seen.out_of_sync if seen.prune or key not in seen.to_prune]
    return seen.status == "OutOfSync" and bool(wrong)


def heal(seen: Situation, last: Attempt) -> Sync | Wait | Hold:
    """Heal at once the first time, then with growing pauses; a quiet minute forgets earlier heals.

    What an aborted Rollout was taken back to is no drift: healing would write the aborted version again.
    """
    drifted = tuple(key for key in seen.out_of_sync if seen.prune or key not in seen.to_prune)
    keys = tuple(key for key in drifted if key not in seen.aborted)
    if not keys:
        names = ", ".join(f"{key.kind} {key.name}" for key in drifted)
        return Hold(f"{names} is not healed, an update was aborted: it waits for a change in git or for a sync by hand")
    since = seen.now - last.finished
    heals = 0 if since > SELF_HEAL_FORGET + backoff(last.heals) else last.heals
    wait = backoff(heals) - since
    if heals and wait > 0:
        return Wait(wait, heals, backoff(heals))
    return Sync(keys, heals + 1)


def backoff(heals: int) -> float:
    """Seconds to wait before healing again after `heals` heals."""
    return min(SELF_HEAL_CAP, SELF_HEAL_FIRST * SELF_HEAL_FACTOR ** (heals - 1)) if heals else 0.0
