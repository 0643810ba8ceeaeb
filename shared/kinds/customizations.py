"""`resource.customizations` of argocd-cm: health scripts, actions and ignored fields by kind.

In: the ConfigMap's data, with a key for each kind (`resource.customizations.health.apps_Deployment`) or one YAML map.
Out: one `Customization` a kind pattern, and sentences about what couldn't be read. Scripts stay text for the engines.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from shared.kinds.actions import ScriptedActions, read_actions
from shared.kinds.exclusions import Unreadable
from shared.kinds.globs import matches
from shared.kinds.refs import GroupKind

PREFIX = "resource.customizations"
_SECTIONS = ("health", "actions", "ignoreDifferences", "ignoreResourceUpdates", "knownTypeFields", "useOpenLibs")
_IN_MAP = {"health.lua": "health", "health.lua.useOpenLibs": "useOpenLibs"}


@dataclass(frozen=True, slots=True)
class Ignored:
    json_pointers: tuple[str, ...] = ()
    jq_path_expressions: tuple[str, ...] = ()
    managed_fields_managers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownTypeField:
    field: str
    type: str


@dataclass(slots=True)
class Customization:
    """What is set for the kinds that `pattern` (`group/Kind`, globs) means. Not changed after reading."""

    pattern: str
    health_lua: str = ""
    use_open_libs: bool = False
    actions: ScriptedActions | None = None
    ignore_differences: Ignored | None = None
    ignore_resource_updates: Ignored | None = None
    known_type_fields: tuple[KnownTypeField, ...] = field(default=())

    def covers(self, kind: GroupKind) -> bool:
        group, _, name = self.pattern.rpartition("/")
        return matches(group, kind.group) and matches(name, kind.kind)


def read_customizations(data: Mapping[str, str]) -> tuple[dict[str, Customization], list[str]]:
    """Read all customizations, by pattern."""
    found: dict[str, Customization] = {}
    problems: list[str] = []
    for key, section, pattern, text in _entries(data, problems):
        try:
            _set(found.setdefault(pattern, Customization(pattern)), section, text)
        except (ValueError, yaml.YAMLError) as error:
            problems.append(f"argocd-cm {key}: {_first_line(error)}")
    return found, problems


def _entries(data: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, str, str, Any]]:
    yield from _mapped(data.get(PREFIX, ""), problems)
    for key, text in data.items():
        section, _, kind = key.removeprefix(f"{PREFIX}.").partition(".")
        if not key.startswith(f"{PREFIX}.") or not kind:
            continue
        if section in _SECTIONS:
            yield key, section, pattern_of(kind), text
        else:
            problems.append(f"argocd-cm {key}: {section!r} is none of {', '.join(_SECTIONS)}")


def _mapped(text: str, problems: list[str]) -> Iterator[tuple[str, str, str, Any]]:
    try:
        value = yaml.load(text, Loader=yaml.CSafeLoader) or {}
    except yaml.YAMLError as error:
        problems.append(f"argocd-cm {PREFIX}: {_first_line(error)}")
        return
    if not isinstance(value, dict):
        problems.append(f"argocd-cm {PREFIX}: must be a map from group/Kind to its customizations")
        return
    for pattern, sections in value.items():
        if isinstance(sections, dict):
            for section, inner in sections.items():
                yield PREFIX, _IN_MAP.get(str(section), str(section)), str(pattern), inner
        else:
            problems.append(f"argocd-cm {PREFIX}: {pattern} must be a map of customizations")


def pattern_of(kind: str) -> str:
    """Give `group/Kind` of a key's `group_Kind`; `all` means every kind."""
    if kind == "all":
        return "*/*"
    group, separator, name = kind.rpartition("_")
    return f"{group}/{name}" if separator else f"/{name}"


def _set(one: Customization, section: str, text: Any) -> None:
    match section:
        case "health":
            one.health_lua = str(text)
        case "actions":
            one.actions = read_actions(_parsed(text))
        case "useOpenLibs":
            one.use_open_libs = str(text).strip().lower() == "true"
        case "ignoreDifferences":
            one.ignore_differences = _ignored(_parsed(text))
        case "ignoreResourceUpdates":
            one.ignore_resource_updates = _ignored(_parsed(text))
        case "knownTypeFields":
            one.known_type_fields = _known_types(_parsed(text))


def _parsed(text: Any) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader) if isinstance(text, str) else text


def _ignored(value: Any) -> Ignored:
    if not isinstance(value or {}, dict):
        raise Unreadable("must be a map with jsonPointers, jqPathExpressions or managedFieldsManagers")
    return Ignored(
        *(_texts(value or {}, key) for key in ("jsonPointers", "jqPathExpressions", "managedFieldsManagers"))
    )


def _texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key) or []
    if not isinstance(found, list):
        raise Unreadable(f"{key} must be a list")
    return tuple(map(str, found))


def _known_types(value: Any) -> tuple[KnownTypeField, ...]:
    if not isinstance(value or [], list) or not all(isinstance(item, dict) for item in value or ()):
        raise Unreadable("must be a list of field and type")
    return tuple(KnownTypeField(str(item.get("field", "")), str(item.get("type", ""))) for item in value or ())


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
