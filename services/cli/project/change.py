"""Changes of an AppProject's spec. Pure: a spec in, a new one out, or a CliError that says what is so already.

Lists are named by their path. Nothing here knows whether the result is a valid project: that is looked at once, before
it is written.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.cli.errors import CliError, Exit

Obj = dict[str, Any]
Change = Callable[[Obj], Obj]
Path = tuple[str, ...]


def listed(spec: Mapping[str, Any], path: Path) -> list[Any]:
    """Give the list at a path; empty when there is none."""
    value: Any = spec
    for step in path:
        value = (value or {}).get(step)
    return list(value or [])


def replaced(spec: Obj, path: Path, items: list[Any]) -> Obj:
    """Give the spec with another list at a path."""
    head, *rest = path
    return {**spec, head: replaced(dict(spec.get(head) or {}), tuple(rest), items) if rest else items}


def added(path: Path, item: Any, what: str) -> Change:
    """Add to a list; it is an error when it is there already."""

    def change(spec: Obj) -> Obj:
        items = listed(spec, path)
        if item in items:
            raise CliError(f"{what} is there already")
        return replaced(spec, path, [*items, item])

    return change


def removed(path: Path, is_it: Callable[[Any], bool], what: str) -> Change:
    """Take out of a list; it is an error when it is not there."""

    def change(spec: Obj) -> Obj:
        items = listed(spec, path)
        kept = [item for item in items if not is_it(item)]
        if len(kept) == len(items):
            raise CliError(f"{what} is not there", code=Exit.NOT_FOUND)
        return replaced(spec, path, kept)

    return change


def named(**wanted: str) -> Callable[[Any], bool]:
    """Give a test for entries whose fields are exactly these; an empty one fits a missing field."""
    return lambda item: all((item.get(field) or "") == value for field, value in wanted.items())


def written(**fields: str) -> Obj:
    """Give an entry without its empty fields."""
    return {field: value for field, value in fields.items() if value}


def set_to(fields: Mapping[str, Any]) -> Change:
    """Set fields to what was given; None leaves one as it is."""
    given = {name: value for name, value in fields.items() if value is not None}

    def change(spec: Obj) -> Obj:
        if not given:
            raise CliError("nothing to change", hint="give at least one option", code=Exit.USAGE)
        return {**spec, **given}

    return change


def in_entry(path: Path, position: int, what: str, change: Change) -> Change:
    """Change one entry of a list, named by its position."""

    def outer(spec: Obj) -> Obj:
        items = listed(spec, path)
        if not 0 <= position < len(items):
            raise CliError(f"there is no {what} {position}", hint=f"there are {len(items)}", code=Exit.NOT_FOUND)
        return replaced(spec, path, [change(item) if at == position else item for at, item in enumerate(items)])

    return outer


def without_entry(path: Path, position: int, what: str) -> Change:
    """Take an entry out of a list by its position."""

    def change(spec: Obj) -> Obj:
        items = listed(spec, path)
        if not 0 <= position < len(items):
            raise CliError(f"there is no {what} {position}", hint=f"there are {len(items)}", code=Exit.NOT_FOUND)
        return replaced(spec, path, items[:position] + items[position + 1 :])

    return change


def in_role(name: str, change: Change) -> Change:
    """Change the role of a name."""

    def outer(spec: Obj) -> Obj:
        roles = listed(spec, ("roles",))
        position = next((at for at, role in enumerate(roles) if role.get("name") == name), None)
        if position is None:
            raise CliError(f"there is no role {name}", code=Exit.NOT_FOUND)
        return in_entry(("roles",), position, "role", change)(spec)

    return outer


def rule_changed(field: str, rule: Obj, *, keep: bool) -> Change:
    """Put a kind into one of the four lists of kinds, or take it out; nothing to do is no error, as in Argo CD."""

    def change(spec: Obj) -> Obj:
        items = listed(spec, (field,))
        others = [item for item in items if not named(**{"group": "", "kind": "", "name": ""} | rule)(item)]
        return {**spec, field: [*others, rule] if keep else others}

    return change


def with_edits(
    items: Iterable[str], *, given: list[str] | None, add: list[str] | None, drop: list[str] | None
) -> list[str]:
    """Give a list of texts after `--x` (replaces all), `--add-x` and `--delete-x`."""
    found = list(given) if given is not None else list(items)
    found += [item for item in add or () if item not in found]
    return [item for item in found if item not in (drop or ())]
