"""The actions that argocd-cm gives a kind (`resource.customizations.actions.<group_Kind>`): scripts, still text.

In: the YAML of one key. Out: how to find out which actions there are, and the script of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.kinds.exclusions import Unreadable


@dataclass(frozen=True, slots=True)
class ScriptedActions:
    """`discovery` gives the actions of an object; `merge`: those that are built in stay."""

    discovery: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)
    merge: bool = False


def read_actions(value: Any) -> ScriptedActions:
    """Read one key. Raises ValueError."""
    if not isinstance(value, dict):
        raise Unreadable("must be a map of discovery.lua and definitions")
    definitions = value.get("definitions") or []
    if not isinstance(definitions, list) or not all(isinstance(one, dict) and one.get("name") for one in definitions):
        raise Unreadable("definitions must be a list of name and action.lua")
    scripts = {str(one["name"]): str(one.get("action.lua") or "") for one in definitions}
    return ScriptedActions(str(value.get("discovery.lua") or ""), scripts, value.get("mergeBuiltinActions") is True)
