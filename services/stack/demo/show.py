"""The demo's acts, one after the other: start, seed, apply, wait, push, wait, tell."""

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.stack import detach, state
from services.stack.demo import world
from services.stack.demo.git import push_new_tag
from services.stack.notify import Report
from services.stack.observe import Observed, Watching, observing
from services.stack.options import Options, StackError
from services.stack.state import StackState
from shared.bus import connect as connect_bus
from shared.events import AppEvent, Event, GitRevision
from shared.git.commits import commit_files, create_bare
from shared.git.mirror import heads_of
from shared.kube import Cluster, Discovery, connect, verbs

Obj = dict[str, Any]
SYNCED_WITHIN = 120.0


@dataclass(frozen=True)
class Shown:
    commit: str
    events: tuple[Event, ...]
    farewell: str


async def show(options: Options, report: Report) -> Shown:
    found = await asyncio.to_thread(_stack, options, report)
    assert found.git_url
    repo_url = f"{found.git_url}/{world.REPOSITORY}.git"
    await asyncio.to_thread(_seed, options.data / "git" / f"{world.REPOSITORY}.git")
    async with (
        connect(Path(found.kubeconfig), found.context) as cluster,
        observing(cluster, *_watched(found.namespace)) as observed,
    ):
        await _apply(cluster, repo_url, found.namespace)
        report("applied three Applications: plain, Helm (values-dev.yaml), Kustomize")
        await _until_settled(observed, found.namespace, report)
        commit, image = await _push(repo_url, report)
        await _until_live(observed, found.namespace, commit, image)
        report(f"{image} is live, {world.CHANGED_APPLICATION} is Synced and Healthy at {commit[:8]}")
    events = await _events(found.nats_url, commit)
    return Shown(commit, events, world.farewell(repo_url, options.data))


def _watched(namespace: str) -> tuple[Watching, Watching]:
    return (
        Watching("argoproj.io", "Application", namespace),
        Watching("apps", "Deployment", world.CHANGED_NAMESPACE),
    )


def _stack(options: Options, report: Report) -> StackState:
    if state.running(options.data) is None:
        detach.start(options, report)
    found = state.running(options.data)
    if found is None:
        raise StackError(f"the stack has stopped; {options.data / 'tiphys.log'} says why")
    if found.git_url is None:
        raise StackError("the running stack serves no git: `tiphys down`, then `tiphys demo` again")
    report(f"the stack is up: webhooks at {found.url}/api/webhook, git at {found.git_url}")
    return found


def _seed(bare: Path) -> None:
    """The sample files, committed once: what was pushed since stays."""
    create_bare(bare)
    if not heads_of(bare):
        commit_files(bare, "main", world.seed(), "Begin the demo")


async def _apply(cluster: Cluster, repo_url: str, namespace: str) -> None:
    resource = await Discovery(cluster).resource("argoproj.io", "Application")
    for application in world.applications(repo_url, namespace):
        await verbs.apply(cluster, resource, application, manager="tiphys-demo", force=True)


async def _push(repo_url: str, report: Report) -> tuple[str, str]:
    with tempfile.TemporaryDirectory(prefix="tiphys-demo-") as folder:
        commit, image = await push_new_tag(repo_url, Path(folder) / "demo")
    report(f"pushed {commit[:8]}: {image} into {world.CHANGED}")
    return commit, image


async def _events(nats_url: str, commit: str) -> tuple[Event, ...]:
    """What the stream says of the commit."""
    async with connect_bus(nats_url, service="demo", patience=5.0) as bus:
        kept = [envelope.event() async for envelope in bus.replay("delivery.>")]
    return tuple(event for event in kept if event and _about(event, commit))


def _about(event: Event, commit: str) -> bool:
    if isinstance(event, GitRevision):
        return event.new == commit
    return isinstance(event, AppEvent) and commit in event.revisions and event.name == world.CHANGED_APPLICATION


def _lacking(observed: Observed, namespace: str) -> str:
    """What the three Applications still lack, in words; empty: nothing."""
    states = {name: observed.get("Application", namespace, name) or {} for name in world.NAMES}
    return ", ".join(
        f"{name}: {sync}/{health}" for name, app in states.items() for sync, health in [_state(app)] if not _good(app)
    )


def _state(app: Obj) -> tuple[str, str]:
    status = app.get("status") or {}
    sync, health = status.get("sync") or {}, status.get("health") or {}
    return sync.get("status", "Unknown"), health.get("status", "Unknown")


def _good(app: Obj) -> bool:
    return _state(app) == ("Synced", "Healthy")


async def _until_settled(observed: Observed, namespace: str, report: Report) -> None:
    said = ""

    def settled() -> bool:
        nonlocal said
        lacking = _lacking(observed, namespace)
        if lacking and lacking != said:
            said = lacking
            report(f"waiting: {lacking}")
        return not lacking

    await observed.until(settled, SYNCED_WITHIN, lambda: _lacking(observed, namespace))
    report("all three are Synced and Healthy")


async def _until_live(observed: Observed, namespace: str, commit: str, image: str) -> None:
    """The change is live when the Deployment runs the image and the Application says Synced and Healthy at the
    commit.
    """

    def live() -> bool:
        app = observed.get("Application", namespace, world.CHANGED_APPLICATION) or {}
        at = ((app.get("status") or {}).get("sync") or {}).get("revision")
        deployment = observed.get("Deployment", world.CHANGED_NAMESPACE, world.CHANGED_DEPLOYMENT) or {}
        return _good(app) and at == commit and world.image_of(deployment) == image

    await observed.until(live, SYNCED_WITHIN, lambda: f"{image} is not live; {_lacking(observed, namespace)}")
