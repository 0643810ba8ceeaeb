"""Is one live object what is wanted? Decided locally where that is certain; else the caller asks the API server by a
dry run.

In: a `Target`, a live object. Out: a `Verdict`, or None where only a server-side-apply dry run can tell (defaulting,
admission, normalised fields). Pure. Never shows values: a verdict carries digests and a status only.
"""

from base64 import b64encode
from typing import Any, Literal, NamedTuple

from services.reconciler.desired import Target
from shared.kinds.ignoring import NOTHING
from shared.merge import (
    contains,
    digest,
    jq_path,
    managed_by,
    owns_more,
    pointer_path,
    strip_volatile,
    without,
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


def live_digest(live: Obj) -> str:
    """Digest a live object without its status and what the API server stamps: equal digests need no new comparison."""
    return digest(strip_volatile(live))


def still_holds(verdict: Verdict | None, target: Target | None, live: str) -> bool:
    """Tell whether a verdict was found for just this pair of live and desired."""
    wanted = target.digest if target else ""
    return verdict is not None and (verdict.live, verdict.desired) == (live, wanted) and verdict.status != "Unknown"


def judge(target: Target, live: Obj, live_sum: str) -> Verdict | None:
    """Compare locally; None when the API server has to say.

    In sync without a call when every leaf of the desired object that counts equals the live one and our field manager
    owns nothing more.
    """
    wanted = comparable(target.obj)
    mine, theirs = (counted(target, obj, live) for obj in (wanted, live))
    if contains(mine, theirs) and not owns_more(live, FIELD_MANAGER, wanted):
        return Verdict("Synced", live_sum, target.digest)
    return None


def judge_prediction(target: Target, live: Obj, live_sum: str, predicted: Obj) -> Verdict:
    """Give the verdict of a dry run: in sync when applying would change nothing that counts."""
    before, after = (live_digest(counted(target, obj, live)) for obj in (live, predicted))
    return Verdict("Synced" if before == after else "OutOfSync", live_sum, target.digest)


def counted(target: Target, obj: Obj, live: Obj) -> Obj:
    """Give the object without what `ignoreDifferences` leaves out: by JSON pointer, by jq path, by who manages it."""
    ignored = target.ignored
    if ignored == NOTHING:
        return obj
    read = [*map(pointer_path, ignored.json_pointers), *map(jq_path, ignored.jq_path_expressions)]
    trees = managed_by(live, ignored.managed_fields_managers)
    return without_managed(without(obj, [path for path in read if path is not None]), trees)


def comparable(obj: Obj) -> Obj:
    """Give what is compared of a desired object: no status, and a Secret's `stringData` as the `data` it becomes."""
    plain = {key: value for key, value in obj.items() if key != "status"}
    if plain.get("kind") == "Secret" and plain.get("apiVersion") == "v1" and plain.get("stringData"):
        return _encoded(plain)
    return plain


def _encoded(secret: Obj) -> Obj:
    added = {key: b64encode(str(value).encode()).decode() for key, value in secret["stringData"].items()}
    rest = {key: value for key, value in secret.items() if key != "stringData"}
    return {**rest, "data": {**(secret.get("data") or {}), **added}}
