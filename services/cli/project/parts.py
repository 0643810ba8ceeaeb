"""The parts of a project that have commands of their own: roles, sync windows, policies of source integrity."""

from dataclasses import dataclass
from typing import Any

from services.cli.errors import CliError, Exit
from services.cli.options import Where
from services.cli.project import store
from services.cli.project.change import (
    Change,
    Obj,
    added,
    in_entry,
    in_role,
    listed,
    removed,
    replaced,
    set_to,
    with_edits,
    without_entry,
    written,
)
from services.cli.project.read import POLICIES

WINDOWS = ("syncWindows",)


async def add_role(where: Where, project: str, role: str, description: str) -> None:
    def change(spec: Obj) -> Obj:
        if any(one.get("name") == role for one in listed(spec, ("roles",))):
            raise CliError(f"there is a role {role} already")
        return added(("roles",), written(name=role, description=description), role)(spec)

    await store.edit(where, project, change, f"role {role} created")


async def delete_role(where: Where, project: str, role: str) -> None:
    change = removed(("roles",), lambda one: one.get("name") == role, f"role {role}")
    await store.edit(where, project, change, f"role {role} deleted")


def policy_line(project: str, role: str, resource: str, action: str, target: str, effect: str) -> str:  # noqa: PLR0917
    """Write a policy as AppProjects hold it; `target` may leave the project out."""
    about = target if target.startswith(f"{project}/") else f"{project}/{target}"
    return f"p, proj:{project}:{role}, {resource}, {action}, {about}, {effect}"


async def policy(where: Where, project: str, role: str, line: str, *, add: bool) -> None:
    """Add a policy to a role, or remove it, however it is spaced."""
    words = [word.strip() for word in line.split(",")]

    def same(one: Any) -> bool:
        return [word.strip() for word in str(one).split(",")] == words

    change = added(("policies",), line, "the policy") if add else removed(("policies",), same, "the policy")
    await store.edit(
        where, project, in_role(role, change), f"policy {'added to' if add else 'removed from'} role {role}"
    )


async def group(where: Where, project: str, role: str, name: str, *, add: bool) -> None:
    change = added(("groups",), name, name) if add else removed(("groups",), lambda one: one == name, name)
    said = f"group {name} {'added to' if add else 'removed from'} role {role}"
    await store.edit(where, project, in_role(role, change), said)


@dataclass(frozen=True)
class Window:
    """What the window commands may say; None: nothing said."""

    kind: str | None = None
    schedule: str | None = None
    duration: str | None = None
    applications: list[str] | None = None
    namespaces: list[str] | None = None
    clusters: list[str] | None = None
    manual_sync: bool | None = None
    time_zone: str | None = None
    and_operator: bool | None = None
    sync_overrun: bool | None = None
    description: str | None = None

    def fields(self) -> dict[str, Any]:
        names = {
            "kind": self.kind,
            "schedule": self.schedule,
            "duration": self.duration,
            "applications": self.applications or None,
            "namespaces": self.namespaces or None,
            "clusters": self.clusters or None,
            "manualSync": self.manual_sync,
            "timeZone": self.time_zone,
            "andOperator": self.and_operator,
            "syncOverrun": self.sync_overrun,
            "description": self.description,
        }
        return {name: value for name, value in names.items() if value is not None}


async def add_window(where: Where, project: str, window: Window) -> None:
    change = added(WINDOWS, check_window(window.fields()), "the window")
    await store.edit(where, project, change, "sync window added")


async def change_window(where: Where, project: str, position: int, window: Window) -> None:
    def change(before: Obj) -> Obj:
        return check_window(set_to(window.fields())(before))

    await store.edit(
        where, project, in_entry(WINDOWS, position, "sync window", change), f"sync window {position} changed"
    )


async def delete_window(where: Where, project: str, position: int) -> None:
    change = without_entry(WINDOWS, position, "sync window")
    await store.edit(where, project, change, f"sync window {position} deleted")


def check_window(window: Obj) -> Obj:
    """Refuse a window that would block because it can't be read, or that concerns nobody."""
    from shared.kinds.appproject import SyncWindow
    from shared.kinds.windows import problem_of

    problem = problem_of(SyncWindow.parse(window))
    if not problem and not any(window.get(name) for name in ("applications", "namespaces", "clusters")):
        problem = "it concerns nobody: give --applications, --namespaces or --clusters"
    if problem:
        raise CliError(f"the sync window is not valid: {problem}", code=Exit.USAGE)
    return window


async def add_policy(where: Where, project: str, urls: list[str], mode: str, keys: list[str]) -> None:
    gpg: Obj = {"mode": mode, **({"keys": keys} if keys else {})}
    change = added(POLICIES, {"repos": [{"url": url} for url in urls], "gpg": gpg}, "the policy")
    await store.edit(where, project, change, "source integrity policy added")


@dataclass(frozen=True)
class PolicyWish:
    """What `policies update` may say; None: nothing said."""

    mode: str | None = None
    urls: list[str] | None = None
    add_urls: list[str] | None = None
    drop_urls: list[str] | None = None
    keys: list[str] | None = None
    add_keys: list[str] | None = None
    drop_keys: list[str] | None = None

    def change(self, policy: Obj) -> Obj:
        gpg = dict(policy.get("gpg") or {})
        urls = [str(repo.get("url") or "") for repo in policy.get("repos") or ()]
        urls = with_edits(urls, given=self.urls, add=self.add_urls, drop=self.drop_urls)
        keys = with_edits(gpg.get("keys") or (), given=self.keys, add=self.add_keys, drop=self.drop_keys)
        return {
            **policy,
            "repos": [{"url": url} for url in urls],
            "gpg": {**gpg, "mode": self.mode or gpg.get("mode"), "keys": keys},
        }


async def change_policy(where: Where, project: str, position: int, wish: PolicyWish) -> None:
    change: Change = in_entry(POLICIES, position, "policy", wish.change)
    await store.edit(where, project, change, f"source integrity policy {position} changed")


async def delete_policy(where: Where, project: str, position: int) -> None:
    """Delete a policy; the last one takes `sourceIntegrity` with it."""

    def change(spec: Obj) -> Obj:
        after = without_entry(POLICIES, position, "policy")(spec)
        return after if listed(after, POLICIES) else {**replaced(after, POLICIES, []), "sourceIntegrity": None}

    await store.edit(where, project, change, f"source integrity policy {position} deleted")
