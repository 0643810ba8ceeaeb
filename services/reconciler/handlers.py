"""One function for each thing that the reconciler hears. Each only notes what changed and puts Applications into the
queue.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from services.reconciler.clusters import label
from services.reconciler.connection import ConnectionState
from services.reconciler.heads import Moved
from services.reconciler.keys import AppKey
from services.reconciler.live import Live, OnChange
from services.reconciler.memory import forget, remember
from services.reconciler.parts import Parts
from services.reconciler.projects import read_project
from services.reconciler.quiet import quiet
from services.reconciler.state import AppState, destination_spec
from shared.events import GitRevision, git_delivery
from shared.kinds.keyring import keyring_digest
from shared.kinds.refs import ResourceKey
from shared.telemetry import get_logger

Obj = dict[str, Any]
log = get_logger()
BREATH = 0.2  # a sync writes many objects
LATE = 60.0  # a silence is noticed by the calls that wait for an answer


async def on_revision(parts: Parts, event: GitRevision) -> None:
    """A branch moved: only the Applications that read a changed path are rendered again."""
    moved = await parts.heads.moved(event)
    if moved is not None:
        on_moved(parts, moved, event.delivery)


def on_moved(parts: Parts, moved: Moved, delivery: str) -> None:
    """Queue those whom the move concerns; all others are good for the new commit as they are."""
    affected = parts.index.affected(moved.branch, moved.changed)
    for key in affected:
        state = parts.states.get(key)
        if state is not None:
            state.stale, state.delivery = True, delivery
            parts.queue.add(key)
    log.info("revision", repo=moved.branch.repo, ref=moved.branch.ref, new=moved.new, affected=len(affected))


def on_late(parts: Parts, moved: Moved) -> None:
    """A branch turned out to have moved, and nobody told us in time."""
    on_moved(parts, moved, git_delivery(moved.branch.repo, moved.new or ""))


def on_application(parts: Parts, key: AppKey, obj: Obj | None) -> None:
    """An Application appeared, changed or is gone. Our own status writes are no news."""
    before = parts.states.get(key)
    if before is not None and before.project in parts.projects.deleting:
        parts.leaving_projects.add(before.project)
    if obj is None:
        forget(parts, key)
        return
    if remember(parts, key, obj):
        parts.queue.add(key)


def on_live(parts: Parts, server: str) -> OnChange:
    """Give the function that takes a destination's changes: they concern who wants the object and whom it names."""

    def changed(key: ResourceKey, new: Live | None, old: Live | None) -> None:
        concerned = set(parts.wanted.get((server, key), ()))
        for live in (new, old):
            if live is not None and live.instance and (app := parts.instances.get(live.instance)):
                concerned.add(app)
        if concerned and old is not None and new is not None and quiet(parts.argo, old, new):
            return
        for app in concerned:
            state = parts.states.get(app)
            if state is not None:
                state.touch(key)
                state.changed.set()
                parts.queue.add_after(app, seconds_until_look(state))

    return changed


def seconds_until_look(state: AppState) -> float:
    """Give how soon a changed object is looked at: what a sync writes together, and at once when the sync has ended."""
    return BREATH if state.running is not None and not state.running.done else 0.0


def on_project(parts: Parts, name: str, obj: Obj | None) -> None:
    """A project changed: what its Applications may do is looked at again. One that is invalid permits nothing."""
    if obj is None:
        parts.projects.drop(name)
    else:
        known = read_project(obj)
        parts.projects.put(name, known)
        if known.unknown:
            log.warning("unknown fields are kept, nothing acts on them", project=name, fields=known.unknown)
        if known.problems:
            log.warning("an AppProject is invalid and permits nothing", project=name, problems=known.problems)
            message = f"the project permits nothing until this is corrected: {'; '.join(known.problems)}"
            parts.recorder.record(obj, "InvalidProject", message, type_="Warning")
        if name in parts.projects.deleting:
            parts.leaving_projects.add(name)
    everybody = parts.projects.is_global(name)
    requeue(parts, lambda state: everybody or state.project == name)


def requeue(parts: Parts, concerned: Any) -> None:
    """Queue every Application that a change of project, settings or clusters concerns."""
    for key, state in parts.states.items():
        if concerned(state):
            state.touch_all()
            state.changed.set()
            parts.queue.add(key)


def on_settings(parts: Parts) -> None:
    """Argo CD's settings changed: everything is prepared and compared again, nothing is rendered that need not be."""
    parts.projects.set_global(parts.argo.global_projects)
    requeue(parts, lambda _state: True)


def on_keys(parts: Parts, gpg: Mapping[str, str], signers: str) -> None:
    """The keys for signatures changed: what is verified with them is verified again, nobody else's render is."""
    parts.keyring = keyring_digest(gpg, signers)

    def signed(state: AppState) -> bool:
        known = parts.projects.get(state.project)
        return known is not None and bool(known.project.spec.source_integrity or known.project.spec.signature_keys)

    requeue(parts, signed)


async def on_clusters(parts: Parts, changed: set[str]) -> None:
    """Cluster Secrets changed: log in or connect anew, and look again at the Applications that go there."""
    for server in changed:
        await parts.destinations.refresh(server)
    requeue(parts, partial(_goes_to, changed))


def on_turn(parts: Parts, server: str, old: ConnectionState, new: ConnectionState) -> None:
    """A cluster became reachable or stopped being so: its Applications say it, and go on where they were.

    A sync that failed while the cluster was away says nothing of what it wanted to bring: it is due again.
    """
    if new.status == "Successful":
        parts.spawn(label(parts, server, new.version))
    for key, app in parts.states.items():
        if app.server != server and (app.server or not _goes_to({server}, app)):
            continue
        attempt = app.attempt
        if new.status == "Successful" and attempt and not attempt.succeeded and attempt.finished > old.since - LATE:
            app.attempt = replace(attempt, identity="")
        parts.queue.add(key)


def _goes_to(servers: set[str], state: AppState) -> bool:
    """By name it may be any of them."""
    destination = destination_spec(state)
    return destination.get("server") in servers or bool(destination.get("name"))


def lane(parts: Parts, key: AppKey) -> str:
    """Give where an Application goes, as its spec has it: the Applications of one cluster wait for no other's."""
    state = parts.states.get(key)
    destination = destination_spec(state) if state else {}
    return str(destination.get("server") or destination.get("name") or "")
