"""Is one live object what is wanted? Decided locally where that is certain; else the caller asks the API server by a
dry run.

In: a `Target`, a live object. Out: a `Verdict`, or None where only a server-side-apply dry run can tell (defaulting,
admission, normalised fields). Pure. Never shows values: a verdict carries digests and a status only.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from services.reconciler.desired import Target
from services.reconciler.rolled import yielded
from shared.kinds.ignoring import NOTHING, fields_of
from shared.merge import (
    Path,
    contains,
    digest,
    jq_path,
    left_behind,
    managed_by,
    only_managed,
    owned_fields,
    owns_more,
    pointer_path,
    strip_volatile,
    taken_over,
    together,
    with_live,
    with_types,
    without,
    without_ignored,
    without_managed,
)

Obj = dict[str, Any]
SyncStatus = Literal["Synced", "OutOfSync", "Unknown"]
FIELD_MANAGER = "argocd-controller"


class Verdict(NamedTuple):
    """What was found, and of which live and desired bytes, so that it need not be found again."""

    status: SyncStatus
    live: str
    desired: str
    message: str = ""


def live_digest(live: Obj, *, status: bool = False) -> str:
    """Digest a live object without what the API server stamps, and without its status unless that counts: equal digests
    need no new comparison.
    """
    kept = strip_volatile(live)
    return digest({**kept, "status": live.get("status")} if status else kept)


def still_holds(verdict: Verdict | None, target: Target | None, live: str) -> bool:
    """Tell whether a verdict was found for just this pair of live and desired."""
    wanted = target.digest if target else ""
    return verdict is not None and (verdict.live, verdict.desired) == (live, wanted) and verdict.status != "Unknown"


class Places(NamedTuple):
    """Where jq expressions that are more than paths lead in the two objects that are compared."""

    one: tuple[Path, ...] = ()
    other: tuple[Path, ...] = ()


NOWHERE = Places()


def judge(
    target: Target, live: Obj, live_sum: str, places: Places = NOWHERE, *, former: Iterable[str] = ()
) -> Verdict | None:
    """Compare locally; None when the API server has to say.

    In sync without a call when every leaf of the desired object that counts equals the live one and our field manager
    owns nothing more, unless `ServerSideDiff` wants its word always. `former`: clients that applied it before us; what
    they did is taken over when it is written.
    """
    wanted = yielded(comparable(target), live)
    mine, theirs = counted(target, wanted, live, places.one), counted(target, live, live, places.other)
    if left_behind(theirs, mine) and taken_over(live, FIELD_MANAGER, former) is not None:
        return Verdict("OutOfSync", live_sum, target.digest, "a field that a client applied is no longer wanted")
    certain = not target.counting.server_side
    if certain and contains(mine, theirs) and not owns_more(live, FIELD_MANAGER, wanted):
        return Verdict("Synced", live_sum, target.digest)
    return None


def judge_prediction(target: Target, live: Obj, live_sum: str, predicted: Obj, places: Places = NOWHERE) -> Verdict:
    """Give the verdict of a dry run: in sync when applying would change nothing that counts.

    What counts is what our field manager owns, before or after; what webhooks and controllers add is theirs, unless
    `IncludeMutationWebhook` says otherwise.
    """
    before, after = counted(target, live, live, places.one), counted(target, predicted, live, places.other)
    tree = together([*owned_fields(live, FIELD_MANAGER), *owned_fields(predicted, FIELD_MANAGER)])
    if tree and not target.counting.webhooks:
        before, after = only_managed(before, tree), only_managed(after, tree)
    status = target.counting.status
    same = live_digest(before, status=status) == live_digest(after, status=status)
    return Verdict("Synced" if same else "OutOfSync", live_sum, target.digest)


def counted(target: Target, obj: Obj, live: Obj, places: tuple[Path, ...] = ()) -> Obj:
    """Give the object without what `ignoreDifferences` leaves out (by JSON pointer, by jq, by who manages it), with
    known types in one form.
    """
    ignored = target.ignored
    if ignored != NOTHING:
        obj = without_ignored(obj, live, fields_of(ignored), places)
    return with_types(obj, target.counting.types)


def overlaid(target: Target, live: Obj, places: Iterable[Path] = ()) -> Obj:
    """Give the desired object with live's values where differences are ignored (`RespectIgnoreDifferences`).

    What the desired object does not say is not added: it would become ours. What is somebody's is left to them.
    `places`: where its jq expressions that are more than paths lead.
    """
    ignored = target.ignored
    read = [*map(pointer_path, ignored.json_pointers), *map(jq_path, ignored.jq_path_expressions), *places]
    said = [path for path in read if path is not None and without(target.obj, [path]) != target.obj]
    kept = with_live(target.obj, live, said)
    return without_managed(kept, managed_by(live, ignored.managed_fields_managers))


def comparable(target: Target) -> Obj:
    """Give what is compared of a desired object: no status unless that counts."""
    obj = target.obj
    return obj if target.counting.status else {key: value for key, value in obj.items() if key != "status"}
