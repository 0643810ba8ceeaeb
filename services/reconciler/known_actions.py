"""The actions that one object has: those of argocd-cm, in Lua, and those that are built in.

In: the settings, a live object. Out: what there is, and a way to do each. Scripts of a kind replace its built-in
actions unless `mergeBuiltinActions` says that they stay; a script of the same name goes first. Never: a write.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.reconciler import builtin_actions
from services.reconciler.builtin_actions import Change, Run
from services.reconciler.state import Obj
from shared.engines import lua
from shared.engines.client import Engines
from shared.events import ActionParameter, ResourceAction
from shared.kinds.actions import ScriptedActions
from shared.kinds.refs import GroupKind
from shared.kinds.settings import ArgoSettings

Pool = Callable[[], Awaitable[Engines]]


class ScriptRefused(ValueError):
    """A script answered with something that means nothing here; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an object has: `scripts` by name, all others are built in."""

    live: Obj
    engines: Pool
    actions: tuple[ResourceAction, ...]
    scripts: Mapping[str, str] = field(default_factory=dict)
    open_libs: bool = False

    async def perform(self, name: str, run: Run) -> list[Change]:
        """Do one of the actions. Raises BadParameters, EngineFailure, ScriptRefused."""
        script = self.scripts.get(name)
        if script is None:
            return builtin_actions.perform(name, self.live, run)
        given = {"obj": self.live, "actionParams": dict(run.parameters)}
        return changes(await lua.run(await self.engines(), script, given, open_libs=self.open_libs), self.live)


async def known_actions(settings: ArgoSettings, engines: Pool, live: Obj) -> Known:
    """Find out which actions a live object has. Raises EngineFailure, ScriptRefused."""
    custom = settings.scripted_actions(GroupKind.of(live))
    builtin = builtin_actions.discover(live)
    if custom is None or custom.actions is None:
        return Known(live, engines, builtin)
    scripted = await discovered(custom.actions, engines, live, open_libs=custom.use_open_libs)
    names = {action.name for action in scripted}
    kept = tuple(action for action in builtin if action.name not in names) if custom.actions.merge else ()
    return Known(live, engines, (*scripted, *kept), custom.actions.scripts, custom.use_open_libs)


async def discovered(
    custom: ScriptedActions, engines: Pool, live: Obj, *, open_libs: bool
) -> tuple[ResourceAction, ...]:
    """Run the discovery script; only actions that have a script, or are built in, count."""
    if not custom.discovery.strip():
        return ()
    returned = await lua.run(await engines(), custom.discovery, {"obj": live}, open_libs=open_libs)
    answer = returned[0] if returned else None
    if answer in (None, []):
        return ()
    if not isinstance(answer, dict):
        raise ScriptRefused("discovery.lua must return a table from names to actions")
    builtin = {action.name for action in builtin_actions.discover(live)} if custom.merge else set()
    names = [name for name in sorted(answer) if name in custom.scripts or name in builtin]
    return tuple(action(name, answer[name]) for name in names)


def action(name: str, told: Any) -> ResourceAction:
    """Read what a discovery script says of one action; an empty table arrives as a list."""
    said = told if isinstance(told, dict) else {}
    given = said.get("params") or []
    parameters = [one for one in given if isinstance(one, dict) and one.get("name")] if isinstance(given, list) else []
    return ResourceAction(
        name=name,
        disabled=said.get("disabled") is True,
        display_name=str(said.get("displayName") or ""),
        icon_class=str(said.get("iconClass") or ""),
        parameters=tuple(
            ActionParameter(name=str(one["name"]), default=str(one.get("default") or "")) for one in parameters
        ),
    )


def changes(returned: list[Any], live: Obj) -> list[Change]:
    """Read what an action script returned: the object as it should be, or a list of operations."""
    answer = returned[0] if returned else None
    if isinstance(answer, dict):
        return [Change("patch", reshaped(answer, live))]
    if not isinstance(answer, list):
        raise ScriptRefused("the action must return an object, or a list of {operation, resource}")
    return [_change(one, live) for one in answer]


def _change(told: Any, live: Obj) -> Change:
    resource = told.get("resource") if isinstance(told, dict) else None
    if not isinstance(resource, dict) or not isinstance(resource.get("metadata"), dict):
        raise ScriptRefused("every entry that the action returns must have a resource")
    if told.get("operation") == "create":
        return Change("create", resource)
    if told.get("operation") != "patch":
        raise ScriptRefused(f"operation {told.get('operation')!r} is neither create nor patch")
    return Change("patch", reshaped(resource, live))


def reshaped(value: Any, like: Any) -> Any:
    """Give an empty table back the shape that it had: Lua does not tell an empty list from an empty object."""
    if value == [] and like == {}:
        return {}
    if isinstance(value, dict) and isinstance(like, dict):
        return {key: reshaped(item, like.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(like, list):
        return [reshaped(item, like[at] if at < len(like) else None) for at, item in enumerate(value)]
    return value
