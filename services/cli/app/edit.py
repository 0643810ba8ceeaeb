"""Changing what an Application's spec says: `app create`, `set`, `unset`. Pure: spec in, new spec out.

A source is edited in place, with what nobody named left as it is; of several sources the one at `position` (1 is the
first) is meant.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.cli.errors import CliError, Exit

Obj = dict[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What a person asked for. `values` by their path in the spec (None takes it away), `source` by their path in the
    source; lists are added to, entries that begin with `!` taken away. `automated`: whether syncs start by themselves.
    """

    values: Mapping[Path, Any] = field(default_factory=dict)
    source: Mapping[Path, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()
    value_files: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    sync_options: tuple[str, ...] = ()
    automated: bool | None = None
    position: int | None = None


@dataclass(frozen=True)
class Removal:
    """What `unset` takes away: options of tools by path, entries of lists by name."""

    source: tuple[Path, ...] = ()
    parameters: tuple[str, ...] = ()
    value_files: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    position: int | None = None


def changed(spec: Obj, change: Change) -> Obj:
    new = copy.deepcopy(spec)
    if change.automated is not None:
        put(new, ("syncPolicy", "automated"), automated(spec) if change.automated else None)
    for path, value in change.values.items():
        put(new, path, value)
    if change.sync_options:
        put(new, ("syncPolicy", "syncOptions"), options(spec, change.sync_options))
    if change.source or change.parameters or change.value_files or change.images:
        source = source_at(new, change.position)
        for path, value in change.source.items():
            put(source, path, value)
        _merge(source, ("helm", "parameters"), [parameter(one) for one in change.parameters], lambda one: one["name"])
        _merge(source, ("helm", "valueFiles"), list(change.value_files), str)
        _merge(source, ("kustomize", "images"), list(change.images), image_name)
    return new


def automated(spec: Obj) -> Obj:
    """The policy that syncs by itself; what it says of pruning and healing stays."""
    before = (spec.get("syncPolicy") or {}).get("automated") or {}
    return {name: value for name, value in before.items() if name != "enabled"}


def removed(spec: Obj, removal: Removal) -> Obj:
    new = copy.deepcopy(spec)
    source = source_at(new, removal.position)
    for path in removal.source:
        put(source, path, None)
    _drop(source, ("helm", "parameters"), removal.parameters, lambda one: one["name"])
    _drop(source, ("helm", "valueFiles"), removal.value_files, str)
    _drop(source, ("kustomize", "images"), removal.images, image_name)
    return new


def source_at(spec: Obj, position: int | None) -> Obj:
    """The source that is meant; without a position, the only one."""
    sources: list[Obj] = spec.get("sources") or []
    if not sources:
        if position not in {None, 1}:
            raise CliError(f"there is one source, none at {position}", code=Exit.USAGE)
        return _inner(spec, "source")
    if position is None and len(sources) > 1:
        raise CliError(
            f"this Application has {len(sources)} sources", hint="--source-position N says which", code=Exit.USAGE
        )
    at = 1 if position is None else position
    if not 1 <= at <= len(sources):
        raise CliError(f"there are {len(sources)} sources, none at {at}", code=Exit.USAGE)
    return sources[at - 1]


def put(obj: Obj, path: Path, value: Any) -> None:
    """Set what lies at a path, or take it away with everything that is empty then."""
    if len(path) > 1:
        inner = _inner(obj, path[0])
        put(inner, path[1:], value)
        value = inner if inner or path[:-1] == ("syncPolicy", "automated") else None
    if value is None:
        obj.pop(path[0], None)
    else:
        obj[path[0]] = value


def _inner(obj: Obj, name: str) -> Obj:
    found = obj.get(name)
    if not isinstance(found, dict):
        found = obj[name] = {}
    return found


def parameter(word: str) -> Obj:
    """`NAME=VALUE`, as Helm's `--set` has it."""
    name, equals, value = word.partition("=")
    if not name or not equals:
        raise CliError(f"{word!r} is not NAME=VALUE", hint="for example image.tag=1.2.3", code=Exit.USAGE)
    return {"name": name, "value": value}


def image_name(image: str) -> str:
    """What an image override is about: `[OLD=]NEW[:TAG|@DIGEST]`, by the name that the manifests have."""
    old, equals, new = image.partition("=")
    name = old if equals else new or old
    name = name.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}"


def options(spec: Obj, words: tuple[str, ...]) -> list[str] | None:
    """`syncOptions` with these set (by name), and those that begin with `!` gone."""
    before = (spec.get("syncPolicy") or {}).get("syncOptions") or []
    by_name = {str(one).partition("=")[0]: str(one) for one in before}
    for word in words:
        name, equals, _ = word.removeprefix("!").partition("=")
        if word.startswith("!"):
            by_name.pop(name, None)
        elif not equals:
            raise CliError(f"{word!r} is not NAME=VALUE", hint="for example CreateNamespace=true", code=Exit.USAGE)
        else:
            by_name[name] = word
    return list(by_name.values()) or None


def _merge(source: Obj, path: Path, entries: list[Any], name: Callable[[Any], str]) -> None:
    if not entries:
        return
    by_name = {name(one): one for one in (source.get(path[0]) or {}).get(path[1]) or []}
    by_name |= {name(one): one for one in entries}
    put(source, path, list(by_name.values()))


def _drop(source: Obj, path: Path, names: tuple[str, ...], name: Callable[[Any], str]) -> None:
    if not names:
        return
    before = (source.get(path[0]) or {}).get(path[1]) or []
    missing = set(names) - {name(one) for one in before}
    if missing:
        raise CliError(f"{'.'.join(path)} has no {', '.join(sorted(missing))}", code=Exit.NOT_FOUND)
    put(source, path, [one for one in before if name(one) not in names] or None)
